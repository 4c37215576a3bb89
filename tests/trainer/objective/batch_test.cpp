#include "trainer/objective/batch.h"

#include <map>
#include <set>

#include "tests/support/catch.h"
#include "tests/trainer/objective/groups.h"
#include "trainer/core/error.h"
#include "trainer/core/philox.h"

using namespace aha;
using aha_test::all_samples;
using aha_test::contains;

namespace {

/// Groups of random prompt and completion lengths; ids tell group, completion and place.
std::vector<Group> random_groups(std::uint64_t seed, std::size_t count, std::size_t completions) {
  std::vector<Group> groups(count);
  RandomStream random({seed, Purpose::Init, 0, 0, 0, 0});
  for (std::size_t g = 0; g < count; ++g) {
    const auto prompt = static_cast<TokenId>(1 + random.below(40));
    for (TokenId t = 0; t < prompt; ++t)
      groups[g].prompt.ids.push_back(static_cast<TokenId>(g) * 100000 + t);
    for (std::size_t c = 0; c < completions; ++c) {
      auto& completion = groups[g].completions.emplace_back();
      const auto length = static_cast<TokenId>(1 + random.below(50));
      for (TokenId t = 0; t < length; ++t)
        completion.ids.push_back(static_cast<TokenId>(g) * 100000 +
                                 static_cast<TokenId>(c + 1) * 1000 + t);
    }
  }
  return groups;
}

/// The token at row `row`'s position in the key/value cache, as attention reads it: each row writes its id to
/// its own place, then copies move lanes.
std::map<std::pair<std::int32_t, std::int32_t>, TokenId> written(const MicroBatch& micro) {
  std::map<std::pair<std::int32_t, std::int32_t>, TokenId> cache;
  for (std::size_t i = 0; i < micro.ids.size(); ++i) {
    const auto position = micro.positions[i];
    const auto block = micro.tables[i][position / static_cast<std::int32_t>(kKvBlock)];
    const auto place = std::pair{block, position % static_cast<std::int32_t>(kKvBlock)};
    CHECK(cache.emplace(place, micro.ids[i]).second);  // no two rows write to one place
  }
  for (const auto& copy : micro.copies)
    for (std::int32_t lane = 0; lane < copy.lanes; ++lane)
      CHECK(cache.emplace(std::pair{copy.to, lane}, cache.at({copy.from, lane})).second);
  return cache;
}

/// What the row's sequence holds up to the row itself.
std::vector<TokenId> context(
    const MicroBatch& micro, std::size_t row,
    const std::map<std::pair<std::int32_t, std::int32_t>, TokenId>& cache) {
  std::vector<TokenId> ids;
  for (std::int32_t p = 0; p <= micro.positions[row]; ++p)
    ids.push_back(cache.at({micro.tables[row][p / static_cast<std::int32_t>(kKvBlock)],
                            p % static_cast<std::int32_t>(kKvBlock)}));
  return ids;
}

}  // namespace

TEST_CASE(
    "packing: every loss token is predicted from exactly its prompt and what came before it") {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto groups = random_groups(seed, 5, 4);
    PackLimits limits;
    limits.max_tokens = 150;
    for (const auto& sections : plan_micro_batches(groups, all_samples(groups), limits)) {
      const MicroBatch micro = pack(groups, sections);
      CHECK(loss_tokens(groups, sections) == micro.tokens());
      const auto cache = written(micro);
      for (std::size_t s = 0; s < micro.samples.size(); ++s) {
        const auto& group = groups[micro.samples[s].group];
        const auto& ids = group.completions[micro.samples[s].completion].ids;
        std::vector<TokenId> expected = group.prompt.ids;
        REQUIRE(micro.offsets[s + 1] - micro.offsets[s] == static_cast<Index>(ids.size()));
        for (std::size_t t = 0; t < ids.size(); ++t) {
          const auto at = static_cast<std::size_t>(micro.offsets[s]) + t;
          CHECK(micro.targets[at] == ids[t]);
          CHECK(context(micro, static_cast<std::size_t>(micro.loss_rows[at]), cache) == expected);
          expected.push_back(ids[t]);
        }
      }
    }
  }
}

TEST_CASE("packing: each sample is in one micro-batch, in order, and limits hold") {
  const auto groups = random_groups(7, 9, 6);
  const auto samples = all_samples(groups);
  for (const std::int64_t max_tokens : {95, 200, 1000, 100000})
    for (const std::int64_t max_completions : {0, 1, 4}) {
      std::vector<std::pair<std::size_t, std::size_t>> seen;
      const auto plan = plan_micro_batches(groups, samples, {max_tokens, max_completions, 0});
      for (const auto& sections : plan) {
        const MicroBatch micro = pack(groups, sections);
        CHECK(micro.rows() <= max_tokens);
        if (max_completions > 0)
          CHECK(static_cast<std::int64_t>(micro.samples.size()) <= max_completions);
        for (const auto& s : micro.samples)
          seen.emplace_back(s.group, s.completion);
      }
      REQUIRE(seen.size() == samples.size());
      for (std::size_t i = 0; i < seen.size(); ++i)
        CHECK(seen[i] == std::pair{samples[i].group, samples[i].completion});
      if (max_tokens == 100000 && max_completions == 0) CHECK(plan.size() == 1);
    }
}

