#include "trainer/objective/deal.h"

#include <algorithm>
#include <numeric>

namespace aha {
namespace {

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

/// Samples in their order, cut into one run a rank: as many a run as `most` rows hold, the prompt of a group counted in
/// every run that has some of it. Empty: that takes more runs than ranks.
std::vector<std::vector<SampleRef>> runs_of(std::span<const Group> groups,
                                            std::span<const SampleRef> samples, Index most,
                                            std::size_t ranks) {
  std::vector<std::vector<SampleRef>> runs(1);
  Index rows = 0;
  for (const auto& sample : samples) {
    const Group& group = groups[sample.group];
    const Index alone = section_rows(group, {{sample.completion}});
    const bool joins = !runs.back().empty() && runs.back().back().group == sample.group;
    Index more = joins ? alone - std::ssize(group.prompt.ids) : alone;
    if (!runs.back().empty() && rows + more > most) {
      if (runs.size() == ranks) return {};
      runs.emplace_back();
      rows = 0;
      more = alone;
    }
    if (more > most) return {};
    rows += more;
    runs.back().push_back(sample);
  }
  runs.resize(ranks);
  return runs;
}

/// The runs whose longest is shortest.
std::vector<std::vector<SampleRef>> even_runs(std::span<const Group> groups,
                                              std::span<const SampleRef> samples,
                                              std::size_t ranks) {
  Index enough = 0;
  for (const auto& sample : samples)
    enough += section_rows(groups[sample.group], {{sample.completion}});
  for (Index least = 0; least < enough;) {
    const Index middle = least + (enough - least) / 2;
    if (runs_of(groups, samples, middle, ranks).empty())
      least = middle + 1;
    else
      enough = middle;
  }
  return runs_of(groups, samples, enough, ranks);
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
  const auto own = even_runs(groups, samples, count);
  std::vector<std::vector<DealtBatch>> dealt(count);
  std::int64_t index = 0;
  for (std::size_t r = 0; r < count; ++r)
    for (auto& sections : plan_micro_batches(groups, own[r], limits))
      dealt[r].push_back({index++, std::move(sections)});
  return dealt;
}

}  // namespace aha
