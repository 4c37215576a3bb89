// Weights of 16 bits. What a number is rounded to is compared with torch's conversions; every operation on a
// stored weight with the same operation on the same numbers as f32.
#include <bit>
#include <tuple>
#include <utility>

#include "tests/support/catch.h"
#include "tests/trainer/kernels/reference.h"

using namespace aha_test;
using aha::Exec;
using aha::FloatType;
using aha::Index;
using aha::Ops;
using aha::Weight;
using Words = std::vector<std::uint16_t>;

namespace {

constexpr FloatType kSmall[] = {FloatType::BF16, FloatType::F16};

/// A weight in 16 bits and what it is as f32.
struct Stored {
  Stored(const Ops& ops, const Floats& values, FloatType of) : type(of), words(values.size()) {
    const auto n = static_cast<Index>(values.size());
    wide = poison(n);
    CHECK(ops.narrow({}, values.data(), n, type, words.data()));
    ops.widen({}, words.data(), type, n, wide.data());
  }
  Weight small() const { return {words.data(), nullptr, type}; }
  Weight large() const { return {wide.data()}; }

  FloatType type;
  Words words;
  Floats wide;
};

/// The bits of everything that reads a weight [N, K], for M rows.
Floats results(const Ops& ops, const Exec& exec, const Weight& w, Index M, Index N, Index K) {
  Random random(7);
  const Floats x = random.normal(M * K);
  const Floats dy = random.normal(M * N);
  const Floats d = random.normal(M);
  const Ints ids = random.ids(M, N);
  Floats packed = poison(aha::packed_size(N, K));
  Floats y = poison(M * N);
  Floats added(at(M * N), 0.5F);
  Floats dx = poison(M * K);
  Floats embedded = poison(M * K);
  Floats logprobs = poison(M);
  Floats entropies = poison(M);
  Floats dh = poison(M * K);
  Floats dw(at(N * K), 0.0F);
  ops.pack_linear(exec, w, N, K, packed.data());
  ops.linear(exec, {x.data(), K, w, y.data(), N, M, N, K});
  ops.linear(exec, {x.data(), K, w, added.data(), N, M, N, K, true});
  ops.linear_dx(exec, {dy.data(), N, w, dx.data(), K, M, N, K});
  ops.embed(exec, w, ids.data(), M, K, embedded.data());
  ops.head_logprob(exec,
                   {x.data(), w, ids.data(), logprobs.data(), entropies.data(), M, K, N, 0.9F});
  ops.head_logprob_backward(
      exec, {x.data(), w, ids.data(), d.data(), nullptr, dh.data(), dw.data(), M, K, N, 0.9F});
  Floats all = packed;
  for (const auto* part : {&y, &added, &dx, &embedded, &logprobs, &entropies, &dh, &dw})
    append(all, *part);
  return all;
}

}  // namespace

TEST_CASE("storage: numbers are rounded to 16 bits as torch rounds them, and none is lost") {
  Random random(60);
  Floats values;
  for (const float scale : {1e-9F, 1e-6F, 3e-5F, 0.02F, 1.0F, 3000.0F})
    append(values, random.normal(500, scale));
  // ties, subnormals of both types, the largest that do not become infinite, both zeros
  for (const float x : {1.00390625F, 1.01171875F, 1.00048828125F, 1.00146484375F, 5.9604645e-8F,
                        2.9802322e-8F, 8.940697e-8F, 6.1e-5F, 65519.0F, 0.0F, -0.0F})
    values.push_back(x);
  const auto n = static_cast<Index>(values.size());
  for (const auto* ops : tables())
    for (const auto type : kSmall) {
      Words words(values.size());
      REQUIRE(ops->narrow({}, values.data(), n, type, words.data()));
      bool same = true;
      for (std::size_t i = 0; i < values.size(); ++i)
        same = same && words[i] == reference::rounded(values[i], type);
      INFO(ops->name << " " << aha::bytes_of(type));
      CHECK(same);
    }
}

