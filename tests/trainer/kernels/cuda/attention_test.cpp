#include <algorithm>
#include <cmath>

#include "tests/support/catch.h"
#include "tests/trainer/kernels/cuda/packed_groups.h"
#include "trainer/kernels/kv_parts.h"

using namespace aha_test;
using aha::cpu_ops;
using aha::KvStore;

namespace {

struct Results {
  Floats storage, out, lse, dqkv;
};

Results on_cpu(const Packed& b) {
  const auto& ops = cpu_ops();
  const Index M = b.rows();
  Results r{poison(b.floats()), poison(M * b.s.H * b.s.D), poison(M * b.s.H),
            poison(M * b.width())};
  Floats gradients(r.storage.size(), 0.0F);
  const KvStore kv{r.storage.data(), b.s.Hk, b.s.D};
  const KvStore dkv{gradients.data(), b.s.Hk, b.s.D};
  const aha::KvRows rows{b.positions.data(), b.pointers.data(), M};
  const auto n = static_cast<Index>(b.copies.size());
  ops.kv_write({}, b.qkv.data(), b.s.H, rows, kv);
  ops.kv_copy({}, kv, b.copies.data(), n);
  ops.attention({}, {b.qkv.data(), kv, rows, r.out.data(), r.lse.data(), b.s.H});
  ops.attention_backward(
      {}, {b.qkv.data(), r.out.data(), b.dout.data(), r.lse.data(), kv, dkv, rows,
           b.sections.data(), static_cast<Index>(b.sections.size()) - 1, r.dqkv.data(), b.s.H});
  ops.kv_fold_grad({}, dkv, b.copies.data(), n);
  ops.kv_read_grad({}, r.dqkv.data(), b.s.H, rows, dkv);
  return r;
}

/// The same numbers as bf16 has them.
Floats rounded(const Floats& values) {
  return Stored(cpu_ops(), values, aha::FloatType::BF16).f32;
}

/// How a device is asked: what the store has, and whether rows are said to stand together. Both are what tensor cores
/// want.
struct Way {
  aha::FloatType store = aha::FloatType::F32;
  bool together = false;
};
constexpr Way kTiles{aha::FloatType::BF16, true};

Results on_gpu(const aha::Ops& ops, const Packed& b, const Way& way = {}) {
  Device d(ops);
  const Index M = b.rows();
  std::vector<const std::int32_t*> pointers;
  std::vector<const std::int32_t*> of_table;
  for (const auto& table : b.tables)
    of_table.push_back(d.put(table));
  for (const auto i : b.owner)
    pointers.push_back(of_table[i]);
  auto* storage = d.put(Stored(cpu_ops(), poison(b.floats()), way.store).bits);
  float* gradient = d.put(Floats(at(b.floats()), 0.0F));
  const KvStore kv{storage, b.s.Hk, b.s.D, way.store};
  const KvStore dkv{gradient, b.s.Hk, b.s.D};
  const aha::KvRows rows{d.put(b.positions), d.put(pointers), M};
  const auto* copies = d.put(b.copies);
  const auto n = static_cast<Index>(b.copies.size());
  const auto cut = aha::cut_parts({b.positions.data(), b.pointers.data(), M});
  const float* qkv = d.put(b.qkv);
  float* out = d.put(poison(M * b.s.H * b.s.D));
  float* lse = d.put(poison(M * b.s.H));
  float* dqkv = d.put(poison(M * b.width()));
  ops.kv_write({}, qkv, b.s.H, rows, kv);
  ops.kv_copy({}, kv, copies, n);
  ops.attention({}, {qkv, kv, rows, out, lse, b.s.H, way.together});
  ops.attention_backward(
      {}, {qkv, out, d.put(b.dout), lse, kv, dkv, rows, nullptr, 0, dqkv, b.s.H, d.put(cut.parts),
           static_cast<Index>(cut.parts.size()), d.put(cut.sums), d.put(cut.ranges),
           static_cast<Index>(cut.ranges.size())});
  const Floats gradients = d.get(gradient, b.floats());  // also of where nobody stands
  CHECK(std::all_of(gradients.begin(), gradients.end(), [](float x) { return std::isfinite(x); }));
  ops.kv_fold_grad({}, dkv, copies, n);
  ops.kv_read_grad({}, dqkv, b.s.H, rows, dkv);
  Floats stored = poison(b.floats());
  if (way.store == aha::FloatType::F32)
    stored = d.get(static_cast<const float*>(kv.data), b.floats());
  else
    cpu_ops().widen({}, d.get(storage, stored.size()).data(), way.store, b.floats(), stored.data());
  return {stored, d.get(out, M * b.s.H * b.s.D), d.get(lse, M * b.s.H), d.get(dqkv, M * b.width())};
}

/// Columns [first, end) of dqkv, in heads.
Floats heads_of(const Packed& b, const Floats& dqkv, Index first, Index end) {
  Floats part;
  for (Index row = 0; row < b.rows(); ++row) {
    const auto* at = dqkv.data() + row * b.width();
    part.insert(part.end(), at + first * b.s.D, at + end * b.s.D);
  }
  return part;
}
Floats dq_of(const Packed& b, const Floats& dqkv) {
  return heads_of(b, dqkv, 0, b.s.H);
}
Floats dk_of(const Packed& b, const Floats& dqkv) {
  return heads_of(b, dqkv, b.s.H, b.s.H + b.s.Hk);
}
Floats dv_of(const Packed& b, const Floats& dqkv) {
  return heads_of(b, dqkv, b.s.H + b.s.Hk, b.s.H + 2 * b.s.Hk);
}

/// The batch with keys and values as bf16 has them.
Packed with_rounded_keys(Packed b) {
  const Floats all = rounded(b.qkv);
  for (Index row = 0; row < b.rows(); ++row)
    for (Index i = b.s.H * b.s.D; i < b.width(); ++i)
      b.qkv[at(row * b.width() + i)] = all[at(row * b.width() + i)];
  return b;
}

const std::vector<std::pair<Index, Ints>> kGroups[] = {
    {{1, {}}, {15, {}}, {16, {}}, {70, {}}}, {{5, {3, 20, 1}}, {37, {40, 2}}, {16, {1, 17}}}};

}  // namespace

