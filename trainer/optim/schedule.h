#pragma once
#include <cstdint>

#include "trainer/config/schema.h"

namespace aha {

/// Learning rate of update number `step`, counted from 0, in a schedule of `total_steps` updates
/// (`config.lr_scheduler_steps`, where it is not 0, stands in its place). With w = warmup_steps,
/// m = min_lr_ratio and progress p = (step - w) / (total - w), held at 1 from there on:
///
///   step < w:  learning_rate * step / w          (so the first update of a warm-up has rate 0)
///   constant:  learning_rate
///   linear:    learning_rate * (m + (1 - m) * (1 - p))
///   cosine:    learning_rate * (m + (1 - m) * (1 + cos(pi * p)) / 2)
///
/// The values of transformers'
/// get_{constant,linear,cosine,cosine_with_min_lr}_schedule_with_warmup, whose LambdaLR gives
/// lambda(step) to update `step` too. One difference: after `total_steps` transformers' cosine
/// rises again, ours stays at its end.
///
/// Pure. InternalError when `step` is negative or the type is unknown (the configuration is checked
/// when read).
double learning_rate_at(std::int64_t step, const OptimConfig& config, std::int64_t total_steps);

}  // namespace aha
