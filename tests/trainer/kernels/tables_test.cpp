#include <numeric>

#include "tests/support/catch.h"
#include "tests/trainer/kernels/support.h"

using namespace aha_test;
using aha::Exec;
using aha::Index;
using aha::KvStore;
using aha::Ops;

namespace {

struct Sizes {
  Index M, C, H, Hk, D, F, V;
};

/// Bits of every result of a chain through the whole table.
Floats products(const Ops& ops, const Exec& exec, const Sizes& s, unsigned seed) {
  Random random(seed);
  const Floats x = random.normal(s.M * s.C);
  const Floats w = random.normal(s.F * s.C);
  Floats w_packed = poison(aha::packed_size(s.F, s.C));
  Floats y = poison(s.M * s.F);
  Floats unpacked = poison(s.M * s.F);
  Floats dx = poison(s.M * s.C);
  Floats dw(at(s.F * s.C), 0.0F);
  ops.pack_linear(exec, {w.data()}, s.F, s.C, w_packed.data());
  ops.linear(exec, {x.data(), s.C, {w.data(), w_packed.data()}, y.data(), s.F, s.M, s.F, s.C});
  ops.linear(exec, {x.data(), s.C, {w.data()}, unpacked.data(), s.F, s.M, s.F, s.C});
  ops.linear_dx(exec, {y.data(), s.F, {w.data()}, dx.data(), s.C, s.M, s.F, s.C});
  ops.linear_dw(exec, {y.data(), s.F, x.data(), s.C, dw.data(), s.M, s.F, s.C});
  const Floats once = dw;
  ops.linear_backward(exec, {y.data(), s.F, {w.data()}, dx.data(), s.C, s.M, s.F, s.C},
                      {y.data(), s.F, x.data(), s.C, dw.data(), s.M, s.F, s.C});
  Floats all = w_packed;
  append(all, y);
  append(all, unpacked);
  append(all, dx);
  append(all, once);
  append(all, dw);
  return all;
}

Floats row_operations(const Ops& ops, const Exec& exec, const Sizes& s, unsigned seed) {
  Random random(seed);
  const Floats x = random.normal(s.M * s.C);
  const Floats w = random.normal(s.C);
  const Floats dy = random.normal(s.M * s.C);
  const Floats gate_up = random.normal(s.M * 2 * s.F, 4.0F);
  const Floats dgated = random.normal(s.M * s.F);
  const Ints ids = random.ids(s.M, s.V);
  Floats y = poison(s.M * s.C);
  Floats inv = poison(s.M);
  Floats dx(x.size(), 1.0F);
  Floats dw(at(s.C), 0.0F);
  Floats gated = poison(s.M * s.F);
  Floats dgate_up = poison(s.M * 2 * s.F);
  Floats embedded = poison(s.M * s.C);
  Floats dtable(at(s.V * s.C), 0.0F);
  ops.rms_norm(exec, {x.data(), w.data(), y.data(), inv.data(), s.M, s.C, 1e-6F});
  ops.rms_norm_backward(
      exec, {dy.data(), x.data(), w.data(), inv.data(), dx.data(), dw.data(), s.M, s.C});
  ops.swiglu(exec, {gate_up.data(), gated.data(), s.M, s.F});
  ops.swiglu_backward(exec, {gate_up.data(), dgated.data(), dgate_up.data(), s.M, s.F});
  const Index width = (s.H + 2 * s.Hk) * s.D;
  Floats qkv = random.normal(s.M * width);
  const Floats head_w = random.normal(2 * s.D + width);
  Floats raw = poison(s.M * (s.H + s.Hk) * s.D);
  Floats inv_heads = poison(s.M * (s.H + s.Hk));
  Floats dhead(at(2 * s.D), 0.0F);
  Floats dbias(at(width), 0.0F);
  ops.add_bias(exec, head_w.data(), s.M, width, qkv.data());
  ops.head_norm(
      exec, {qkv.data(), head_w.data(), raw.data(), inv_heads.data(), s.M, s.H, s.Hk, s.D, 1e-6F});
  Floats dqkv = qkv;
  ops.head_norm_backward(exec, {dqkv.data(), raw.data(), head_w.data(), inv_heads.data(),
                                dhead.data(), s.M, s.H, s.Hk, s.D});
  ops.add_bias_backward(exec, dqkv.data(), s.M, width, dbias.data());
  const Floats table = random.normal(s.V * s.C);
  ops.embed(exec, {table.data()}, ids.data(), s.M, s.C, embedded.data());
  ops.embed_backward(exec, dy.data(), ids.data(), s.M, s.C, dtable.data());
  Floats all;
  for (const auto* part : {&y, &inv, &dx, &dw, &gated, &dgate_up, &embedded, &dtable, &qkv, &raw,
                           &inv_heads, &dqkv, &dhead, &dbias})
    append(all, *part);
  return all;
}

Floats attention(const Ops& ops, const Exec& exec, const Sizes& s, unsigned seed) {
  Random random(seed);
  const Index width = (s.H + 2 * s.Hk) * s.D;
  const Index half = s.D / 2;
  Floats qkv = random.normal(s.M * width);
  const Floats dout = random.normal(s.M * s.H * s.D);
  const Floats cos = random.normal(s.M * half);
  const Floats sin = random.normal(s.M * half);
  // sequences of 1, 2, 3, ... rows, each a section
  std::vector<std::int32_t> positions;
  std::vector<Index> sections{0};
  std::vector<std::vector<std::int32_t>> table_of;
  std::vector<std::size_t> owner;
  std::int32_t next = 0;
  for (Index length = 1; static_cast<Index>(positions.size()) < s.M; length += 7) {
    const Index n = std::min(length, s.M - static_cast<Index>(positions.size()));
    table_of.emplace_back();
    for (Index b = 0; b * 16 < n; ++b)
      table_of.back().push_back(next++);
    for (Index p = 0; p < n; ++p) {
      positions.push_back(static_cast<std::int32_t>(p));
      owner.push_back(table_of.size() - 1);
    }
    sections.push_back(static_cast<Index>(positions.size()));
  }
  std::vector<const std::int32_t*> pointers;
  for (const auto o : owner)
    pointers.push_back(table_of[o].data());
  const aha::KvRows rows{positions.data(), pointers.data(), s.M};
  Floats storage(at((next + 1) * KvStore{nullptr, s.Hk, s.D}.block_size()), 0.0F);
  Floats dstorage(storage.size(), 0.0F);
  const KvStore kv{storage.data(), s.Hk, s.D};
  const KvStore dkv{dstorage.data(), s.Hk, s.D};
  Floats out = poison(s.M * s.H * s.D);
  Floats lse = poison(s.M * s.H);
  Floats dqkv = poison(s.M * width);
  const aha::KvCopy copy{0, next, 1};
  ops.rope(exec, {qkv.data(), positions.data(), cos.data(), sin.data(), s.M, s.H, s.Hk, s.D});
  ops.kv_write(exec, qkv.data(), s.H, rows, kv);
  ops.kv_copy(exec, kv, &copy, 1);
  ops.attention(exec, {qkv.data(), kv, rows, out.data(), lse.data(), s.H});
  ops.attention_backward(
      exec, {qkv.data(), out.data(), dout.data(), lse.data(), kv, dkv, rows, sections.data(),
             static_cast<Index>(sections.size()) - 1, dqkv.data(), s.H});
  ops.kv_fold_grad(exec, dkv, &copy, 1);
  ops.kv_read_grad(exec, dqkv.data(), s.H, rows, dkv);
  Floats all = qkv;
  for (const auto* part : {&storage, &dstorage, &out, &lse, &dqkv})
    append(all, *part);
  return all;
}

Floats head(const Ops& ops, const Exec& exec, const Sizes& s, unsigned seed) {
  Random random(seed);
  const Floats h = random.normal(s.M * s.C);
  const Floats w = random.normal(s.V * s.C, 0.3F);
  const Floats d_logprob = random.normal(s.M);
  const Floats d_entropy = random.normal(s.M);
  const Ints targets = random.ids(s.M, s.V);
  std::vector<double> uniforms;
  for (Index r = 0; r < s.M; ++r)
    uniforms.push_back(random.uniform());
  Floats w_packed = poison(aha::packed_size(s.V, s.C));
  ops.pack_linear(exec, {w.data()}, s.V, s.C, w_packed.data());
  Floats logprobs = poison(s.M);
  Floats entropies = poison(s.M);
  Floats dh = poison(s.M * s.C);
  Floats dw(w.size(), 0.0F);
  ops.head_logprob(exec, {h.data(),
                          {w.data()},
                          targets.data(),
                          logprobs.data(),
                          entropies.data(),
                          s.M,
                          s.C,
                          s.V,
                          0.9F});
  ops.head_logprob_backward(exec, {h.data(),
                                   {w.data(), w_packed.data()},
                                   targets.data(),
                                   d_logprob.data(),
                                   d_entropy.data(),
                                   dh.data(),
                                   dw.data(),
                                   s.M,
                                   s.C,
                                   s.V,
                                   0.9F});
  Floats all;
  for (const auto* part : {&logprobs, &entropies, &dh, &dw})
    append(all, *part);
  for (const bool truncated : {false, true}) {
    aha::HeadSample task{h.data(),
                         {w.data(), truncated ? nullptr : w_packed.data()},
                         uniforms.data(),
                         nullptr,
                         logprobs.data(),
                         entropies.data(),
                         s.M,
                         s.C,
                         s.V,
                         0.9F};
    Ints ids(at(s.M));
    task.ids = ids.data();
    task.top_k = truncated ? 9 : 0;
    task.top_p = truncated ? 0.8F : 1.0F;
    task.min_p = truncated ? 0.05F : 0.0F;
    ops.head_sample(exec, task);
    for (const auto id : ids)
      all.push_back(static_cast<float>(id));
    append(all, logprobs);
    append(all, entropies);
  }
  return all;
}

Floats optimizer(const Ops& ops, const Exec& exec, const Sizes& s, unsigned seed) {
  Random random(seed);
  const Index n = s.M * s.F + 3;
  Floats p = random.normal(n);
  const Floats g = random.normal(n);
  Floats m = random.normal(n, 0.1F);
  Floats v(at(n), 0.01F);
  ops.adamw(exec,
            {p.data(), g.data(), m.data(), v.data(), n, 5, 1e-3F, 0.9F, 0.99F, 1e-8F, 0.1F, 0.7F});
  std::vector<std::int64_t> acc(at(n), 0);
  CHECK(ops.add_fixed(exec, acc.data(), g.data(), n));
  Floats back = poison(n);
  ops.from_fixed(exec, acc.data(), back.data(), n);
  Floats all = p;
  append(all, m);
  append(all, v);
  append(all, back);
  const double squares = aha::sum_squares(ops, exec, g.data(), n);
  Floats bits(2);
  std::memcpy(bits.data(), &squares, 8);
  append(all, bits);
  return all;
}

}  // namespace