TEST_CASE("gpu: attention, its gradient and the key/value blocks equal the CPU's", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(21);
  for (const auto& shape :
       {Shape{1, 1, 8}, Shape{4, 4, 18}, Shape{4, 2, 64}, Shape{3, 1, 34}, Shape{8, 2, 16},
        Shape{14, 2, 64}, Shape{8, 1, 128}, Shape{2, 2, 128}, Shape{12, 1, 96}})
    for (const auto& groups : kGroups) {
      INFO("H " << shape.H << " Hk " << shape.Hk << " D " << shape.D);
      const Packed batch(random, shape, groups);
      const Results cpu = on_cpu(batch);
      const Results other = on_gpu(*gpu, batch);
      CHECK(same_bits(other.storage, cpu.storage));
      CHECK(gap(other.out, cpu.out) < kCloseF32);
      CHECK(gap(other.lse, cpu.lse) < kCloseF32);
      CHECK(gap(other.dqkv, cpu.dqkv) < kCloseF32);
    }
}

TEST_CASE("gpu: a store in bf16 holds keys and values rounded, which attention reads exactly",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(25);
  for (const auto& shape : {Shape{1, 1, 8}, Shape{4, 4, 18}, Shape{4, 2, 66}, Shape{3, 1, 34},
                            Shape{14, 2, 32}, Shape{8, 1, 126}, Shape{12, 1, 96}})
    for (const auto& groups : kGroups) {
      INFO("H " << shape.H << " Hk " << shape.Hk << " D " << shape.D);
      const Packed batch(random, shape, groups);
      const Results other = on_gpu(*gpu, batch, {aha::FloatType::BF16});
      CHECK(same_bits(other.storage, rounded(on_cpu(batch).storage)));
      // to the bit what a store in f32 of the same numbers gives, forwards and back
      const Packed same = with_rounded_keys(batch);
      const Results exact = on_gpu(*gpu, same);
      CHECK(same_bits(other.out, exact.out));
      CHECK(same_bits(other.lse, exact.lse));
      CHECK(same_bits(other.dqkv, exact.dqkv));
      CHECK(gap(other.out, on_cpu(same).out) < kCloseF32);
      CHECK(gap(other.dqkv, on_cpu(same).dqkv) < kCloseF32);
    }
}

