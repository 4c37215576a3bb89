#include "trainer/config/dump.h"

#include <cmath>
#include <filesystem>
#include <random>

#include "tests/support/catch.h"
#include "tests/trainer/config/support.h"
#include "trainer/config/describe.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

/// Gives every key a random allowed value.
class Randomiser : public Visitor {
 public:
  explicit Randomiser(std::uint64_t seed) : random_(seed) {}

  void leaf(const Key& key, Leaf value) override {
    std::visit([&](auto* member) { draw(key, *member); }, value);
  }
  void section(const Key&, const Parts& parts) override { parts(*this); }
  void source(const Key&, DataSource& source) override {
    describe(*this, source);
    (below(2) == 0 ? source.path : source.task).clear();
    if (source.task.empty()) source.task_options = {};
    if (source.path.empty()) source.format = "jsonl";
    source.count += 1;
  }
  void model(const Key&, ModelConfigSection& model) override { describe(*this, model); }
  void init(const Key&, std::optional<ModelInit>& init) override {
    init.reset();
    if (below(2) == 0) describe(*this, init.emplace());
  }
  void eval_sets(const Key&, DataSection& data) override {
    data.eval.clear();
    data.eval_order.clear();
    for (auto n = below(4); n > 0; --n) {
      const auto name = "set_" + std::to_string(below(100));
      if (!data.eval.contains(name)) data.eval_order.push_back(name);
      source(Key(name, ""), data.eval[name]);
    }
  }
  void rewards(const Key&, std::vector<RewardFunction>& functions) override {
    functions.resize(below(3));
    for (auto& function : functions)
      describe(*this, function);
  }
  void other_keys(std::map<std::string, std::string>& options) override {
    options.clear();
    for (auto n = below(3); n > 0; --n)
      options["option " + std::to_string(n)] = text();
  }

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

 private:
  double unit() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  std::string text() {
    static const std::vector<std::string> kPieces = {"a",
                                                     "Z",
                                                     "_",
                                                     "-",
                                                     ".",
                                                     "/",
                                                     " ",
                                                     ":",
                                                     ": ",
                                                     " #",
                                                     "\"",
                                                     "'",
                                                     "\\",
                                                     "\n",
                                                     "\t",
                                                     "\r",
                                                     "{",
                                                     "]",
                                                     ",",
                                                     "&",
                                                     "*",
                                                     "!",
                                                     "%",
                                                     "@",
                                                     "`",
                                                     "0",
                                                     "true",
                                                     "null",
                                                     "~",
                                                     "\xC3\x9F",
                                                     "\xE2\x82\xAC",
                                                     "\x01",
                                                     "\x7F",
                                                     "|",
                                                     ">"};
    std::string made;
    for (auto n = below(8); n > 0; --n)
      made += kPieces[below(kPieces.size())];
    return made;
  }

  void draw(const Key&, bool& value) { value = below(2) == 1; }
  void draw(const Key& key, std::int64_t& value) {
    // sizes that rules take for impossible would leave few cases
    const auto low = std::isfinite(key.low) ? static_cast<std::int64_t>(key.low) : -1000;
    value = low + static_cast<std::int64_t>(
                      below(std::isfinite(key.high) ? 2 : std::uint64_t{1} << below(13)));
  }
  void draw(const Key&, std::uint64_t& value) { value = random_(); }
  void draw(const Key& key, double& value) {
    const double low = std::isfinite(key.low) ? key.low : -1e3;
    if (std::isfinite(key.high))
      value = low + (key.high - low) * (0.1 + 0.8 * unit());
    else
      value = low + std::ldexp(0.5 + unit(), static_cast<int>(below(300)) - 20);
  }
  void draw(const Key& key, std::string& value) {
    value = key.allowed.empty() ? text() : key.allowed[below(key.allowed.size())];
  }
  void draw(const Key& key, std::optional<double>& value) {
    value.reset();
    if (below(2) == 0) draw(key, value.emplace());
  }
  template <class Item>
  void draw(const Key& key, std::vector<Item>& values) {
    values.resize(below(4));
    for (auto& value : values)
      draw(key, value);
  }

  void draw(const Key& key, OrderedJson& value) {
    value = OrderedJson::object();
    for (auto n = below(4); n > 0; --n)
      value[text()] = json(key, 3);
  }

  OrderedJson json(const Key& key, int depth) {
    switch (below(depth > 0 ? 7 : 5)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 1;
      case 2:
        return static_cast<std::int64_t>(random_());
      case 3:
        return unit() * 1e6 - 5e5;
      case 4:
        return text();
      case 5: {
        auto list = OrderedJson::array();
        for (auto n = below(3); n > 0; --n)
          list.push_back(json(key, depth - 1));
        return list;
      }
      default: {
        auto map = OrderedJson::object();
        for (auto n = below(3); n > 0; --n)
          map[text()] = json(key, depth - 1);
        return map;
      }
    }
  }

  std::mt19937_64 random_;
};

