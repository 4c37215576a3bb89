#include "trainer/objective/deal.h"

#include <algorithm>
#include <set>

#include "tests/support/catch.h"
#include "tests/trainer/objective/groups.h"

using namespace aha;

namespace {

/// Groups of `lengths` tokens a completion, prompts of five tokens.
std::vector<Group> groups_of(const std::vector<std::vector<std::int64_t>>& lengths) {
  std::vector<Group> groups(lengths.size());
  for (std::size_t g = 0; g < lengths.size(); ++g) {
    groups[g].prompt.ids.assign(5, 1);
    for (const auto length : lengths[g])
      groups[g].completions.emplace_back().ids.assign(static_cast<std::size_t>(length), 2);
  }
  return groups;
}

Index rows_of(const std::vector<Group>& groups, const std::vector<DealtBatch>& batches) {
  Index rows = 0;
  for (const auto& batch : batches)
    for (const auto& section : batch.sections)
      rows += section_rows(groups[section.group], section.completions);
  return rows;
}

const std::vector<std::vector<std::int64_t>> kLengths = {
    {3, 40, 7, 12}, {9, 9, 9, 9}, {60, 2, 2, 2}, {31, 30, 29, 28}, {5, 6, 7, 8}, {100, 1, 1, 1}};

}  // namespace

TEST_CASE("deal: every sample is run once, whatever the ranks, and indices do not repeat") {
  const auto groups = groups_of(kLengths);
  const auto samples = aha_test::all_samples(groups);
  for (const std::int64_t unit : {0, 1, 2})
    for (const int ranks : {1, 2, 3, 7, 40}) {
      PackLimits limits;
      limits.max_tokens = 120;
      limits.unit = unit;
      const auto dealt = deal_micro_batches(groups, samples, limits, ranks);
      REQUIRE(dealt.size() == static_cast<std::size_t>(ranks));
      std::set<std::pair<std::size_t, std::size_t>> seen;
      std::set<std::int64_t> indices;
      for (const auto& batches : dealt)
        for (const auto& batch : batches) {
          CHECK(indices.insert(batch.index).second);
          for (const auto& section : batch.sections)
            for (const auto c : section.completions)
              CHECK(seen.insert({section.group, c}).second);
        }
      CHECK(seen.size() == samples.size());
    }
}

TEST_CASE("deal: strict units are those of one rank, under the same index") {
  const auto groups = groups_of(kLengths);
  const auto samples = aha_test::all_samples(groups);
  PackLimits limits;
  limits.max_tokens = 120;
  limits.unit = 2;
  const auto expected = plan_micro_batches(groups, samples, limits);
  for (const int ranks : {2, 3})
    for (const auto& batches : deal_micro_batches(groups, samples, limits, ranks))
      for (const auto& batch : batches) {
        const auto& unit = expected.at(static_cast<std::size_t>(batch.index));
        REQUIRE(batch.sections.size() == 1);
        CHECK(batch.sections.front().group == unit.front().group);
        CHECK(batch.sections.front().completions == unit.front().completions);
      }
}

TEST_CASE("deal: the longest run of ranks is the shortest that there is") {
  const auto groups = groups_of(kLengths);
  const auto samples = aha_test::all_samples(groups);
  // every way to cut the samples in two, and in three
  const auto rows_between = [&](std::size_t first, std::size_t last) {
    Index rows = 0;
    for (auto i = first; i < last; ++i) {
      rows += std::ssize(groups[samples[i].group].completions[samples[i].completion].ids) - 1;
      if (i == first || samples[i].group != samples[i - 1].group) rows += 5;
    }
    return rows;
  };
  const auto count = samples.size();
  Index two = rows_between(0, count);
  Index three = two;
  for (std::size_t a = 0; a <= count; ++a) {
    two = std::min(two, std::max(rows_between(0, a), rows_between(a, count)));
    for (std::size_t b = a; b <= count; ++b)
      three = std::min(three,
                       std::max({rows_between(0, a), rows_between(a, b), rows_between(b, count)}));
  }
  for (const int ranks : {2, 3}) {
    Index most = 0;
    for (const auto& batches : deal_micro_batches(groups, samples, {}, ranks))
      most = std::max(most, rows_of(groups, batches));
    CHECK(most == (ranks == 2 ? two : three));
  }
}

TEST_CASE("deal: whole groups stay whole where they even out by themselves") {
  const auto groups = groups_of({{9, 9}, {9, 9}, {9, 9}, {9, 9}});
  for (const int ranks : {2, 4})
    for (const auto& batches :
         deal_micro_batches(groups, aha_test::all_samples(groups), {}, ranks)) {
      REQUIRE(batches.size() == 1);
      CHECK(std::ssize(batches.front().sections) == 4 / ranks);
      for (const auto& section : batches.front().sections)
        CHECK(section.completions.size() == 2);
    }
}

TEST_CASE("deal: nothing to train is nothing for every rank") {
  for (const auto& batches : deal_micro_batches({}, {}, {}, 3))
    CHECK(batches.empty());
}
