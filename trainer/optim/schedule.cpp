#include "trainer/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "trainer/core/error.h"

namespace aha {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(whole, 1));
}

}  // namespace

double learning_rate_at(std::int64_t step, const OptimConfig& config, std::int64_t total_steps) {
  check(step >= 0, "updates are counted from 0");
  const auto warmup = config.warmup_steps;
  if (step < warmup) return config.learning_rate * share(step, warmup);
  if (config.lr_scheduler_type == "constant") return config.learning_rate;

  const auto total = config.lr_scheduler_steps > 0 ? config.lr_scheduler_steps : total_steps;
  const double progress = std::min(1.0, share(step - warmup, total - warmup));
  double left = 0;
  if (config.lr_scheduler_type == "linear") {
    left = share(std::max<std::int64_t>(0, total - step), total - warmup);
  } else {
    check(config.lr_scheduler_type == "cosine", "the schedule is constant, linear or cosine");
    left = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  }
  return config.learning_rate * (config.min_lr_ratio + (1.0 - config.min_lr_ratio) * left);
}

}  // namespace aha