TEST_CASE("storage: every number of 16 bits is widened exactly and comes back") {
  Words all;
  for (std::uint32_t word = 0; word < 0x10000; ++word)
    all.push_back(static_cast<std::uint16_t>(word));
  for (const auto type : kSmall) {
    Words finite;
    for (const auto word : all)
      if (std::isfinite(reference::widened(word, type))) finite.push_back(word);
    const auto n = static_cast<Index>(finite.size());
    for (const auto* ops : tables()) {
      Floats wide = poison(n);
      ops->widen({}, finite.data(), type, n, wide.data());
      bool same = true;
      for (std::size_t i = 0; i < finite.size(); ++i) {
        const float expected = reference::widened(finite[i], type);
        same =
            same && std::bit_cast<std::uint32_t>(wide[i]) == std::bit_cast<std::uint32_t>(expected);
      }
      CHECK(same);
      Words back(finite.size());
      CHECK(ops->narrow({}, wide.data(), n, type, back.data()));
      CHECK((back == finite));
    }
  }
}

TEST_CASE("storage: a number beyond the largest is noticed wherever it stands") {
  const Index n = 40'000;
  aha::ThreadPool two(2);
  for (const auto* ops : tables())
    for (const auto& [type, beyond, within] :
         {std::tuple{FloatType::F16, 65520.0F, 65519.0F}, {FloatType::BF16, 3.4e38F, 3.38e38F}})
      for (const Index place : {Index{0}, Index{20'001}, n - 1})
        for (const float sign : {1.0F, -1.0F}) {
          Words words(at(n));
          Floats x(at(n), 1.0F);
          x[at(place)] = sign * within;
          CHECK(ops->narrow(Exec{&two}, x.data(), n, type, words.data()));
          x[at(place)] = sign * beyond;
          CHECK_FALSE(ops->narrow(Exec{&two}, x.data(), n, type, words.data()));
        }
}

TEST_CASE("storage: what is computed with a weight of 16 bits has the bits of its numbers as f32") {
  Random random(61);
  aha::ThreadPool two(2);
  aha::ThreadPool three(3);
  const Ops& oracle = *aha::cpu_ops("portable");
  // rows of every path, widths and depths with and without a rest
  for (const Index M : {1, 3, 6, 8, 9, 16, 17, 33, 48, 64, 65, 130})
    for (const auto& [N, K] : {std::pair<Index, Index>{48, 64}, {37, 72}, {16, 131}, {5, 7}}) {
      const Floats values = random.normal(N * K, 0.1F);
      for (const auto type : kSmall) {
        const Stored w(oracle, values, type);
        const Floats expected = results(oracle, {}, w.large(), M, N, K);
        for (const auto* ops : tables())
          for (auto* pool : {static_cast<aha::ThreadPool*>(nullptr), &two, &three}) {
            INFO(ops->name << " M " << M << " N " << N << " K " << K << " threads "
                           << Exec{pool}.threads());
            CHECK(same_bits(results(*ops, Exec{pool}, w.small(), M, N, K), expected));
            CHECK(same_bits(results(*ops, Exec{pool}, w.large(), M, N, K), expected));
          }
      }
    }
}

TEST_CASE("storage: large products are cut for threads without a change of bits") {
  Random random(62);
  aha::ThreadPool three(3);
  const Index N = 1000;
  const Index K = 640;
  const Floats values = random.normal(N * K, 0.1F);
  for (const auto* ops : tables()) {
    if (std::string(ops->name) == "portable") continue;
    for (const auto type : kSmall) {
      const Stored w(*ops, values, type);
      // often: a team that shares what it should not does so by chance
      for (const Index M : {7, 31, 31, 31, 31, 31, 31, 31, 31, 200}) {
        const Floats x = random.normal(M * K);
        Floats a = poison(M * N);
        Floats b = poison(M * N);
        ops->linear({}, {x.data(), K, w.large(), a.data(), N, M, N, K});
        ops->linear(Exec{&three}, {x.data(), K, w.small(), b.data(), N, M, N, K});
        CHECK(same_bits(a, b));
      }
    }
  }
}