TEST_CASE("gpu: single rows attend in bf16 as on the CPU", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(26);
  // one to nine heads of a kv head; rows that look at one position, at a block, at more blocks than there are warps
  for (const auto& shape : {Shape{1, 1, 64}, Shape{4, 2, 64}, Shape{14, 2, 64}, Shape{9, 1, 64},
                            Shape{8, 1, 128}, Shape{2, 2, 128}, Shape{12, 2, 128}})
    for (const auto& groups : std::vector<std::vector<std::pair<Index, Ints>>>{
             {{1, {}}, {15, {}}, {16, {}}, {400, {}}},
             {{5, {3, 20, 1}}, {37, {40, 2}}, {16, {1, 17}}}}) {
      INFO("H " << shape.H << " Hk " << shape.Hk << " D " << shape.D);
      const Packed batch(random, shape, groups);
      const Results cpu = on_cpu(batch);
      const Results other = on_gpu(*gpu, batch, {aha::FloatType::BF16});
      CHECK(gap(other.out, cpu.out) < kClose16);
      CHECK(gap(other.lse, cpu.lse) < kClose16);
      // q and the softmax are rounded, and nothing else is lost
      Packed same = with_rounded_keys(batch);
      same.qkv = rounded(batch.qkv);
      CHECK(gap(other.lse, on_cpu(same).lse) < kCloseF32);
      CHECK(gap(other.dqkv, on_cpu(same).dqkv) < kClose16);
    }
}

TEST_CASE(
    "gpu: rows that stand together attend in bf16 as on the CPU, and so "
    "do gradients",
    "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(23);
  // groups of 1 to 8 heads; runs that end before, at and behind every edge of a tile; prompts and completions within a
  // block's queries and across several, sharing less than a part's blocks and more
  for (const auto& shape : {Shape{1, 1, 64}, Shape{4, 2, 64}, Shape{3, 1, 128}, Shape{7, 1, 64},
                            Shape{8, 1, 64}, Shape{4, 1, 128}, Shape{2, 2, 128}})
    for (const auto& groups :
         {std::vector<std::pair<Index, Ints>>{
              {1, {}}, {15, {}}, {16, {}}, {17, {}}, {63, {}}, {64, {}}, {65, {}}, {130, {}}},
          {{5, {3, 20, 1}}, {37, {40, 2}}, {16, {1, 17}}},
          {{70, {65, 1, 30}}, {64, {3, 64}}}}) {
      INFO("H " << shape.H << " Hk " << shape.Hk << " D " << shape.D);
      const Packed batch(random, shape, groups);
      const Results cpu = on_cpu(batch);
      const Results other = on_gpu(*gpu, batch, kTiles);
      CHECK(gap(other.out, cpu.out) < kClose16);
      CHECK(gap(other.lse, cpu.lse) < kClose16);
      CHECK(gap(other.dqkv, cpu.dqkv) < kClose16);
      // tiles served: what single rows give differs
      CHECK(!same_bits(other.out, on_gpu(*gpu, batch, {aha::FloatType::BF16}).out));
    }
}

