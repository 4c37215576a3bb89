// Measures the CPU kernels against the machine's own matrix product: the peak at a large shape, every
// operation at the shapes of the toy experiments, one rollout and one training pass of 16 prompts x 16
// completions x 72 tokens. `bench_kernels [threads [cpu]]`, or `bench_kernels --peak` for the peak alone
// (GFLOP/s of one thread and of all); AHA_CPU picks the table. With `cpu` times are the calling thread's
// processor time: for one thread on a machine that others use as well.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "rollout/engine.h"
#include "scripts/bench/timing.h"
#include "trainer/model/resident_weights.h"
#include "trainer/optim/gradient_sum.h"

namespace {

using aha::Exec;
using aha_bench::at;  // LibTorch has a namespace of this name
using aha_bench::best_seconds;
using aha_bench::Floats;
using aha_bench::Index;
using aha_bench::processor_time;
using aha_bench::random_floats;
using aha_bench::seconds_of;

double peak_gflops(const aha::Ops& ops, const Exec& exec) {
  const Index n = 960;
  const Floats x = random_floats(n * n);
  const Floats w = random_floats(n * n);
  Floats packed(at(aha::packed_size(n, n)));
  Floats y(at(n * n));
  ops.pack_linear(exec, {w.data()}, n, n, packed.data());
  const double s = best_seconds([&] {
    ops.linear(exec, {x.data(), n, {w.data(), packed.data()}, y.data(), n, n, n, n});
  });
  return 2e-9 * static_cast<double>(n * n * n) / s;
}

struct Shape {
  std::string name;
  Index L, C, H, F, V;

  aha::ModelConfig config() const {
    aha::ModelConfig c;
    c.vocab_size = V;
    c.hidden_size = C;
    c.num_hidden_layers = L;
    c.num_attention_heads = c.num_key_value_heads = H;
    c.head_dim = C / H;
    c.intermediate_size = F;
    c.max_position_embeddings = 128;
    return c;
  }
  /// Multiply-adds a token in matrix products.
  double matrix_elements() const {
    return static_cast<double>(L * (4 * C * C + 3 * C * F) + V * C);
  }
};

class Table {
 public:
  explicit Table(double peak) : peak_(peak) {}
  void row(const std::string& name, double seconds, double flop, double bytes) const {
    fmt::print("  {:<24}{:>10.1f} us", name, seconds * 1e6);
    if (flop > 0)
      fmt::print("{:>9.1f} GFLOP/s {:>4.0f} % of peak", 1e-9 * flop / seconds,
                 1e-7 * flop / seconds / peak_);
    if (bytes > 0) fmt::print("{:>9.1f} GB/s", 1e-9 * bytes / seconds);
    fmt::print("\n");
  }

