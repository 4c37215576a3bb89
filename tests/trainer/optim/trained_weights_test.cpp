#include "trainer/optim/trained_weights.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/error_of.h"
#include "tests/trainer/comm/ranks.h"
#include "tests/trainer/optim/small_model.h"
#include "trainer/core/error.h"
#include "trainer/core/philox.h"

using namespace aha;
using aha_test::error_of;
using aha_test::small_model;

namespace {

Tensor random_values(std::int64_t n) {
  Tensor values = at::empty({n}, at::kFloat);
  for (std::int64_t i = 0; i < n; ++i)
    values.data_ptr<float>()[i] =
        static_cast<float>(normal({3, Purpose::Init, 0, static_cast<std::uint64_t>(i), 0, 0}));
  return values;
}

Tensor slice_of(const Tensor& all, const Communicator& comm) {
  const Slice own = shards_of(all.numel(), comm.size())[static_cast<std::size_t>(comm.rank())];
  return all.slice(0, own.begin, own.end).clone();
}

using Floats = std::vector<float>;

void append(Floats& to, const Weight& w, Index n) {
  const auto at = to.size();
  to.resize(at + static_cast<std::size_t>(n));
  if (w.type == FloatType::F32)
    std::memcpy(to.data() + at, w.rows, static_cast<std::size_t>(4 * n));
  else
    cpu_ops().widen({}, w.rows, w.type, n, to.data() + at);
}

void append(Floats& to, const float* from, Index n) {
  if (from != nullptr) to.insert(to.end(), from, from + n);
}

/// All that a decoder reads of a block.
Floats read(const ModelConfig& c, const BlockWeights& w) {
  const Index C = c.hidden_size, HD = 32, Q = 64, F = c.intermediate_size;
  Floats all;
  append(all, w.input_norm, C);
  append(all, w.qkv, Q * C);
  append(all, w.o, C * HD);
  append(all, w.post_norm, C);
  append(all, w.gate_up, 2 * F * C);
  append(all, w.down, C * F);
  append(all, w.qkv_bias, Q);
  append(all, w.qk_norm, 2 * c.head_dim);
  return all;
}

Floats read(const ModelConfig& c, const EdgeWeights& w) {
  Floats all;
  append(all, w.embed, c.vocab_size * c.hidden_size);
  append(all, w.final_norm, c.hidden_size);
  append(all, w.head, c.vocab_size * c.hidden_size);
  return all;
}

/// A pass in one direction: what is read of the edges and of each block, in the order of layers.
std::vector<Floats> pass(const ModelConfig& c, ParameterProvider& weights, bool back = false) {
  std::vector<Floats> all{read(c, weights.edges())};
  for (Index i = 0; i < c.num_hidden_layers; ++i) {
    const Index layer = back ? c.num_hidden_layers - 1 - i : i;
    all.push_back(read(c, weights.gather(layer)));
    weights.release(layer);
  }
  if (back) std::reverse(all.begin() + 1, all.end());
  return all;
}

struct Model {
  Model(const ModelConfig& shape, FloatType type)
      : config(shape),
        layout(make_layout(shape)),
        values(random_values(layout.total)),
        storage(type) {
    ResidentWeights whole(config, layout, cpu_ops(), values.clone(), storage);
    whole.publish({});
    expected = pass(config, whole);
  }

  ModelConfig config;
  ParameterLayout layout;
  Tensor values;
  FloatType storage;
  std::vector<Floats> expected;  ///< of one rank's weights
};

/// Whether a rank reads what one rank would, in every way.
bool reads_the_same(const Model& m, bool by_block, Communicator& comm) {
  TrainedWeights weights(m.config, m.layout, cpu_ops(), {}, slice_of(m.values, comm),
                         {m.storage, by_block, true}, &comm);
  weights.publish();
  weights.settle();
  bool same = weights.side_by_side() != by_block;
  same = pass(m.config, weights) == m.expected && same;
  same = pass(m.config, weights, true) == m.expected && same;
  weights.begin_rollout();
  same = weights.side_by_side() && pass(m.config, weights) == m.expected && same;
  weights.end_rollout();
  same = pass(m.config, weights, true) == m.expected && same;
  const Tensor all = weights.whole();
  if (auto* rounded = weights.own_rounded(); rounded != nullptr) {  // by whoever moved the values
    const Slice own = weights.own();
    std::fill_n(rounded, own.size(), std::uint16_t{0xffff});
    (void)cpu_ops().narrow({}, weights.data(), own.size(), m.storage, rounded);
    weights.publish(true);
    weights.settle();
    same = pass(m.config, weights) == m.expected && same;
  }
  return (comm.rank() > 0 || all.equal(m.values)) && same;
}

}  // namespace

