#include "trainer/optim/gradient_sum.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <vector>

#include "tests/support/catch.h"
#include "tests/trainer/comm/ranks.h"
#include "tests/trainer/optim/small_model.h"
#include "trainer/core/error.h"
#include "trainer/core/philox.h"

using namespace aha;

namespace {

using Unit = std::vector<float>;  // [total] a micro-batch's gradient

std::size_t nth(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

ParameterLayout layout_of(bool tied, Index layers = 7) {
  return make_layout(aha_test::small_model("qwen2", tied, layers));
}

/// Buckets of about two blocks.
GradientSum::Options options(int zero_stage, bool strict, std::int64_t bucket = 12000) {
  return {zero_stage, strict, bucket};
}

/// Units of very different size: sums of floats would depend on their order.
std::vector<Unit> random_units(std::size_t count, std::int64_t n) {
  std::vector<Unit> units(count, Unit(nth(n)));
  for (std::size_t u = 0; u < count; ++u)
    for (std::size_t i = 0; i < nth(n); ++i)
      units[u][i] = static_cast<float>(normal({7, Purpose::Init, 0, i, u, 0}) *
                                       std::pow(10.0, static_cast<double>(u % 7) - 5.0));
  return units;
}

void add(const Unit& unit, std::int64_t begin, std::int64_t end, float* to) {
  for (auto i = begin; i < end; ++i)
    to[i - begin] += unit[nth(i)];
}

/// Adds a unit as a backward pass does: what is after the blocks, blocks from the last, the embedding.
bool pass(GradientSum& sum, const ParameterLayout& layout, const Unit& unit) {
  const EdgeGrads edges = sum.edges();
  const auto after = layout.final_norm;
  add(unit, after, layout.total, edges.final_norm);
  check(edges.head ==
            (layout.head == layout.embed ? edges.embed : edges.final_norm + (layout.head - after)),
        "head");
  auto end = after;
  for (auto l = static_cast<Index>(layout.blocks.size()) - 1; l >= 0; --l) {
    const auto& place = layout.blocks[nth(l)];
    const BlockGrads g = sum.block(l);
    const auto here = [&](std::int64_t offset) {
      return g.input_norm + (offset - place.input_norm);
    };
    check(g.qkv == here(place.qkv) && g.o == here(place.o) && g.down == here(place.down) &&
              g.post_norm == here(place.post_norm) && g.gate_up == here(place.gate_up) &&
              g.qkv_bias == here(place.qkv_bias),
          "block");
    add(unit, place.input_norm, end, g.input_norm);
    sum.ready(l);
    end = place.input_norm;
  }
  add(unit, 0, end, edges.embed);
  return sum.end_batch();
}

/// The sum over ranks of units dealt unevenly: the last rank has none where there are several.
std::vector<float> summed(const ParameterLayout& layout, const std::vector<Unit>& units, int ranks,
                          const GradientSum::Options& how, int updates = 1) {
  std::vector<float> result(nth(layout.total));
  std::mutex mutex;
  const auto body = [&](Communicator& comm) {
    GradientSum sum(layout, cpu_ops(), {}, comm, how);
    const int busy = std::max(1, comm.size() - 1);
    std::vector<std::size_t> mine;
    std::vector<std::int64_t> counts(nth(comm.size()));
    for (std::size_t u = 0; u < units.size(); ++u) {
      const auto rank = static_cast<int>(u * 7 % 5) % busy;
      ++counts[nth(rank)];
      if (rank == comm.rank()) mine.push_back(u);
    }
    for (int update = 0; update < updates; ++update) {
      sum.begin(std::ssize(mine), *std::max_element(counts.begin(), counts.end()), update);
      for (const auto u : mine)
        check(pass(sum, layout, units[u]), "sound");
      check(sum.finish(), "sound sum");
    }
    const std::lock_guard lock(mutex);
    sum.each_part([&](const Slice& part, const float* values) {
      std::copy_n(values, part.size(), result.begin() + part.begin);
    });
  };
  if (ranks == 1) {
    Communicator alone;
    body(alone);
  } else {
    on_ranks(ranks, body);
    const auto sent = result;
    on_ranks(ranks, body, {30, 30}, Bytes::Fetched);
    if (result != sent) throw std::runtime_error("fetched parts give other bits than sent ones");
  }
  return result;
}

}  // namespace

TEST_CASE("gradient sum: is the sum over micro-batches and ranks, for every way to cut it") {
  struct Case {
    bool tied;
    Index layers;
    int ranks;
    std::int64_t bucket;
  };
  for (const Case& c : {Case{true, 7, 1, 12000},
                        {true, 7, 3, 12000},
                        {false, 7, 2, 1},
                        {false, 2, 3, 1},
                        {true, 3, 2, 1},
                        {false, 1, 2, 1 << 21}}) {
    const auto layout = layout_of(c.tied, c.layers);
    const auto units = random_units(5, layout.total);
    for (const int stage : {1, 2})
      for (const bool strict : {false, true}) {
        const auto sum = summed(layout, units, c.ranks, options(stage, strict, c.bucket));
        std::int64_t wrong = 0;
        for (std::size_t i = 0; i < sum.size(); ++i) {
          double exact = 0, size = 0;
          for (const auto& unit : units) {
            exact += unit[i];
            size += std::abs(unit[i]);
          }
          if (!(std::abs(sum[i] - exact) <= 4e-7 * size + 5 * std::ldexp(0.5, -44))) ++wrong;
        }
        INFO(c.tied << " " << c.layers << " " << c.ranks << " " << c.bucket << " " << stage
                    << strict);
        CHECK(wrong == 0);
      }
  }
}

TEST_CASE("gradient sum: strict has the same bits for any order, ranks, stage and threads") {
  const auto layout = layout_of(true);
  auto units = random_units(11, layout.total);
  const auto expected = summed(layout, units, 1, options(1, true));
  CHECK(summed(layout, units, 1, options(1, true, 1)) == expected);
  for (int round = 0; round < 3; ++round) {
    std::rotate(units.begin(), units.begin() + 4, units.end());
    std::reverse(units.begin(), units.begin() + 6);
    for (const int stage : {1, 2})
      CHECK(summed(layout, units, round + 1, options(stage, true)) == expected);
  }
  ThreadPool pool(3);
  Communicator alone;
  GradientSum sum(layout, cpu_ops(), {&pool}, alone, options(1, true));
  sum.begin(std::ssize(units), std::ssize(units));
  for (const auto& unit : units)
    REQUIRE(pass(sum, layout, unit));
  REQUIRE(sum.finish());
  CHECK(std::equal(expected.begin(), expected.end(), sum.own()));
}

TEST_CASE("gradient sum: a new update begins at 0") {
  const auto layout = layout_of(false);
  const auto units = random_units(3, layout.total);
  for (const int stage : {1, 2})
    for (const bool strict : {false, true})
      CHECK(summed(layout, units, 2, options(stage, strict), 3) ==
            summed(layout, units, 2, options(stage, strict), 1));
}

TEST_CASE("gradient sum: strict finds values that are not finite and sums that overflow") {
  const auto layout = layout_of(true);
  Communicator alone;
  const float big = std::ldexp(1.0F, 18);  // 2^18 * 2^44 = 2^62
  for (const auto place : {layout.embed, layout.blocks[3].down, layout.final_norm}) {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(), 4 * big, -4 * big}) {
      GradientSum sum(layout, cpu_ops(), {}, alone, options(1, true));
      Unit unit(nth(layout.total), 1.0F);
      unit[nth(place)] = bad;
      sum.begin(1, 1);
      CHECK_FALSE(pass(sum, layout, unit));
    }
    GradientSum sum(layout, cpu_ops(), {}, alone, options(1, true));
    Unit unit(nth(layout.total), 1.0F);
    unit[nth(place)] = big;
    sum.begin(2, 2);
    CHECK(pass(sum, layout, unit));
    CHECK_FALSE(pass(sum, layout, unit));
    CHECK(sum.finish());  // what is wrong has been said
  }
}

