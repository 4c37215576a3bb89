#pragma once
#include "trainer/objective/batch.h"

namespace aha {

/// A micro-batch and its place among all of an update's.
struct DealtBatch {
  std::int64_t index = 0;
  std::vector<Section> sections;
};

/// Who runs which micro-batches of an update: [ranks][any]. A pure function of the groups' lengths, so that
/// every rank knows it without asking, whoever sampled what.
///
/// With limits.unit (strict) the units are those of one rank, and keep their index: only who runs them
/// changes; the longest goes first, to the rank that has the fewest rows so far (Graham 1969: at most 4/3 of the
/// best). Otherwise the samples are cut, in their order, into one run a rank, of which the longest is as short as can
/// be, and each rank packs its own: no more prompts are computed twice than there are cuts. A rank may get nothing.
std::vector<std::vector<DealtBatch>> deal_micro_batches(std::span<const Group> groups,
                                                        std::span<const SampleRef> samples,
                                                        const PackLimits& limits, int ranks);

}  // namespace aha
