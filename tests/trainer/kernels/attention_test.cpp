#include <numeric>

#include "tests/support/catch.h"
#include "tests/trainer/kernels/reference.h"

using namespace aha_test;
using aha::Index;
using aha::KvStore;

namespace {

struct Shape {
  Index H, Hk, D;

  Index width() const { return (H + 2 * Hk) * D; }
};

/// A sequence's rows and where its positions lie, with poison wherever nothing was written.
struct Sequence {
  Sequence(Random& random, const Shape& shape, Index length)
      : s(shape), T(length), qkv(random.normal(T * s.width())), dout(random.normal(T * s.H * s.D)) {
    const Index blocks = (T + 15) / 16;
    for (Index b = 0; b < blocks; ++b)
      table.push_back(static_cast<std::int32_t>(2 * (blocks - 1 - b) + 1));
    positions.resize(at(T));
    std::iota(positions.begin(), positions.end(), 0);
    tables.assign(at(T), table.data());
    storage = poison(2 * blocks * KvStore{nullptr, s.Hk, s.D}.block_size());
  }

  KvStore kv() { return {storage.data(), s.Hk, s.D}; }
  aha::KvRows rows(Index first = 0, Index count = 0) const {
    return {&positions[at(first)], &tables[at(first)], count == 0 ? T - first : count};
  }
  /// Columns [from, from + n) of every row.
  Floats part(Index from, Index n) const {
    Floats out;
    for (Index r = 0; r < T; ++r)
      out.insert(out.end(), &qkv[at(r * s.width() + from)], &qkv[at(r * s.width() + from)] + n);
    return out;
  }
  reference::Attended expected() const {
    return reference::attention({part(0, s.H * s.D), part(s.H * s.D, s.Hk * s.D),
                                 part((s.H + s.Hk) * s.D, s.Hk * s.D), dout, T, T, s.H, s.Hk, s.D});
  }

  Shape s;
  Index T;
  Floats qkv, dout;
  std::vector<std::int32_t> table, positions;
  std::vector<const std::int32_t*> tables;
  Floats storage;
};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all{{1, 1, 8},  {4, 4, 18}, {3, 3, 24},  {4, 2, 16}, {2, 1, 32},
                                      {7, 1, 64}, {14, 2, 8}, {2, 2, 128}, {9, 3, 34}, {2, 2, 2}};
  return all;
}

Floats split(const Floats& rows, Index width, Index from, Index n) {
  Floats out;
  for (std::size_t r = 0; r * at(width) < rows.size(); ++r)
    out.insert(out.end(), &rows[r * at(width) + at(from)], &rows[r * at(width) + at(from)] + n);
  return out;
}

}  // namespace

TEST_CASE("attention: forward and backward equal ATen autograd; what was not written is not read") {
  Random random(21);
  for (const auto& shape : shapes())
    for (const Index T : {1, 15, 16, 17, 33, 70}) {
      Sequence q(random, shape, T);
      const auto expected = q.expected();
      const Index H = shape.H;
      const Index D = shape.D;
      for (const auto* ops : tables()) {
        INFO(ops->name << " H " << H << " Hk " << shape.Hk << " D " << D << " T " << T);
        q.storage = poison(static_cast<Index>(q.storage.size()));
        Floats out = poison(T * H * D);
        Floats lse = poison(T * H);
        ops->kv_write({}, q.qkv.data(), H, q.rows(), q.kv());
        ops->attention({}, {q.qkv.data(), q.kv(), q.rows(), out.data(), lse.data(), H});
        CHECK(gap(out, expected.out) < kTolerance);
        CHECK(gap(lse, expected.lse) < kTolerance);

        Floats dstorage(q.storage.size(), 0.0F);
        const KvStore dkv{dstorage.data(), shape.Hk, D};
        Floats dqkv = poison(T * shape.width());
        const std::vector<Index> sections{0, T};
        ops->attention_backward({}, {q.qkv.data(), out.data(), q.dout.data(), lse.data(), q.kv(),
                                     dkv, q.rows(), sections.data(), 1, dqkv.data(), H});
        ops->kv_read_grad({}, dqkv.data(), H, q.rows(), dkv);
        // of one position the softmax is 1 whatever the score: dq and dk are 0, compared to a floor
        CHECK(gap(split(dqkv, shape.width(), 0, H * D), expected.dq, 1.0) < kTolerance);
        CHECK(gap(split(dqkv, shape.width(), H * D, shape.Hk * D), expected.dk, 1.0) < kTolerance);
        CHECK(gap(split(dqkv, shape.width(), (H + shape.Hk) * D, shape.Hk * D), expected.dv) <
              kTolerance);
      }
    }
}