/// Reads what was dumped, whatever rules it breaks: random values break most.
std::string rules_only(const std::string& error) {
  for (const auto* misread : {"expected", "unknown key", "repeated", "no YAML"})
    if (error.find(misread) != std::string::npos) return error;
  return "";
}

std::string shown(const std::vector<ChangedKey>& changed) {
  std::string text;
  for (const auto& c : changed)
    text += c.key + ": " + c.before + " -> " + c.after + (c.free ? " (free)" : "") + "\n";
  return text;
}

std::string changes(const std::vector<std::string>& before, const std::vector<std::string>& after,
                    const std::string& text = kSound) {
  return shown(
      changed_keys(parse_config(text, "c.yaml", before), parse_config(text, "c.yaml", after)));
}

}  // namespace

TEST_CASE("the resolved dump: shipped configurations are read back as they were", "[config]") {
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(AHA_SOURCE_DIR) / "configs")) {
    CAPTURE(entry.path());
    if (entry.is_directory()) continue;
    const auto config = load_config(entry.path());
    const auto text = resolved_yaml(config);
    const auto again = parse_config(text, "resolved.yaml");
    CHECK(shown(changed_keys(config, again)).empty());
    CHECK(resolved_yaml(again) == text);
  }
}

TEST_CASE("the resolved dump: the words of a scorer's command are a list again", "[config]") {
  const auto config = parse_config(
      kSound, "c", {"reward.functions=[{name: command, command: [python3, \"a b\", 8]}]"});
  const auto text = resolved_yaml(config);
  CHECK(text.find("command: [\"python3\",\"a b\",\"8\"]\n") != std::string::npos);
  CHECK(resolved_yaml(parse_config(text, "r")) == text);
}

TEST_CASE("the resolved dump: random values of every key survive it", "[config]") {
  int read = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    CAPTURE(seed);
    Randomiser random(seed);
    Config config = parse_config(kSound, "c.yaml");
    StageConfig& stage = config.stages[0];
    describe_job(random, config);
    describe_sections(random, stage);
    // what rules ask for most often, so that enough cases pass them
    config.device = "cpu";
    if (config.output_dir.empty()) config.output_dir = "o";
    stage.method = "sft";
    stage.model = {};
    stage.model.path = "m";
    stage.train.per_device_train_batch_size += 1;
    stage.train.max_steps += 1;
    stage.train.num_train_epochs = 0;
    stage.optim.warmup_steps = 0;
    stage.eval.pass_at_k.clear();
    stage.checkpoint.best_metric.clear();
    stage.data.eval_fraction = 0;
    stage.data.prompt_template = "chat";
    stage.reward.accuracy.clear();
    stage.log.prometheus.clear();
    config.stages.push_back(stage);
    config.stages.back().name = "second";
    if (seed % 2 == 0) describe(random, config.stages.back().objective);
    if (seed % 3 == 0) describe(random, config.stages.back().optim);
    const auto text = resolved_yaml(config);
    try {
      const auto again = parse_config(text, "resolved.yaml");
      ++read;
      CHECK(shown(changed_keys(config, again)).empty());
      CHECK(resolved_yaml(again) == text);
    } catch (const UserError& error) {
      CHECK(rules_only(error.what()) == "");
    }
  }
  CHECK(read > 200);
}

TEST_CASE("the resolved dump: doubles keep every bit", "[config]") {
  std::mt19937_64 random(1);
  Config config = parse_config(kSound, "c.yaml");
  for (int i = 0; i < 500; ++i) {
    auto& rate = config.stages[0].optim.learning_rate;
    rate = std::ldexp(static_cast<double>(random() >> 11), -static_cast<int>(random() % 200));
    CHECK(parse_config(resolved_yaml(config), "r").stages[0].optim.learning_rate == rate);
  }
}

TEST_CASE("the resolved dump: texts are quoted where YAML would read something else", "[config]") {
  Config config = parse_config(kSound, "c.yaml");
  for (const auto* text :
       {"null",   "true", "8",   "~",           "a: b", " a",   "",
        "- x",    "#",    "yes", "\"q\" \\ \n", "\x04", "0x1F", "{question}\nAnswer:",
        "*a",     "&a",   "!t",  "%",           "@",    "`",    ".inf",
        "a/b-c.d"}) {
    config.stages[0].data.prompt_template = text;
    CHECK(parse_config(resolved_yaml(config), "r").stages[0].data.prompt_template == text);
  }
}