TEST_CASE("gradient sum: strict finds sums that only the ranks together overflow") {
  const auto layout = layout_of(true);
  for (const int stage : {1, 2}) {
    std::atomic<int> found = 0;
    on_ranks_either_way(2, [&](Communicator& comm) {
      GradientSum sum(layout, cpu_ops(), {}, comm, options(stage, true));
      Unit unit(nth(layout.total), 1.0F);
      unit[nth(layout.blocks[2].qkv)] = 300000.0F;
      sum.begin(1, 1);
      if (!pass(sum, layout, unit)) ++found;
      (void)sum.finish();
    });
    CHECK(found == 4);
  }
  // each micro-batch leaves room, all of them do not: the owner finds it
  std::atomic<int> found = 0;
  on_ranks_either_way(2, [&](Communicator& comm) {
    GradientSum sum(layout, cpu_ops(), {}, comm, options(2, true));
    Unit unit(nth(layout.total), 1.0F);
    unit[nth(layout.blocks[2].qkv)] = 200000.0F;
    sum.begin(2, 2);
    const bool sound = pass(sum, layout, unit) && pass(sum, layout, unit);
    if (sound && !sum.finish()) ++found;
    // found while a third is under way, of which it says nothing
    sum.begin(3, 3);
    const Unit small(nth(layout.total), 1.0F);
    const bool whole =
        pass(sum, layout, unit) && pass(sum, layout, unit) && pass(sum, layout, small);
    if (whole && !sum.finish()) ++found;
  });
  CHECK(found == 4);
}