TEST_CASE("tables: every operation gives the same bits in every body and with 1, 2 and 3 threads") {
  const std::vector<Sizes> sizes{{37, 23, 4, 2, 18, 45, 110},
                                 {160, 72, 3, 3, 24, 100, 300},
                                 {5, 130, 7, 1, 128, 9, 17},
                                 {90, 64, 4, 4, 16, 172, 64}};
  aha::ThreadPool two(2);
  aha::ThreadPool three(3);
  const Ops& oracle = *aha::cpu_ops("portable");
  unsigned seed = 50;
  for (const auto& s : sizes)
    for (const auto part : {products, row_operations, attention, head, optimizer}) {
      ++seed;
      const Floats expected = part(oracle, {}, s, seed);
      for (const auto* ops : tables())
        for (auto* pool : {static_cast<aha::ThreadPool*>(nullptr), &two, &three}) {
          INFO(ops->name << " threads " << Exec{pool}.threads() << " case " << seed);
          CHECK(same_bits(part(*ops, Exec{pool}, s, seed), expected));
        }
    }
}

TEST_CASE("tables: large products give the same bits with 1, 2 and 3 threads") {
  aha::ThreadPool two(2);
  aha::ThreadPool three(3);
  const Sizes s{700, 96, 3, 3, 32, 256, 110};
  for (const auto* ops : tables()) {
    if (std::string(ops->name) == "portable") continue;
    const Floats expected = products(*ops, {}, s, 9);
    CHECK(same_bits(products(*ops, Exec{&two}, s, 9), expected));
    CHECK(same_bits(products(*ops, Exec{&three}, s, 9), expected));
  }
}