 private:
  double peak_;
};

void bench_products(const aha::Ops& ops, const Exec& exec, const Shape& s, Index M,
                    const Table& table) {
  const struct {
    const char* name;
    Index N, K;
  } products[] = {
      {"qkv", 3 * s.C, s.C}, {"o", s.C, s.C}, {"gate_up", 2 * s.F, s.C}, {"down", s.C, s.F}};
  for (const auto& [name, N, K] : products) {
    const Floats x = random_floats(M * K);
    const Floats w = random_floats(N * K);
    Floats packed(at(aha::packed_size(N, K)));
    Floats y = random_floats(M * N);
    Floats dx(at(M * K));
    Floats dw(at(N * K));
    ops.pack_linear(exec, {w.data()}, N, K, packed.data());
    const double flop = 2.0 * static_cast<double>(M * N * K);
    table.row(std::string("linear ") + name, best_seconds([&] {
                ops.linear(exec, {x.data(), K, {w.data(), packed.data()}, y.data(), N, M, N, K});
              }),
              flop, 0);
    if (M < 1024) continue;
    table.row(std::string("linear_dx ") + name, best_seconds([&] {
                ops.linear_dx(exec, {y.data(), N, {w.data()}, dx.data(), K, M, N, K});
              }),
              flop, 0);
    table.row(std::string("linear_dw ") + name, best_seconds([&] {
                ops.linear_dw(exec, {y.data(), N, x.data(), K, dw.data(), M, N, K});
              }),
              flop, 0);
  }
}

void bench_rows(const aha::Ops& ops, const Exec& exec, const Shape& s, Index M,
                const Table& table) {
  const Floats x = random_floats(M * s.C);
  const Floats w = random_floats(s.C);
  const Floats gate_up = random_floats(M * 2 * s.F);
  Floats y(at(M * s.C));
  Floats inv(at(M), 1.0F);
  Floats dw(at(s.C));
  Floats wide(at(M * s.F));
  Floats dgate_up(at(M * 2 * s.F));
  const auto floats = [&](Index n) { return 4.0 * static_cast<double>(n); };
  table.row("rms_norm", best_seconds([&] {
              ops.rms_norm(exec, {x.data(), w.data(), y.data(), inv.data(), M, s.C, 1e-5F});
            }),
            0, floats(2 * M * s.C));
  table.row("swiglu", best_seconds([&] {
              ops.swiglu(exec, {gate_up.data(), wide.data(), M, s.F});
            }),
            0, floats(3 * M * s.F));
  if (M < 1024) return;
  table.row("rms_norm_backward", best_seconds([&] {
              ops.rms_norm_backward(
                  exec, {x.data(), x.data(), w.data(), inv.data(), y.data(), dw.data(), M, s.C});
            }),
            0, floats(4 * M * s.C));
  table.row("swiglu_backward", best_seconds([&] {
              ops.swiglu_backward(exec, {gate_up.data(), wide.data(), dgate_up.data(), M, s.F});
            }),
            0, floats(5 * M * s.F));
}

void bench_head(const aha::Ops& ops, const Exec& exec, const Shape& s, Index M,
                const Table& table) {
  const Floats h = random_floats(M * s.C);
  const Floats w = random_floats(s.V * s.C);
  Floats packed(at(aha::packed_size(s.V, s.C)));
  ops.pack_linear(exec, {w.data()}, s.V, s.C, packed.data());
  const aha::Weight weight{w.data(), packed.data()};
  std::vector<std::int64_t> ids(at(M), 1);
  Floats logprobs(at(M));
  Floats entropies(at(M));
  Floats dh(at(M * s.C));
  Floats dw(at(s.V * s.C));
  const std::vector<double> uniforms(at(M), 0.4);
  const double flop = 2.0 * static_cast<double>(M * s.C * s.V);
  aha::HeadSample sample{
      h.data(), weight, uniforms.data(), ids.data(), logprobs.data(), entropies.data(), M, s.C,
      s.V,      1.0F};
  table.row("head_sample", best_seconds([&] { ops.head_sample(exec, sample); }), flop, 0);
  table.row("head_logprob", best_seconds([&] {
              ops.head_logprob(exec, {h.data(), weight, ids.data(), logprobs.data(),
                                      entropies.data(), M, s.C, s.V, 1.0F});
            }),
            flop, 0);
  if (M < 1024) return;
  table.row("head_logprob_backward", best_seconds([&] {
              ops.head_logprob_backward(exec, {h.data(), weight, ids.data(), logprobs.data(),
                                               nullptr, dh.data(), dw.data(), M, s.C, s.V, 1.0F});
            }),
            3 * flop, 0);
}

/// Sequences of `length` rows (training), or the last row of each (decode).
void bench_attention(const aha::Ops& ops, const Exec& exec, const Shape& s, Index count,
                     Index length, bool decode, const Table& table) {
  const Index D = s.C / s.H;
  const Index blocks = (length + 15) / 16;
  const Index rows_each = decode ? 1 : length;
  const Index M = count * rows_each;
  std::vector<std::vector<std::int32_t>> table_of(at(count));
  std::vector<const std::int32_t*> pointers;
  std::vector<std::int32_t> positions;
  std::vector<Index> sections{0};
  for (Index n = 0; n < count; ++n) {
    for (Index b = 0; b < blocks; ++b)
      table_of[at(n)].push_back(static_cast<std::int32_t>(n * blocks + b));
    for (Index r = 0; r < rows_each; ++r) {
      positions.push_back(static_cast<std::int32_t>(length - rows_each + r));
      pointers.push_back(table_of[at(n)].data());
    }
    sections.push_back((n + 1) * rows_each);
  }
  Floats storage = random_floats(count * blocks * aha::KvStore{nullptr, s.H, D}.block_size());
  Floats dstorage(storage.size(), 0.0F);
  const aha::KvStore kv{storage.data(), s.H, D};
  const aha::KvStore dkv{dstorage.data(), s.H, D};
  const aha::KvRows rows{positions.data(), pointers.data(), M};
  Floats qkv = random_floats(M * 3 * s.C);
  Floats out(at(M * s.C));
  Floats lse(at(M * s.H));
  double pairs = 0;
  for (const auto p : positions)
    pairs += p + 1;
  const double flop = 4.0 * pairs * static_cast<double>(s.C);
  const aha::Attention task{qkv.data(), kv, rows, out.data(), lse.data(), s.H};
  table.row("kv_write", best_seconds([&] { ops.kv_write(exec, qkv.data(), s.H, rows, kv); }), 0,
            8.0 * static_cast<double>(M * 2 * s.C));
  table.row("attention", best_seconds([&] { ops.attention(exec, task); }), flop, 0);
  if (decode) return;
  const Floats dout = random_floats(M * s.C);
  Floats dqkv(qkv.size());
  table.row("attention_backward", best_seconds([&] {
              ops.attention_backward(exec, {qkv.data(), out.data(), dout.data(), lse.data(), kv,
                                            dkv, rows, sections.data(), count, dqkv.data(), s.H});
            }),
            2.5 * flop, 0);
}

constexpr Index kPrompts = 16;
constexpr Index kSamples = 16;
constexpr Index kTokens = 72;
constexpr Index kPrompt = 8;

void bench_rollout(aha::Decoder& decoder, aha::ResidentWeights& weights, const Exec& exec,
                   const Shape& s, double peak) {
  aha::Engine engine(decoder, weights, exec, s.V,
                     [](std::span<const aha::TokenId>) { return std::string(); });
  std::vector<aha::GroupRequest> requests(at(kPrompts));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].ordinal = i;
    requests[i].samples = kSamples;
    for (Index t = 0; t < kPrompt; ++t)
      requests[i].prompt.ids.push_back((static_cast<Index>(i) * 7 + t) % s.V);
  }
  aha::SamplingParams params;
  params.max_completion_length = kTokens;
  double best = 1e9;
  for (int i = 0; i < 7; ++i)
    best = std::min(best, seconds_of([&] { engine.generate(requests, params); }));
  const auto tokens = static_cast<double>(kPrompts * kSamples * kTokens);
  const double floor = 2e-9 * s.matrix_elements() * tokens / peak;
  fmt::print(
      "  rollout {:>36.1f} ms {:>9.0f} tok/s; its products at the peak take {:.1f} ms, {:.0f} % of "
      "it\n",
      best * 1e3, tokens / best, floor * 1e3, 100 * floor / best);
}

