// What sampling and training take on a GPU, beside the floors that its own memory and products set:
// bench_gpu replay CONFIG ...: batches of CPU steps trained on the GPU as well (gpu_replay.cpp); or
// bench_gpu PART... [--model 0.5b|1.5b|0.6b|tiny] [--device cuda|cpu] [--rounds 2] [--strict] [--json FILE]
//   probe     bytes a second of a copy, FLOP a second of a large product
//   nv256     nano-vllm's 256 sequences: output tokens a second
//   train     sequences of 1,024 tokens: tokens a second
//   grpo      one step: 32 prompts of 128 tokens x 16 completions of 512, and the memory that it took beside the plan's
//   families  time of each operation in a decode step of 256 rows and in a micro-batch
// Weights are random; bf16 on a GPU, f32 on a CPU. `tiny` has shorter sequences, for trials.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <optional>

#include "scripts/bench/gpu/timed_ops.h"
#include "scripts/bench/gpu/workload.h"
#include "scripts/bench/replay.h"
#include "trainer/core/clock.h"
#include "trainer/core/error.h"
#include "trainer/core/json.h"
#include "trainer/kernels/device_ops.h"
#include "trainer/run/device_plan.h"
#include "trainer/run/policy.h"

namespace {

using namespace aha;
using namespace aha_bench;

struct Options {
  std::vector<std::string> parts;
  std::string model = "0.5b";
  std::string device = "cuda";
  std::string json;
  int rounds = 2;
  bool strict = false;
  std::int64_t micro_rows = 0;
};

/// What one H100 is to reach; 0: nothing is asked.
struct Goal {
  double must = 0, aim = 0;
};

class Bench {
 public:
  Bench(const Options& options, const Ops& ops, const Exec& exec)
      : o_(options),
        ops_(ops),
        exec_(exec),
        config_(shape_named(options.model)),
        size_(model_size(config_)),
        peaks_(measured_peaks(ops, exec, ops.memory->host || tiny())) {
    if (!o_.json.empty()) {
      json_.open(o_.json, std::ios::app);
      if (!json_) fail("{}: cannot be written", o_.json);
    }
    fmt::print("{} {}: {:.0f} GB/s copied, {:.0f} GFLOP/s in a product of {}\n", ops.name, o_.model,
               peaks_.bytes_per_s / 1e9, peaks_.flop_per_s / 1e9,
               ops.memory->host ? "f32" : "bf16, its operand's rounding included");
  }

  void run(const std::string& part) {
    if (part == "probe") return note("probe", OrderedJson::object());
    if (part == "nv256") return nv256_load();
    if (part == "train") return train();
    if (part == "grpo") return grpo();
    families();
  }

 private:
  bool tiny() const { return o_.model == "tiny"; }
  /// What is asked is asked of the default mode.
  Goal goal(double must, double aim) const {
    return tiny() || o_.strict ? Goal{} : Goal{must, aim};
  }
  Workload& workload() {
    if (!workload_)
      workload_.emplace(config_, ops_, exec_, ops_.memory->host ? FloatType::F32 : FloatType::BF16);
    return *workload_;
  }
  std::int64_t micro_rows() const {
    if (o_.micro_rows > 0) return o_.micro_rows;
    return tiny() ? 512 : o_.model == "0.5b" ? 16384 : 8192;
  }

  /// A line for a reader and one for a file; `what` is "tok/s" (more is better) or "s".
  void say(const std::string& part, const char* what, double value, double floor, Goal goal,
           const OrderedJson& more = OrderedJson::object()) {
    const bool rate = std::string_view(what) == "tok/s";
    const double share = rate ? value / floor : floor / value;
    fmt::print("{} {}: {:.{}f} {}, {:.1f} % of the floor's {:.{}f}", part, o_.model, value,
               rate ? 0 : 3, what, 100 * share, floor, rate ? 0 : 3);
    if (goal.must > 0) {
      const bool reached = rate ? value >= goal.must : value <= goal.must;
      fmt::print(" (must {:g}: {}; aim {:g})", goal.must, reached ? "reached" : "missed", goal.aim);
    }
    fmt::print("\n");
    OrderedJson row{{"value", value},          {"unit", what},      {"floor", floor},
                    {"share_of_floor", share}, {"must", goal.must}, {"aim", goal.aim}};
    row.update(more);
    note(part, row);
  }
  void note(const std::string& part, const OrderedJson& more) {
    if (!json_.is_open()) return;
    OrderedJson row{{"part", part},
                    {"model", o_.model},
                    {"device", ops_.name},
                    {"strict", o_.strict},
                    {"bytes_per_s", peaks_.bytes_per_s},
                    {"flop_per_s", peaks_.flop_per_s}};
    row.update(more);
    json_ << dump_line(row) << std::endl;
    if (!json_) fail("{}: cannot be written", o_.json);
  }

