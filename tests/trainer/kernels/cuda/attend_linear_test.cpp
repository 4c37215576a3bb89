#include "tests/support/catch.h"
#include "tests/trainer/kernels/cuda/gpu.h"
#include "trainer/kernels/device_ops.h"

using namespace aha_test;
using aha::cpu_ops;
using aha::KvStore;

namespace {

struct Heads {
  Index H, Hk, D, rotary;
  bool bias, norm;
};

/// Rows of sequences of their own, whose earlier keys and values are in the store, and the product after attention.
struct Decoding {
  Decoding(const Heads& heads, Random& random, aha::FloatType storage)
      : s(heads),
        type(storage),
        qkv(random.normal(M() * width())),
        store(random.normal(blocks() * KvStore{nullptr, s.Hk, s.D}.block_size())),
        bias(random.normal(width())),
        norm(random.normal(2 * s.D)),
        cos(random.normal(kPositions * s.rotary / 2)),
        sin(random.normal(kPositions * s.rotary / 2)),
        residual(random.normal(M() * C)),
        out(cpu_ops(), random.normal(C * s.H * s.D, 0.1F), storage) {}

  static constexpr Index C = 24;
  static constexpr Index kPositions = 5301;
  /// The last has more blocks than the lanes of all warps of a row.
  static Ints positions() { return {0, 7, 15, 16, 40, 130, 319, kPositions - 1}; }
  static Index M() { return static_cast<Index>(positions().size()); }
  static Index blocks_of(Index position) { return position / aha::kKvBlock + 1; }
  static Index blocks() {
    Index all = 0;
    for (const Index position : positions())
      all += blocks_of(position);
    return all;
  }
  /// Of the rows, whose blocks stand among each other's.
  static std::vector<std::vector<std::int32_t>> block_tables() {
    std::vector<std::vector<std::int32_t>> tables(positions().size());
    std::int32_t next = 0;
    for (Index b = 0; b < blocks_of(kPositions - 1); ++b)
      for (std::size_t r = 0; r < tables.size(); ++r)
        if (b < blocks_of(positions()[r])) tables[r].push_back(next++);
    return tables;
  }
  Index width() const { return (s.H + 2 * s.Hk) * s.D; }

  struct Result {
    Floats y;
    std::vector<std::uint16_t> store;
  };

  /// As decoding has it, as its three operations, or as training has those.
  enum class As { One, Three, Training };
  Result run(const aha::Ops& ops, As as) const {
    Device d(ops);
    std::vector<std::int32_t> at;
    std::vector<const std::int32_t*> tables;
    for (const Index position : positions())
      at.push_back(static_cast<std::int32_t>(position));
    for (const auto& table : block_tables())
      tables.push_back(d.put(table));
    const bool host = ops.memory->host;
    const aha::FloatType kept =
        host || type == aha::FloatType::F32 ? aha::FloatType::F32 : aha::FloatType::BF16;
    const Stored begin(cpu_ops(), store, type == aha::FloatType::F32 ? type : aha::FloatType::BF16);
    void* data = kept == aha::FloatType::F32 ? static_cast<void*>(d.put(begin.f32))
                                             : static_cast<void*>(d.put(begin.bits));
    const KvStore kv{data, s.Hk, s.D, kept};
    const aha::KvRows rows{d.put(at), d.put(tables), M()};
    float* x = d.put(qkv);
    float* attended = d.put(poison(M() * s.H * s.D));
    float* y = d.put(residual);
    const aha::FinishQkv finish{x,
                                s.bias ? d.put(bias) : nullptr,
                                s.norm ? d.put(norm) : nullptr,
                                nullptr,
                                nullptr,
                                1e-6F,
                                d.put(cos),
                                d.put(sin),
                                s.rotary,
                                rows,
                                kv,
                                s.H};
    float* lse = as == As::Training ? d.put(poison(M() * s.H)) : nullptr;
    const aha::Attention attention{x, kv, rows, attended, lse, s.H, as == As::Training};
    const aha::Weight w{host ? static_cast<const void*>(d.put(out.f32)) : d.put(out.bits), nullptr,
                        host ? aha::FloatType::F32 : type};
    const aha::Linear product{attended, s.H * s.D, w, y, C, M(), C, s.H * s.D, true};
    if (as == As::One) {
      ops.attend_linear({}, finish, attention, product);
    } else {
      ops.finish_qkv({}, finish);
      ops.attention({}, attention);
      ops.linear({}, product);
    }
    const auto words = 2 * store.size() / (kept == aha::FloatType::F32 ? 1 : 2);
    return {d.get(y, M() * C), d.get(static_cast<const std::uint16_t*>(data), words)};
  }

  Heads s;
  aha::FloatType type;
  Floats qkv, store, bias, norm, cos, sin, residual;
  Stored out;
};

}  // namespace

TEST_CASE("gpu: decoding's attention and what stands around it are one operation as three",
          "[gpu]") {
  const auto* gpu = gpu_ops();
  if (gpu == nullptr) return;
  Random random(61);
  for (const auto type : {aha::FloatType::F32, aha::FloatType::BF16})
    for (const auto& s : {Heads{1, 1, 64, 64, false, false}, Heads{14, 2, 64, 64, true, false},
                          Heads{9, 1, 64, 32, false, true}, Heads{12, 2, 128, 128, true, true},
                          Heads{4, 2, 32, 32, true, false}}) {
      INFO("H " << s.H << " Hk " << s.Hk << " D " << s.D << " type " << static_cast<int>(type));
      const Decoding rows(s, random, type);
      const auto one = rows.run(*gpu, Decoding::As::One);
      const auto three = rows.run(*gpu, Decoding::As::Three);
      CHECK(same_bits(one.y, three.y));
      CHECK(one.store == three.store);
      const double close = type == aha::FloatType::F32 ? kCloseF32 : kClose16;
      CHECK(gap(one.y, rows.run(cpu_ops(), Decoding::As::One).y) < close);
      gpu->device->set_invariant(true);
      const auto strict = rows.run(*gpu, Decoding::As::One);
      const auto training = rows.run(*gpu, Decoding::As::Training);
      gpu->device->set_invariant(false);
      CHECK(same_bits(strict.y, training.y));
      CHECK(strict.store == training.store);
    }
}