void bench_training(aha::Decoder& decoder, aha::ResidentWeights& weights,
                    const aha::ParameterLayout& layout, const Exec& exec, const Shape& s,
                    double peak) {
  const aha::Ops& ops = decoder.ops();
  // one group, the prompt's rows shared: what the learner takes as a piece
  const Index groups = 1;
  std::vector<aha::TokenId> ids;
  std::vector<std::int32_t> positions;
  std::vector<std::vector<std::int32_t>> tables;
  tables.reserve(at(groups * (1 + kSamples)));
  std::vector<const std::int32_t*> table_of;
  std::vector<aha::KvCopy> copies;
  std::vector<Index> sections{0};
  std::int32_t next = 0;
  for (Index g = 0; g < groups; ++g) {
    for (Index n = 0; n <= kSamples; ++n) {
      auto& table = tables.emplace_back();
      const Index first = n == 0 ? 0 : kPrompt;
      const Index end = n == 0 ? kPrompt : kPrompt + kTokens - 1;
      while (static_cast<Index>(table.size()) * 16 < end)
        table.push_back(next++);
      if (n > 0) copies.push_back({tables[at(g * (1 + kSamples))].front(), table.front(), kPrompt});
      for (Index p = first; p < end; ++p) {
        ids.push_back((p * 13 + n) % s.V);
        positions.push_back(static_cast<std::int32_t>(p));
        table_of.push_back(table.data());
      }
    }
    sections.push_back(static_cast<Index>(ids.size()));
  }
  const auto M = static_cast<Index>(ids.size());
  aha::RowBatch rows{ids, positions, table_of, copies, sections};
  rows.num_blocks = next;
  aha::Activations kept(decoder.config());
  aha::Communicator alone;
  aha::GradientSum grads(layout, ops, exec, alone, {});
  aha::BackwardScratch scratch(decoder.config());
  grads.begin(1, 1);
  Floats logprobs(at(M));
  Floats entropies(at(M));
  const Floats d_logprob(at(M), 1e-3F);
  Floats dhidden(at(M * s.C));
  const auto edges = weights.edges();
  const float* hidden = nullptr;
  const auto pass = [&] {
    hidden = decoder.forward(exec, weights, rows, kept, scratch.block);
    ops.head_logprob(exec, {hidden, edges.head, ids.data(), logprobs.data(), entropies.data(), M,
                            s.C, s.V, 1.0F});
  };
  const double forward = best_seconds(pass);
  const double both = best_seconds([&] {
    pass();  // the way back uses up what it kept
    ops.head_logprob_backward(exec, {hidden, edges.head, ids.data(), d_logprob.data(), nullptr,
                                     dhidden.data(), grads.edges().head, M, s.C, s.V, 1.0F});
    const aha::BackwardPart part{rows, dhidden.data(), &kept};
    decoder.backward(exec, weights, {&part, 1}, scratch, grads);
  });
  const double backward = both - forward;
  const auto tokens = static_cast<double>(groups * kSamples * kTokens);
  const double floor = 6e-9 * s.matrix_elements() * static_cast<double>(M) / peak;
  fmt::print(
      "  training {:>6} rows: forward {:>6.2f} ms, backward {:>6.2f} ms {:>9.0f} tok/s; products "
      "at the peak {:.2f} ms, {:.0f} %\n",
      M, forward * 1e3, backward * 1e3, tokens / (forward + backward), floor * 1e3,
      100 * floor / (forward + backward));
}