  void nv256_load() {
    const Load load = nv256(tiny() ? 16 : 1);
    auto& work = workload();
    (void)work.generate(work.requests(nv256(tiny() ? 64 : 8)));  // memory and recordings are made
    const auto requests = work.requests(load);
    double best = 1e9;
    RolloutStats stats;
    for (int round = 0; round < o_.rounds; ++round) {
      (void)work.generate(requests);
      if (work.rollout().seconds < best) stats = work.rollout();
      best = std::min(best, work.rollout().seconds);
    }
    check(stats.completion_tokens == load.output_tokens(), "every completion has its length");
    const auto tokens = static_cast<double>(stats.completion_tokens);
    const double floor = tokens / rollout_floor(size_, peaks_, load);
    const Goal asked = o_.model == "0.5b" ? goal(60e3, 100e3) : goal(0.5 * floor, 0.7 * floor);
    say("nv256", "tok/s", tokens / best, floor, asked,
        {{"seconds", best},
         {"prefill_s", stats.prefill_seconds},
         {"decode_steps", stats.decode_steps},
         {"ms_a_step", 1e3 * (stats.seconds - stats.prefill_seconds) /
                           static_cast<double>(stats.decode_steps)}});
  }

  /// Sequences of `length` rows each: a prompt of one token, all others predicted.
  std::vector<Group> sequences(std::int64_t count, std::int64_t length) const {
    std::vector<Group> groups(static_cast<std::size_t>(count));
    for (std::size_t g = 0; g < groups.size(); ++g) {
      groups[g].prompt.ids = {1};
      auto& c = groups[g].completions.emplace_back();
      for (std::int64_t t = 0; t < length; ++t)
        c.ids.push_back(static_cast<TokenId>(31 * g + 7919U * t) % config_.vocab_size);
    }
    return groups;
  }

  void train() {
    const std::int64_t length = tiny() ? 64 : 1024;
    const auto groups = sequences(tiny() ? 2 * micro_rows() / length : 128, length);
    auto& work = workload();
    (void)work.train(groups, micro_rows());
    Workload::Update best;
    for (int round = 0; round < o_.rounds; ++round) {
      const auto update = work.train(groups, micro_rows());
      if (round == 0 || update.seconds() < best.seconds()) best = update;
    }
    const auto tokens = static_cast<double>(best.tokens);
    const double floor = tokens / train_floor(size_, peaks_, best.rows, best.tokens);
    say("train", "tok/s", tokens / best.seconds(), floor,
        o_.model == "1.5b"   ? goal(45e3, 60e3)
        : o_.model == "0.5b" ? goal(100e3, 150e3)
                             : Goal{},
        {{"rows", best.rows}, {"passes_s", best.passes}, {"optimizer_s", best.optimizer}});
  }

  void grpo() {
    const std::int64_t P = tiny() ? 4 : 32;
    const std::int64_t G = tiny() ? 4 : 16;
    const std::int64_t prompt = tiny() ? 8 : 128;
    const std::int64_t answer = tiny() ? 32 : 512;
    Load load;
    load.prompts.assign(static_cast<std::size_t>(P), prompt);
    load.outputs.assign(static_cast<std::size_t>(P * G), answer);
    auto& work = workload();
    auto requests = work.requests(load);
    const auto step = [&] {
      const auto start = Clock::now();
      const auto groups = work.generate(requests);
      const double rollout = seconds_since(start);
      return std::pair(rollout, work.train(groups, micro_rows()));
    };
    (void)step();
    const std::int64_t after_one = free_bytes();
    const auto [rollout, update] = step();
    memory(P, G, prompt, answer, after_one - free_bytes());
    const double total = rollout + update.seconds();
    const double overhead = update.pack + update.optimizer;
    const double floor =
        rollout_floor(size_, peaks_, load) + train_floor(size_, peaks_, update.rows, update.tokens);
    fmt::print(
        "overheads {}: {:.2f} % of the step (must be below 3 %): optimizer {:.4f} s, "
        "dealing and packing {:.4f} s; rollout {:.3f} s, passes {:.3f} s\n",
        o_.model, 100 * overhead / total, update.optimizer, update.pack, rollout, update.passes);
    say("grpo", "s", total, floor, o_.model == "0.5b" ? goal(6, 4.5) : Goal{},
        {{"rollout_s", rollout},
         {"passes_s", update.passes},
         {"pack_s", update.pack},
         {"optimizer_s", update.optimizer},
         {"overhead", overhead / total}});
  }

  std::int64_t free_bytes() const { return ops_.device == nullptr ? 0 : ops_.device->state().free; }

