#pragma once
#include <span>
#include <vector>

#include "trainer/core/types/group.h"
#include "trainer/kernels/ops.h"

namespace aha {

/// Which completion of which group.
struct SampleRef {
  std::size_t group = 0;
  std::size_t completion = 0;
};

/// Completions of one group that are trained together: the prompt's rows are computed once for all.
struct Section {
  std::size_t group = 0;
  std::vector<std::size_t> completions;
};

/// One packed forward and backward pass: no padding. Rows are tokens that are fed to the decoder; loss
/// tokens are what they predict. Sections stand one after the other: the prompt's rows, then the rows of
/// each completion (all of its ids but the last, which nothing follows).
struct MicroBatch {
  std::vector<TokenId> ids;                 ///< [M]
  std::vector<std::int32_t> positions;      ///< [M]
  std::vector<const std::int32_t*> tables;  ///< [M] into table_storage
  std::vector<KvCopy> copies;
  std::vector<Index> section_starts;  ///< [sections + 1] into rows
  Index num_blocks = 0;

  std::vector<SampleRef> samples;     ///< [N] in the order of their loss tokens
  std::vector<Index> offsets;         ///< [N + 1] into loss tokens
  std::vector<Index> loss_rows;       ///< [T] row whose distribution predicts the token
  std::vector<std::int64_t> targets;  ///< [T]

  std::vector<std::vector<std::int32_t>> table_storage;  ///< one block table a sequence

  Index rows() const { return static_cast<Index>(ids.size()); }
  Index tokens() const { return static_cast<Index>(targets.size()); }
};

/// Rows that a section takes: prompt + sum over completions of (length - 1).
Index section_rows(const Group& group, std::span<const std::size_t> completions);

/// Loss tokens of these sections.
Index loss_tokens(std::span<const Group> groups, std::span<const Section> sections);

/// How a mini-batch is cut into micro-batches.
struct PackLimits {
  std::int64_t max_tokens = 8192;    ///< rows of a micro-batch
  std::int64_t max_completions = 0;  ///< 0: no limit
  std::int64_t unit = 0;  ///< > 0: each run of this many completions of a group alone (strict)
};

/// Sections of each micro-batch, for samples in group order. A group is kept together while it fits and
/// split between completions where it does not. With `unit`, every micro-batch is one unit: which
/// completions share a forward pass is then independent of the limits.
/// UserError when one prompt and completion alone exceed `max_tokens`.
std::vector<std::vector<Section>> plan_micro_batches(std::span<const Group> groups,
                                                     std::span<const SampleRef> samples,
                                                     const PackLimits& limits);

/// Packs the sections' rows.
MicroBatch pack(std::span<const Group> groups, std::span<const Section> sections);

}  // namespace aha