void bench_shape(const aha::Ops& ops, const Exec& exec, const Shape& s, double peak) {
  const Table table(peak);
  for (const Index M : {256, 4096}) {
    fmt::print("{}, {} rows\n", s.name, M);
    bench_products(ops, exec, s, M, table);
    bench_rows(ops, exec, s, M, table);
    bench_head(ops, exec, s, M, table);
    if (M < 1024)
      bench_attention(ops, exec, s, M, 44, true, table);
    else
      bench_attention(ops, exec, s, M / 64, 64, false, table);
  }
  aha::Decoder decoder(s.config(), ops);
  const auto layout = aha::make_layout(s.config());
  aha::ResidentWeights weights(s.config(), layout, ops,
                               aha::init_parameters(layout, s.config(), 1));
  weights.publish(exec);
  fmt::print("{}, {} prompts x {} completions x {} tokens\n", s.name, kPrompts, kSamples, kTokens);
  bench_rollout(decoder, weights, exec, s, peak);
  bench_training(decoder, weights, layout, exec, s, peak);
}

}  // namespace

int main(int argc, char** argv) {
  const bool peak_only = argc > 1 && std::string(argv[1]) == "--peak";
  const int threads = argc > 1 && !peak_only ? std::atoi(argv[1]) : aha::available_cores();
  processor_time = argc > 2 && std::string(argv[2]) == "cpu";
  const aha::Ops& ops = aha::cpu_ops();
  aha::ThreadPool pool(threads);
  const Exec team{&pool};
  const double one = peak_gflops(ops, {});
  const double all = peak_gflops(ops, team);
  if (peak_only) {
    fmt::print("{:.1f} {:.1f}\n", one, all);
    return 0;
  }
  fmt::print("{}: 960^3 product {:.0f} GFLOP/s on one thread, {:.0f} on {}\n", ops.name, one, all,
             threads);
  for (const auto& shape :
       {Shape{"4 x 72", 4, 72, 3, 192, 110}, Shape{"2 x 96", 2, 96, 3, 256, 64}})
    bench_shape(ops, team, shape, all);
}