  /// What the GPU holds of this program, beside what `aha check` would plan for such a job; `later`: taken after the first step.
  void memory(std::int64_t prompts, std::int64_t completions, std::int64_t prompt,
              std::int64_t answer, std::int64_t later) {
    if (ops_.device == nullptr) return;
    StageConfig stage;
    stage.method = "grpo";
    stage.model.storage = "bf16";
    stage.objective.beta = 0;
    stage.train.prompts_per_step = prompts;
    stage.train.max_tokens_per_micro_batch = micro_rows();
    stage.rollout.num_generations = completions;
    stage.rollout.max_completion_length = answer;
    MemoryInputs inputs;
    inputs.longest_prompt = prompt;
    const auto plan = static_cast<double>(plan_device_memory(stage, config_, inputs).total());
    const DeviceState state = ops_.device->state();
    const auto held = static_cast<double>(state.total - state.free);
    constexpr double kGiB = 1 << 30;
    fmt::print(
        "memory {}: {:.1f} GiB held, {:.1f} GiB planned ({:+.1f} %), {} bytes taken after the "
        "first step\n",
        o_.model, held / kGiB, plan / kGiB, 100 * (plan / held - 1), later);
    note("memory", {{"held_bytes", held}, {"planned_bytes", plan}, {"taken_later", later}});
  }

  void families() {
    TimedOps timed(ops_, marks_of(ops_));
    // a table that is timed is one thread's
    Workload work(config_, timed.table(), ops_.memory->host ? Exec{} : exec_,
                  ops_.memory->host ? FloatType::F32 : FloatType::BF16);
    const std::int64_t rows = tiny() ? 16 : 256;
    const std::int64_t positions = tiny() ? 64 : 512;
    work.decode(rows, positions);
    LargeProduct product(ops_, exec_, ops_.memory->host || tiny());
    run_ahead(product);
    timed.clear();
    work.decode(rows, positions);
    family_table(fmt::format("decode step, {} rows at {}", rows, positions), timed.times(),
                 decode_floor(size_, peaks_, rows, rows * positions));
    const auto groups = sequences(micro_rows() / (tiny() ? 64 : 1024), tiny() ? 64 : 1024);
    (void)work.train(groups, micro_rows());
    run_ahead(product);
    timed.clear();
    const auto update = work.train(groups, micro_rows());
    family_table(fmt::format("update of {} rows", update.rows), timed.times(),
                 train_floor(size_, peaks_, update.rows, update.tokens));
  }

  /// Work for a device that lasts longer than a step's launches take the host: between two moments a device would else
  /// wait for the host, whose time would then be an operation's.
  void run_ahead(LargeProduct& product) const {
    constexpr double kSeconds = 0.05;
    if (ops_.memory->host) return;
    for (double flop = 0; flop < kSeconds * peaks_.flop_per_s; flop += product.flop())
      product.begin();
  }

  void family_table(const std::string& what, const std::vector<OpTime>& times, double floor) {
    double sum = 0;
    for (const auto& t : times)
      sum += t.seconds;
    OrderedJson rows = OrderedJson::array();
    for (const auto& t : times) {
      fmt::print("  {:<24}{:>6} calls {:>10.3f} ms {:>5.1f} %\n", t.name, t.calls, 1e3 * t.seconds,
                 100 * t.seconds / sum);
      rows.push_back({{"name", t.name}, {"calls", t.calls}, {"ms", 1e3 * t.seconds}});
    }
    fmt::print("{} {}: {:.3f} ms in operations, floor {:.3f} ms\n", what, o_.model, 1e3 * sum,
               1e3 * floor);
    note("families",
         {{"what", what}, {"ms", 1e3 * sum}, {"floor_ms", 1e3 * floor}, {"operations", rows}});
  }

  const Options& o_;
  const Ops& ops_;
  Exec exec_;
  ModelConfig config_;
  ModelSize size_;
  Peaks peaks_;
  std::ofstream json_;
  std::optional<Workload> workload_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "replay") return gpu_replay(argc - 1, argv + 1);
  CLI::App app("sampling and training on a GPU beside the floors that it sets");
  Options o;
  app.add_option("parts", o.parts, "what to measure")
      ->required()
      ->check(CLI::IsMember({"probe", "nv256", "train", "grpo", "families"}));
  app.add_option("--model", o.model, "0.5b, 1.5b (Qwen2.5), 0.6b (Qwen3) or tiny");
  app.add_option("--device", o.device, "cuda or cpu")->check(CLI::IsMember({"cuda", "cpu"}));
  app.add_option("--rounds", o.rounds, "the best counts")->check(CLI::Range(1, 100));
  app.add_option("--micro-rows", o.micro_rows, "of a micro-batch")->check(CLI::Range(64, 1 << 20));
  app.add_flag("--strict", o.strict, "with the kernels of strict mode, to learn what they cost");
  app.add_option("--json", o.json, "a line a result is added to it");
  CLI11_PARSE(app, argc, argv);
  try {
    const Machine machine(0, device_ops(o.device), o.strict);
    Bench bench(o, machine.ops, machine.exec);
    for (const auto& part : o.parts)
      bench.run(part);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_gpu: {}\n", error.what());
    return 2;
  }
}