TEST_CASE("gradient sum: what travels when an error ends it finds its memory") {
  const auto layout = layout_of(true, 40);  // large enough that its memory goes back to the system
  on_ranks_either_way(2, [&](Communicator& comm) {
    {
      GradientSum sum(layout, cpu_ops(), {}, comm, options(1, false, 1));
      sum.begin(1, 1);
      (void)sum.edges();
      if (comm.rank() == 1)
        while (!comm.take_post("it is gone"))
          std::this_thread::yield();
      (void)sum.block(39);
      sum.ready(39);
    }
    if (comm.leads()) comm.post("it is gone", "yes");
    comm.barrier("after");
  });
}

TEST_CASE("gradient sum: an examination tells which micro-batch is not finite, and sums nothing") {
  const auto layout = layout_of(false);
  auto units = random_units(3, layout.total);
  units[1][nth(layout.blocks[0].o)] = std::numeric_limits<float>::quiet_NaN();
  for (const int stage : {1, 2})
    on_ranks_either_way(2, [&](Communicator& comm) {
      GradientSum sum(layout, cpu_ops(), {}, comm, options(stage, false));
      sum.begin(3, 3);
      for (const auto& unit : units)
        check(pass(sum, layout, unit), "not looked at");
      check(sum.finish(), "not looked at");
      sum.begin_examination();
      for (std::size_t u = 0; u < units.size(); ++u)
        check(pass(sum, layout, units[u]) == (u != 1), "found");
    });
}

TEST_CASE("gradient sum: a rank that gives up a micro-batch does not hold up the others") {
  const auto layout = layout_of(true);
  const auto units = random_units(4, layout.total);
  for (const int stage : {1, 2})
    for (const bool strict : {false, true})
      on_ranks_either_way(3, [&](Communicator& comm) {
        GradientSum sum(layout, cpu_ops(), {}, comm, options(stage, strict));
        sum.begin(4, 4);
        // rank 1 meets a loss that is not finite before its third pass
        for (std::size_t u = 0; u < (comm.rank() == 1 ? 2U : 4U); ++u)
          check(pass(sum, layout, units[u]), "sound");
        check(sum.finish(), "sum");
      });
}