TEST_CASE("trained weights: what is read has the bits of one rank's, however they are divided") {
  std::vector<Model> models;
  for (const char* family : {"qwen2", "qwen3"})
    for (const Index layers : {1, 2, 5})
      for (const auto storage : {FloatType::F32, FloatType::BF16, FloatType::F16})
        models.emplace_back(small_model(family, layers != 2, layers), storage);
  for (const int ranks : {2, 3}) {
    std::vector<std::atomic<int>> equal(2 * models.size());
    on_ranks_either_way(ranks, [&](Communicator& comm) {
      for (std::size_t i = 0; i < equal.size(); ++i)
        if (reads_the_same(models[i / 2], i % 2 == 1, comm)) ++equal[i];
    });
    for (std::size_t i = 0; i < equal.size(); ++i) {
      const Model& m = models[i / 2];
      INFO(m.config.model_type << ", " << m.config.num_hidden_layers << " layers, storage "
                               << static_cast<int>(m.storage) << ", by block " << i % 2 << ", "
                               << ranks << " ranks");
      CHECK(equal[i] == 2 * ranks);
    }
  }
}

TEST_CASE("trained weights: in a rollout block by block, ranks make as many passes as they like") {
  const ModelConfig config = small_model("qwen2", true, 3);
  const ParameterLayout layout = make_layout(config);
  const Tensor values = random_values(layout.total);
  ResidentWeights whole(config, layout, cpu_ops(), values.clone());
  whole.publish({});
  const auto expected = pass(config, whole);
  std::atomic<int> passes = 0;
  on_ranks_either_way(3, [&](Communicator& comm) {
    TrainedWeights weights(config, layout, cpu_ops(), {}, slice_of(values, comm),
                           {FloatType::F32, true, false}, &comm);
    weights.publish();
    for (int rollout = 0; rollout < 2; ++rollout) {
      weights.begin_rollout();
      for (int i = 0; i < 2 * ((comm.rank() + rollout) % 3); ++i)
        if (pass(config, weights) == expected) ++passes;
      weights.end_rollout();
      if (comm.any(comm.rank() == 1, "after")) ++passes;
    }
  });
  CHECK(passes == 2 * (2 * (0 + 2 + 4) + 2 * 3));
}

TEST_CASE("trained weights: a rollout reads what was published, whatever moved since") {
  const Model m(small_model("qwen2", true, 3), FloatType::BF16);
  std::atomic<int> equal = 0;
  on_ranks_either_way(3, [&](Communicator& comm) {
    TrainedWeights weights(m.config, m.layout, cpu_ops(), {}, slice_of(m.values, comm),
                           {m.storage, true, true}, &comm);
    weights.publish();
    weights.settle();
    std::fill_n(weights.data(), weights.own().size(), 7.0F);
    weights.begin_rollout();
    if (pass(m.config, weights) == m.expected) ++equal;
    weights.end_rollout();
    comm.barrier("passed");
  });
  CHECK(equal == 6);
}

TEST_CASE("trained weights: they travel until they are waited for, and none is used before") {
  const ModelConfig config = small_model("qwen2", true, 3);
  const ParameterLayout layout = make_layout(config);
  const Tensor start = random_values(layout.total);
  const Tensor moved = start.clone();
  for (std::int64_t i = 0; i < layout.total; ++i)
    moved.data_ptr<float>()[i] *= 2;
  std::atomic<int> right = 0;
  on_ranks_either_way(2, [&](Communicator& comm) {
    TrainedWeights weights(config, layout, cpu_ops(), {}, slice_of(start, comm), {}, &comm);
    weights.publish();
    std::string refusal;
    try {
      weights.edges();
    } catch (const InternalError& error) {
      refusal = error.what();
    }
    weights.assign(slice_of(moved, comm));  // waits first
    weights.publish();
    comm.barrier("something_else");  // travels beside it
    weights.settle();
    Floats embed;
    append(embed, weights.edges().embed, config.vocab_size * config.hidden_size);
    if (refusal.find("before they are used") != std::string::npos &&
        std::equal(embed.begin(), embed.end(), moved.const_data_ptr<float>()))
      ++right;
  });
  CHECK(right == 4);
}

TEST_CASE("trained weights: one that its storage does not hold is named by the rank that has it") {
  const ModelConfig config = small_model("qwen2", true, 1);
  const ParameterLayout layout = make_layout(config);
  Tensor values = random_values(layout.total);
  values.data_ptr<float>()[layout.final_norm] = 1e6F;
  std::atomic<int> named = 0;
  on_ranks(2, [&](Communicator& comm) {
    TrainedWeights weights(config, layout, cpu_ops(), {}, slice_of(values, comm),
                           {FloatType::F16, true, true}, &comm);
    const auto error = comm.rank() == 1 ? error_of([&] { weights.publish(); }) : "";
    if (error.find("model.norm.weight holds 1") != std::string::npos) ++named;
  });
  CHECK(named == 1);
}
