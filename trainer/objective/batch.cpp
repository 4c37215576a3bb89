#include "trainer/objective/batch.h"

#include "trainer/core/error.h"

namespace aha {
namespace {

/// Hands out key/value blocks of one micro-batch and writes tables.
class Packer {
 public:
  Packer(std::span<const Group> groups, std::size_t num_tables) : groups_(groups) {
    batch_.table_storage.reserve(num_tables);  // tables are pointed into: they must not move
    batch_.section_starts.push_back(0);
    batch_.offsets.push_back(0);
  }

  void add(const Section& section) {
    const Group& group = groups_[section.group];
    const auto& prompt = group.prompt.ids;
    const auto prompt_length = static_cast<Index>(prompt.size());
    const auto& prompt_table = new_table({}, prompt_length);
    const Index prompt_row = batch_.rows();
    add_rows(prompt, 0, prompt_table);
    for (const std::size_t index : section.completions)
      add_completion(section.group, index, prompt_table, prompt_row + prompt_length - 1);
    batch_.section_starts.push_back(batch_.rows());
  }

  MicroBatch finish() { return std::move(batch_); }

 private:
  /// A table that starts with `shared` blocks and goes on with new ones until it holds `positions`.
  const std::vector<std::int32_t>& new_table(std::span<const std::int32_t> shared,
                                             Index positions) {
    auto& table = batch_.table_storage.emplace_back(shared.begin(), shared.end());
    while (static_cast<Index>(table.size()) * kKvBlock < positions)
      table.push_back(static_cast<std::int32_t>(batch_.num_blocks++));
    return table;
  }

  void add_rows(std::span<const TokenId> ids, Index first_position,
                const std::vector<std::int32_t>& table) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      batch_.ids.push_back(ids[i]);
      batch_.positions.push_back(static_cast<std::int32_t>(first_position + static_cast<Index>(i)));
      batch_.tables.push_back(table.data());
    }
  }

  void add_completion(std::size_t group_index, std::size_t index,
                      const std::vector<std::int32_t>& prompt_table, Index last_prompt_row) {
    const Group& group = groups_[group_index];
    const auto& ids = group.completions[index].ids;
    const auto length = static_cast<Index>(ids.size());
    const auto prompt_length = static_cast<Index>(group.prompt.ids.size());
    const Index first_row = batch_.rows();
    if (length > 1) {
      const auto full = static_cast<std::size_t>(prompt_length / kKvBlock);
      const auto partial = static_cast<std::int32_t>(prompt_length % kKvBlock);
      const auto& table =
          new_table(std::span(prompt_table).first(full), prompt_length + length - 1);
      if (partial > 0) batch_.copies.push_back({prompt_table.back(), table[full], partial});
      add_rows(std::span(ids).first(ids.size() - 1), prompt_length, table);
    }
    for (Index t = 0; t < length; ++t) {
      batch_.loss_rows.push_back(t == 0 ? last_prompt_row : first_row + t - 1);
      batch_.targets.push_back(ids[static_cast<std::size_t>(t)]);
    }
    batch_.samples.push_back({group_index, index});
    batch_.offsets.push_back(batch_.tokens());
  }

  std::span<const Group> groups_;
  MicroBatch batch_;
};

/// Grows micro-batches sample by sample.
class Planner {
 public:
  Planner(std::span<const Group> groups, const PackLimits& limits)
      : groups_(groups), limits_(limits) {}

  void add(const SampleRef& sample) {
    const Group& group = groups_[sample.group];
    const auto prompt = static_cast<Index>(group.prompt.ids.size());
    const Index own = group.completions[sample.completion].length() - 1;
    if (prompt + own > limits_.max_tokens)
      fail(
          "train.max_tokens_per_micro_batch is {}, but one prompt with its completion takes {} "
          "rows; set it to at least that",
          limits_.max_tokens, prompt + own);
    const bool same_group = !plan_.empty() && plan_.back().back().group == sample.group;
    if (plan_.empty() || !fits(own + (same_group ? 0 : prompt), same_group)) {
      plan_.emplace_back();
      rows_ = completions_ = 0;
      open_section(sample.group, prompt);
    } else if (!same_group) {
      open_section(sample.group, prompt);
    }
    plan_.back().back().completions.push_back(sample.completion);
    rows_ += own;
    ++completions_;
  }

  std::vector<std::vector<Section>> finish() { return std::move(plan_); }

 private:
  bool fits(Index more_rows, bool same_group) const {
    if (limits_.unit > 0) return same_group && completions_ < limits_.unit;
    if (limits_.max_completions > 0 && completions_ >= limits_.max_completions) return false;
    return rows_ + more_rows <= limits_.max_tokens;
  }

  void open_section(std::size_t group, Index prompt_rows) {
    plan_.back().push_back({group, {}});
    rows_ += prompt_rows;
  }

  std::span<const Group> groups_;
  PackLimits limits_;
  std::vector<std::vector<Section>> plan_;
  Index rows_ = 0;
  std::int64_t completions_ = 0;
};

}  // namespace

Index section_rows(const Group& group, std::span<const std::size_t> completions) {
  auto rows = static_cast<Index>(group.prompt.ids.size());
  for (const std::size_t c : completions)
    rows += group.completions[c].length() - 1;
  return rows;
}

Index loss_tokens(std::span<const Group> groups, std::span<const Section> sections) {
  Index tokens = 0;
  for (const auto& section : sections)
    for (const std::size_t c : section.completions)
      tokens += groups[section.group].completions[c].length();
  return tokens;
}

std::vector<std::vector<Section>> plan_micro_batches(std::span<const Group> groups,
                                                     std::span<const SampleRef> samples,
                                                     const PackLimits& limits) {
  Planner planner(groups, limits);
  for (const auto& sample : samples)
    planner.add(sample);
  return planner.finish();
}

MicroBatch pack(std::span<const Group> groups, std::span<const Section> sections) {
  std::size_t tables = 0;
  for (const auto& section : sections)
    tables += 1 + section.completions.size();
  Packer packer(groups, tables);
  for (const auto& section : sections)
    packer.add(section);
  return packer.finish();
}

}  // namespace aha