TEST_CASE("gpu: what several parts give a block on tensor cores is added", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(26);
  for (const auto& shape : {Shape{2, 1, 64}, Shape{1, 1, 128}}) {
    INFO("H " << shape.H << " D " << shape.D);
    const Packed batch(random, shape, {{300, {}}, {20, {257, 3}}});
    const Results cpu = on_cpu(batch);
    const Results other = on_gpu(*gpu, batch, kTiles);
    CHECK(gap(other.out, cpu.out) < kClose16);
    CHECK(gap(dq_of(batch, other.dqkv), dq_of(batch, cpu.dqkv)) < kClose16);
    CHECK(gap(dk_of(batch, other.dqkv), dk_of(batch, cpu.dqkv)) < kClose16);
    CHECK(gap(dv_of(batch, other.dqkv), dv_of(batch, cpu.dqkv)) < kClose16);
    CHECK(same_bits(other.dqkv, on_gpu(*gpu, batch, kTiles).dqkv));
  }
}

TEST_CASE("gpu: attention goes back through what it rounded, whatever biases keys and values have",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  struct Biases {
    float keys, values;
  };
  Random random(24);
  // of keys as Qwen2.5 has them: scores lie far from zero, and rounding moves them by tenths; of values: what they
  // have in common must leave no derivative of the scores
  for (const auto& biases : {Biases{50, 0}, Biases{0, 5}})
    for (const auto& shape : {Shape{4, 2, 64}, Shape{2, 1, 128}}) {
      INFO("H " << shape.H << " D " << shape.D << " keys + " << biases.keys);
      Packed batch(random, shape, {{37, {40, 2}}, {70, {}}});
      const Index queries = shape.H * shape.D;
      const Index keys = shape.Hk * shape.D;
      for (Index row = 0; row < batch.rows(); ++row)
        for (Index i = 0; i < 2 * keys; ++i)
          batch.qkv[at(row * batch.width() + queries + i)] +=
              i < keys ? biases.keys : biases.values;
      const Results other = on_gpu(*gpu, batch, kTiles);
      batch.qkv = rounded(batch.qkv);
      batch.dout = rounded(batch.dout);
      const Results cpu = on_cpu(batch);
      CHECK(gap(other.out, cpu.out) < kClose16);
      CHECK(gap(other.lse, cpu.lse) < kClose16);
      CHECK(gap(dk_of(batch, other.dqkv), dk_of(batch, cpu.dqkv)) < kClose16);
      CHECK(gap(dv_of(batch, other.dqkv), dv_of(batch, cpu.dqkv)) < kClose16);
      // a sum of ds k, in which biases cancel but for ds' rounding to 2^-9
      CHECK(gap(dq_of(batch, other.dqkv), dq_of(batch, cpu.dqkv)) < kClose16 + biases.keys / 512);
    }
}

TEST_CASE("gpu: a row attends alike in a batch and alone, to the bit", "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(22);
  for (const auto store : {aha::FloatType::F32, aha::FloatType::BF16})
    for (const auto& shape : {Shape{7, 1, 64}, Shape{4, 2, 128}, Shape{3, 3, 18}}) {
      const Packed batch(random, shape, {{37, {40, 2}}, {3, {100}}});
      const Index row = shape.H * shape.D;
      const Floats whole = on_gpu(*gpu, batch, {store}).out;
      Device d(*gpu);
      const Stored storage(cpu_ops(), on_cpu(batch).storage, store);
      const KvStore kv{d.put(storage.bits), shape.Hk, shape.D, store};
      for (const Index r : {Index{0}, Index{30}, Index{60}, batch.rows() - 1}) {
        const auto* table = d.put(batch.tables[batch.owner[at(r)]]);
        const aha::KvRows rows{d.put(std::vector<std::int32_t>{batch.positions[at(r)]}),
                               d.put(std::vector<const std::int32_t*>{table}), 1};
        const float* qkv = d.put(Floats(&batch.qkv[at(r * batch.width())],
                                        &batch.qkv[at(r * batch.width())] + batch.width()));
        float* out = d.put(poison(row));
        gpu->attention({}, {qkv, kv, rows, out, nullptr, shape.H});
        CHECK(same_bits(d.get(out, row), Floats(&whole[at(r * row)], &whole[at(r * row)] + row)));
      }
    }
}