TEST_CASE("gradient sum: memory of a rank is what stage 2 divides") {
  const auto layout = layout_of(true);
  const auto bytes = [&](int stage, bool strict, int ranks) {
    return GradientSum::bytes_for(layout, options(stage, strict, 1), ranks);
  };
  CHECK(bytes(1, false, 4) == 4 * layout.total);
  CHECK(bytes(1, true, 4) == 12 * layout.total);
  CHECK(bytes(2, false, 1) == 4 * layout.total);
  const auto block = layout.blocks[2].input_norm - layout.blocks[1].input_norm;
  const auto edges = layout.total - 7 * block;
  // a quarter; the embedding with the first block, the last block with the norm, two between
  CHECK(bytes(2, false, 4) == 4 * ((layout.total + 3) / 4 + edges + 4 * block));
  CHECK(bytes(2, true, 4) == 3 * bytes(2, false, 4));
}

TEST_CASE("gradient sum: what other ranks send has room for two buckets of the own slice") {
  const auto layout = layout_of(true);
  const auto bytes = [&](bool strict, int ranks, std::int64_t bucket) {
    return GradientSum::room_bytes_for(layout, options(1, strict, bucket), ranks);
  };
  CHECK(bytes(false, 1, 1) == 0);
  std::int64_t largest = 0;
  for (const auto& slice : shards_of(layout.total, 4))
    largest = std::max(largest, slice.size());
  CHECK(bytes(false, 4, layout.total) ==
        4 * 3 * largest);  // one bucket, the other ranks' parts of a slice
  CHECK(bytes(true, 4, 1) == 2 * bytes(false, 4, 1));
  // a bucket a block: the embedding with the first block, which is the last bucket, and one more
  const auto block = layout.blocks[2].input_norm - layout.blocks[1].input_norm;
  const auto slices = shards_of(layout.total, 2);
  REQUIRE(slices[0].size() > layout.blocks[2].input_norm);
  CHECK(bytes(false, 2, 1) == 4 * (layout.blocks[1].input_norm + block));
}

TEST_CASE("gradient sum: in bf16 is near the sum, the same again, and another in another update") {
  const auto layout = layout_of(true);
  const auto units = random_units(6, layout.total);
  auto late = options(1, false);
  late.accumulate = FloatType::BF16;
  // a second micro-batch is rounded by other bits than a first
  const Unit nothing(units[0].size());
  CHECK(summed(layout, {units[0], units[1]}, 1, late) !=
        summed(layout, {units[0], nothing, units[1]}, 1, late));
  for (const int ranks : {1, 2, 3}) {
    auto how = options(1, false);
    const auto exact = summed(layout, units, ranks, how);
    how.accumulate = FloatType::BF16;
    how.seed = 3;
    const auto sum = summed(layout, units, ranks, how);
    std::int64_t far = 0;
    double error = 0;
    for (std::size_t i = 0; i < sum.size(); ++i) {
      double size = 0;
      for (const auto& unit : units)
        size += std::abs(unit[i]);
      // each of six sums is less than a step off
      if (!(std::abs(sum[i] - exact[i]) <= 6 * 0x1p-7 * size)) ++far;
      error += (sum[i] - exact[i]) / size;
    }
    CHECK(far == 0);
    CHECK(std::abs(error) / static_cast<double>(sum.size()) < 3e-4);  // rounded both ways
    CHECK(summed(layout, units, ranks, how) == sum);
    CHECK(summed(layout, units, ranks, how, 2) != sum);  // of the update after it
    ++how.seed;
    CHECK(summed(layout, units, ranks, how) != sum);
  }
  const auto deep = layout_of(true, 40);
  const auto bytes = [&](FloatType type) {
    auto how = options(1, false, 1);
    how.accumulate = type;
    return static_cast<double>(GradientSum::bytes_for(deep, how, 1));
  };
  CHECK(bytes(FloatType::BF16) < 0.7 * bytes(FloatType::F32));
}
