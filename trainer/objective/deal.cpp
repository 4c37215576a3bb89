#include "trainer/objective/deal.h"

#include <algorithm>
#include <numeric>

namespace aha {
namespace {

/// Parts a rank, so that the longest of them evens out.
constexpr std::size_t kPartsPerRank = 4;

/// Rank of each part.
std::vector<std::size_t> deal(const std::vector<Index>& rows, std::size_t ranks) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows[a] > rows[b]; });
  std::vector<Index> load(ranks, 0);
  std::vector<std::size_t> owner(rows.size());
  for (const auto part : order) {
    const auto least = std::min_element(load.begin(), load.end());
    *least += rows[part];
    owner[part] = static_cast<std::size_t>(least - load.begin());
  }
  return owner;
}

/// Runs of completions of one group, few enough to even out over the ranks.
std::vector<std::vector<SampleRef>> runs_of(std::span<const SampleRef> samples, std::size_t ranks) {
  const std::size_t longest = std::max<std::size_t>(1, samples.size() / (kPartsPerRank * ranks));
  std::vector<std::vector<SampleRef>> runs;
  for (const auto& sample : samples) {
    if (runs.empty() || runs.back().back().group != sample.group || runs.back().size() >= longest)
      runs.emplace_back();
    runs.back().push_back(sample);
  }
  return runs;
}

Index rows_of(std::span<const Group> groups, const std::vector<SampleRef>& run) {
  std::vector<std::size_t> completions;
  completions.reserve(run.size());
  for (const auto& sample : run)
    completions.push_back(sample.completion);
  return section_rows(groups[run.front().group], completions);
}

std::vector<std::vector<DealtBatch>> deal_units(std::span<const Group> groups,
                                                std::vector<std::vector<Section>> units,
                                                std::size_t ranks) {
  std::vector<Index> rows;
  rows.reserve(units.size());
  for (const auto& unit : units)
    rows.push_back(section_rows(groups[unit.front().group], unit.front().completions));
  const auto owner = deal(rows, ranks);
  std::vector<std::vector<DealtBatch>> dealt(ranks);
  for (std::size_t i = 0; i < units.size(); ++i)
    dealt[owner[i]].push_back({static_cast<std::int64_t>(i), std::move(units[i])});
  return dealt;
}

}  // namespace

std::vector<std::vector<DealtBatch>> deal_micro_batches(std::span<const Group> groups,
                                                        std::span<const SampleRef> samples,
                                                        const PackLimits& limits, int ranks) {
  const auto count = static_cast<std::size_t>(ranks);
  if (limits.unit > 0)
    return deal_units(groups, plan_micro_batches(groups, samples, limits), count);
  std::vector<std::vector<SampleRef>> own(count);
  if (ranks == 1) {
    own[0].assign(samples.begin(), samples.end());
  } else {
    const auto runs = runs_of(samples, count);
    std::vector<Index> rows;
    rows.reserve(runs.size());
    for (const auto& run : runs)
      rows.push_back(rows_of(groups, run));
    const auto owner = deal(rows, count);
    for (std::size_t i = 0; i < runs.size(); ++i)
      own[owner[i]].insert(own[owner[i]].end(), runs[i].begin(), runs[i].end());
  }
  std::vector<std::vector<DealtBatch>> dealt(count);
  std::int64_t index = 0;
  for (std::size_t r = 0; r < count; ++r)
    for (auto& sections : plan_micro_batches(groups, own[r], limits))
      dealt[r].push_back({index++, std::move(sections)});
  return dealt;
}

}  // namespace aha