TEST_CASE("packing: a prompt's rows are computed once for the group's completions") {
  const auto groups = random_groups(3, 4, 5);
  const auto plan = plan_micro_batches(groups, all_samples(groups), {100000, 0, 0});
  REQUIRE(plan.size() == 1);
  const MicroBatch micro = pack(groups, plan.front());
  CHECK(std::set<TokenId>(micro.ids.begin(), micro.ids.end()).size() == micro.ids.size());
  Index rows = 0;
  for (const auto& section : plan.front())
    rows += section_rows(groups[section.group], section.completions);
  CHECK(micro.rows() == rows);
  REQUIRE(micro.section_starts.size() == plan.front().size() + 1);
  CHECK(micro.section_starts.back() == micro.rows());
}

TEST_CASE("packing: a block of the cache is written by one section alone") {
  const auto groups = random_groups(11, 6, 3);
  const auto plan = plan_micro_batches(groups, all_samples(groups), {100000, 0, 0});
  const MicroBatch micro = pack(groups, plan.front());
  std::map<std::int32_t, std::size_t> owner;
  for (std::size_t s = 0; s + 1 < micro.section_starts.size(); ++s)
    for (auto row = static_cast<std::size_t>(micro.section_starts[s]);
         row < static_cast<std::size_t>(micro.section_starts[s + 1]); ++row) {
      const auto block =
          micro.tables[row][micro.positions[row] / static_cast<std::int32_t>(kKvBlock)];
      CHECK(block < micro.num_blocks);
      CHECK(owner.emplace(block, s).first->second == s);
    }
}

TEST_CASE("packing: strict units do not depend on the limits") {
  const auto groups = random_groups(5, 6, 7);
  const auto units = [&](std::int64_t max_tokens, std::int64_t max_completions) {
    std::vector<std::pair<std::size_t, std::vector<std::size_t>>> result;
    for (const auto& sections :
         plan_micro_batches(groups, all_samples(groups), {max_tokens, max_completions, 3})) {
      REQUIRE(sections.size() == 1);
      result.emplace_back(sections[0].group, sections[0].completions);
    }
    return result;
  };
  const auto wide = units(100000, 0);
  CHECK(wide.size() == std::size_t{6} * 3);  // 7 completions: 3 + 3 + 1
  CHECK(units(95, 0) == wide);
  CHECK(units(100000, 2) == wide);
}

TEST_CASE("packing: samples that are left out leave no rows behind") {
  const auto groups = random_groups(2, 3, 4);
  const std::vector<SampleRef> some = {{0, 1}, {0, 3}, {2, 0}};
  const auto plan = plan_micro_batches(groups, some, {100000, 0, 0});
  REQUIRE(plan.size() == 1);
  const MicroBatch micro = pack(groups, plan.front());
  CHECK(micro.samples.size() == 3);
  const auto length = [&](std::size_t g, std::size_t c) {
    return groups[g].completions[c].length();
  };
  CHECK(micro.tokens() == length(0, 1) + length(0, 3) + length(2, 0));
  CHECK(plan_micro_batches(groups, {}, {100, 0, 0}).empty());
}

TEST_CASE("packing: a completion of one token adds no row") {
  std::vector<Group> groups(1);
  groups[0].prompt.ids = {5, 6, 7};
  groups[0].completions.resize(2);
  for (auto& completion : groups[0].completions)
    completion.ids = {9};
  const auto plan = plan_micro_batches(groups, all_samples(groups), {3, 0, 0});
  REQUIRE(plan.size() == 1);
  const MicroBatch micro = pack(groups, plan.front());
  CHECK(micro.rows() == 3);
  CHECK(micro.loss_rows == std::vector<Index>{2, 2});
  CHECK(micro.targets == std::vector<std::int64_t>{9, 9});
}

TEST_CASE("packing: one sequence above the limit is the user's to mend, with the number to set") {
  std::vector<Group> groups(1);
  groups[0].prompt.ids = {1, 2, 3};
  groups[0].completions.resize(1);
  groups[0].completions[0].ids = {4, 5, 6};
  CHECK_THROWS_WITH(plan_micro_batches(groups, all_samples(groups), {4, 0, 0}),
                    contains("max_tokens_per_micro_batch is 4") && contains("5 rows"));
  CHECK_THROWS_AS(plan_micro_batches(groups, all_samples(groups), {4, 0, 0}), UserError);
  CHECK(plan_micro_batches(groups, all_samples(groups), {5, 0, 0}).size() == 1);
}