TEST_CASE("attention: a row decoded alone has the bits that it has in a prefill") {
  Random random(22);
  for (const auto& shape : shapes()) {
    const Index T = 50;
    const Index row = shape.H * shape.D;
    Sequence q(random, shape, T);
    for (const auto* ops : tables()) {
      INFO(ops->name << " H " << shape.H << " Hk " << shape.Hk << " D " << shape.D);
      q.storage = poison(static_cast<Index>(q.storage.size()));
      Floats all = poison(T * row);
      ops->kv_write({}, q.qkv.data(), shape.H, q.rows(), q.kv());
      ops->attention({}, {q.qkv.data(), q.kv(), q.rows(), all.data(), nullptr, shape.H});
      q.storage = poison(static_cast<Index>(q.storage.size()));
      Floats single = poison(T * row);
      for (Index r = 0; r < T; ++r) {
        const float* qkv = &q.qkv[at(r * shape.width())];
        ops->kv_write({}, qkv, shape.H, q.rows(r, 1), q.kv());
        ops->attention({}, {qkv, q.kv(), q.rows(r, 1), &single[at(r * row)], nullptr, shape.H});
      }
      CHECK(same_bits(single, all));
    }
  }
}

TEST_CASE(
    "attention: completions that share a prompt equal whole sequences, forward and backward") {
  Random random(23);
  for (const auto& shape : {Shape{4, 2, 18}, Shape{3, 3, 32}})
    for (const Index P : {5, 16, 37}) {
      const Index width = shape.width();
      const Index row = shape.H * shape.D;
      const std::vector<Index> lengths{3, 20, 1};
      // rows: prompt, then each completion; whole[i] = prompt + completion i by itself
      Sequence prompt(random, shape, P);
      std::vector<Sequence> whole;
      const Index blocks = (P + 15) / 16;
      Floats qkv = prompt.qkv;
      Floats dout = prompt.dout;
      std::vector<std::int32_t> positions = prompt.positions;
      std::vector<std::vector<std::int32_t>> block_tables{{}};
      std::vector<aha::KvCopy> copies;
      std::int32_t next = 0;
      for (Index b = 0; b < blocks; ++b)
        block_tables[0].push_back(next++);
      for (const Index length : lengths) {
        Sequence s(random, shape, P + length);
        std::copy(prompt.qkv.begin(), prompt.qkv.end(), s.qkv.begin());
        qkv.insert(qkv.end(), s.qkv.begin() + P * width, s.qkv.end());
        dout.insert(dout.end(), s.dout.begin() + P * row, s.dout.end());
        positions.insert(positions.end(), s.positions.begin() + P, s.positions.end());
        std::vector<std::int32_t> table(block_tables[0].begin(), block_tables[0].begin() + P / 16);
        if (P % 16 > 0)
          copies.push_back({block_tables[0].back(), next, static_cast<std::int32_t>(P % 16)});
        while (static_cast<Index>(table.size()) * 16 < P + length)
          table.push_back(next++);
        block_tables.push_back(table);
        // the prompt's own derivative counts once, in the prompt's rows
        std::fill(s.dout.begin(), s.dout.begin() + P * row, 0.0F);
        whole.push_back(std::move(s));
      }
      std::vector<const std::int32_t*> table_of(at(P), block_tables[0].data());
      for (std::size_t i = 0; i < lengths.size(); ++i)
        table_of.insert(table_of.end(), at(lengths[i]), block_tables[i + 1].data());
      const auto M = static_cast<Index>(positions.size());
      const aha::KvRows rows{positions.data(), table_of.data(), M};

      std::vector<double> out_expected = prompt.expected().out;
      std::vector<double> dk_expected = prompt.expected().dk;
      const auto kv_row = shape.Hk * shape.D;
      for (const auto& s : whole) {
        const auto e = s.expected();
        out_expected.insert(out_expected.end(), e.out.begin() + P * row, e.out.end());
        for (Index i = 0; i < P * kv_row; ++i)
          dk_expected[at(i)] += e.dk[at(i)];
        dk_expected.insert(dk_expected.end(), e.dk.begin() + P * kv_row, e.dk.end());
      }
      for (const auto* ops : tables()) {
        INFO(ops->name << " D " << shape.D << " P " << P);
        Floats storage = poison(next * KvStore{nullptr, shape.Hk, shape.D}.block_size());
        const KvStore kv{storage.data(), shape.Hk, shape.D};
        const auto n = static_cast<Index>(copies.size());
        Floats out = poison(M * row);
        Floats lse = poison(M * shape.H);
        ops->kv_write({}, qkv.data(), shape.H, rows, kv);
        ops->kv_copy({}, kv, copies.data(), n);
        ops->attention({}, {qkv.data(), kv, rows, out.data(), lse.data(), shape.H});
        CHECK(gap(out, out_expected) < kTolerance);
        Floats dstorage(storage.size(), 0.0F);
        const KvStore dkv{dstorage.data(), shape.Hk, shape.D};
        Floats dqkv = poison(M * width);
        const std::vector<Index> sections{0, M};
        ops->attention_backward({}, {qkv.data(), out.data(), dout.data(), lse.data(), kv, dkv, rows,
                                     sections.data(), 1, dqkv.data(), shape.H});
        ops->kv_fold_grad({}, dkv, copies.data(), n);
        ops->kv_read_grad({}, dqkv.data(), shape.H, rows, dkv);
        CHECK(gap(split(dqkv, width, row, kv_row), dk_expected) < kTolerance);
      }
    }
}