TEST_CASE("the resolved dump: stages keep their own evaluation sets, sources and decoder",
          "[config]") {
  const auto config = parse_config(
      "output_dir: o\nmodel: {init: {max_position_embeddings: 2048}}\ndata: {train: {task: parity, "
      "bits: 4}}\n"
      "train: {per_device_train_batch_size: 2}\nreward: {functions: [{name: parity}]}\nstages:\n"
      "- {name: a, method: sft, data: {eval: {x: {task: parity, count: 3}, y: {task: parity, "
      "count: 4}}}}\n"
      "- {name: b, method: grpo, data: {eval: {y: {task: parity, count: 3}}, train: {task: "
      "countdown_wait}}}\n"
      "- {name: c, method: sft, reward: {functions: []}}\n",
      "c.yaml");
  CHECK(config.stages[1].data.train.task_options.bits == 16);
  const auto again = parse_config(resolved_yaml(config), "r");
  CHECK(shown(changed_keys(config, again)).empty());
  CHECK(again.stages[0].data.eval_order == std::vector<std::string>{"x", "y"});
  CHECK(again.stages[1].data.eval_order == std::vector<std::string>{"y"});
  CHECK(again.stages[2].data.eval_order.empty());
}

TEST_CASE("the resolved dump: shows what a preset stands for", "[config]") {
  const auto text = resolved_yaml(parse_config(kSound + "objective: {preset: dapo}\n", "c.yaml"));
  CHECK(text.find("  epsilon_high: 0.28\n") != std::string::npos);
  CHECK(text.find("  aggregation: token-mean\n") != std::string::npos);
}

TEST_CASE("changed keys: none between equal configurations", "[config]") {
  CHECK(changes({}, {}).empty());
  CHECK(changes({"objective.preset=dapo"}, {"objective.loss_type=dapo"}).empty());
}

TEST_CASE("changed keys: those without a part in the past are free", "[config]") {
  for (const auto* set :
       {"output_dir=b", "log.logging_steps=5", "log.reflection_words=[hm]",
        "checkpoint.save_steps=9", "checkpoint.best_metric=\"\"", "comm.timeout_s=1",
        "train.threads=3", "train.keep_logits=false", "reward.threads=3", "reward.timeout_s=3",
        "eval.eval_steps=3", "model.path=elsewhere", "train.max_steps=200"})
    for (const auto& line : {changes({}, {set})}) {
      CAPTURE(set);
      CHECK((line.empty() ? std::string(set) == "checkpoint.best_metric=\"\""
                          : line.find("(free)\n") != std::string::npos));
    }
  CHECK(changes({"reward.functions=[{name: command, command: [a], copies: 1}]"},
                {"reward.functions=[{name: command, command: [b], copies: 2}]"}) ==
        "stages.grpo.reward.functions.0.command: \"[\\\"a\\\"]\" -> \"[\\\"b\\\"]\"\n"
        "stages.grpo.reward.functions.0.copies: \"1\" -> \"2\" (free)\n");
  CHECK(changes({}, {"train.threads=3"}) == "stages.grpo.train.threads: 0 -> 3 (free)\n");
}

TEST_CASE("changed keys: those that make the past untrue are not free", "[config]") {
  CHECK(changes({}, {"seed=7", "optim.learning_rate=1e-3"}) ==
        "seed: 42 -> 7\nstages.grpo.optim.learning_rate: 1e-06 -> 0.001\n");
  CHECK(changes({}, {"objective.epsilon_high=0.3"}) ==
        "stages.grpo.objective.epsilon_high: null -> 0.3\n");
  CHECK(changes({}, {"reward.functions=[{name: numeric, extraction: last}]"}) ==
        "stages.grpo.reward.functions.0.extraction: nothing -> last\n");
  CHECK(changes({}, {"eval.num_generations=3"}) == "stages.grpo.eval.num_generations: 1 -> 3\n");
}

TEST_CASE("changed keys: max_steps may grow where no learning rate depends on it", "[config]") {
  CHECK(changes({}, {"train.max_steps=200"}) == "stages.grpo.train.max_steps: 100 -> 200 (free)\n");
  CHECK(changes({}, {"train.max_steps=50"}) == "stages.grpo.train.max_steps: 100 -> 50\n");
  const std::string cosine = kSound + "optim: {lr_scheduler_type: cosine}\n";
  CHECK(changes({}, {"train.max_steps=200"}, cosine) ==
        "stages.grpo.train.max_steps: 100 -> 200\n");
  const std::string fixed =
      kSound + "optim: {lr_scheduler_type: cosine, lr_scheduler_steps: 100}\n";
  CHECK(changes({}, {"train.max_steps=200"}, fixed) ==
        "stages.grpo.train.max_steps: 100 -> 200 (free)\n");
}

TEST_CASE("changed keys: other stages and other evaluation sets are seen", "[config]") {
  const auto one = parse_config(kSound, "c.yaml");
  const auto two = parse_config(
      kSound + "stages: [{name: grpo, method: grpo}, {name: b, method: grpo}]\n", "c.yaml");
  CHECK(shown(changed_keys(one, two)) == "stages: [grpo] -> [grpo, b]\n");
  const auto eval = parse_config(kSound, "c.yaml", {"data.eval={a: {path: p}}"});
  CHECK(shown(changed_keys(one, eval)).find("stages.grpo.data.eval: [] -> [a]\n") !=
        std::string::npos);
}
