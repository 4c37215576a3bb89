#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "data/prompt.h"
#include "data/tokenizer/text_stream.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/progress.h"
#include "trainer/commands/shared.h"
#include "trainer/core/error.h"
#include "trainer/run/policy.h"
#include "trainer/run/sample_groups.h"
#include "trainer/run/stage.h"

namespace aha {
namespace {

struct Arguments {
  std::string model;
  std::string file = "-";
  PromptArguments prompt;
  std::int64_t samples = 1;
  std::int64_t threads = 0;
  std::int64_t max_batch = 256;
  std::int64_t length = 0;
  std::int64_t context = 0;
  std::string storage = "f32";
  std::string device = "auto";
  bool logprobs = false;
  bool interactive = false;
  bool ignore_eos = false;
  bool timing = false;
  SamplingParams params;
};

/// Tokens of a completion where nothing is said; fewer where the model's positions end before.
constexpr std::int64_t kDefaultLength = 512;

/// Rows decoded together: enough to fill the batch, few enough that answers appear early.
constexpr std::size_t kRowsAtOnce = 256;

class Generator {
 public:
  explicit Generator(const Arguments& a)
      : arguments_(a),
        machine_(a.threads, device_ops(a.device)),
        policy_(load_policy(a.model, machine_,
                            {.context = a.context, .storage = storage_type(a.storage)})),
        template_(open_prompt_template(data_section(a.prompt), *policy_.tokenizer)),
        engine_(*policy_.decoder, *policy_.weights, machine_.exec, policy_.vocabulary(),
                text_decoder(*policy_.tokenizer), a.max_batch),
        params_(a.params) {
    params_.purpose = Purpose::Generate;
    if (!a.ignore_eos) params_.stop_ids = policy_.config.eos_token_ids;
  }

  int run() {
    if (arguments_.interactive || (arguments_.file == "-" && isatty(STDIN_FILENO) != 0))
      return talk();
    std::vector<Row> rows;
    for_each_row(arguments_.file, [&](Json&& json, const std::string& where) {
      rows.push_back({std::move(json), where});
      if (rows.size() == kRowsAtOnce) answer(rows);
    });
    answer(rows);
    progress_.end();
    return 0;
  }

 private:
  struct Row {
    Json json;
    std::string where;
  };

  GroupRequest request(const Json& json, const std::string& where) {
    GroupRequest request;
    request.prompt.text = template_.text(json, where);
    request.prompt.row = static_cast<std::int64_t>(next_ordinal_);
    request.prompt.source = arguments_.file;
    request.prompt.prefill = template_.prefill(request.prompt.text);
    request.prompt.ids = encode(request.prompt.text, where);
    request.ordinal = next_ordinal_++;
    request.samples = arguments_.samples;
    const auto length = static_cast<std::int64_t>(request.prompt.ids.size());
    if (length == 0) fail("{}: the prompt has no tokens", where);
    const auto positions = policy_.config.positions();
    if (length + std::max<std::int64_t>(1, arguments_.length) > positions)
      fail("{}: a prompt of {} tokens and --max-completion-length {} need more than the model's {}",
           where, length, std::max<std::int64_t>(1, arguments_.length),
           positions_text(policy_.config));
    request.max_completion_length = limit(request);
    return request;
  }

  std::vector<TokenId> encode(const std::string& text, const std::string& where) const {
    try {
      return template_.ids(*policy_.tokenizer, text);
    } catch (const UserError& error) {
      fail("{}: {}", where, error.what());
    }
  }

  /// A row's limit depends on its own prompt alone, as everything of a sample does.
  std::int64_t limit(const GroupRequest& request) const {
    if (arguments_.length > 0) return arguments_.length;
    const auto prompt = static_cast<std::int64_t>(request.prompt.ids.size());
    return std::min(kDefaultLength, policy_.config.positions() - prompt);
  }

  std::vector<Group> generate(const std::vector<GroupRequest>& requests,
                              const OnToken& on_token = {}) {
    params_.max_completion_length = 1;
    for (const auto& request : requests)
      params_.max_completion_length =
          std::max(params_.max_completion_length, request.max_completion_length);
    RolloutHooks hooks;
    hooks.on_group = [&](Group& group) { progress_.add(group); };
    hooks.on_token = on_token;
    auto groups = engine_.generate(requests, params_, 0, hooks);
    if (arguments_.timing && !requests.empty()) say_timing();
    return groups;
  }

  void say_timing() const {
    const auto& stats = engine_.last_stats();
    std::cerr << dump_line(OrderedJson{{"prompt_tokens", stats.prompt_tokens},
                                       {"completion_tokens", stats.completion_tokens},
                                       {"decode_steps", stats.decode_steps},
                                       {"prefill_s", stats.prefill_seconds},
                                       {"decode_s", stats.seconds - stats.prefill_seconds}})
              << std::endl;
  }

  void answer(std::vector<Row>& rows) {
    std::vector<GroupRequest> requests;
    requests.reserve(rows.size());
    for (const auto& row : rows)
      requests.push_back(request(row.json, row.where));
    const auto groups = generate(requests);
    require_finite(groups);
    for (std::size_t i = 0; i < groups.size(); ++i)
      for (const auto& c : groups[i].completions) {
        OrderedJson out = OrderedJson::parse(dump_line(rows[i].json));
        out["index"] = c.index;
        out["completion"] = c.text;
        out["completion_ids"] = c.ids;
        out["finish"] = finish_name(c.finish);
        if (arguments_.logprobs) out["logprobs"] = c.logprobs;
        std::cout << dump_line(out) << '\n';
      }
    std::cout.flush();
    rows.clear();
  }

  /// Completes one prompt and writes it: token by token, or when it is done if there are several.
  std::string reply(const GroupRequest& request) {
    const bool stream = arguments_.samples == 1;
    TextStream text(*policy_.tokenizer);
    if (stream) std::cout << request.prompt.prefill << std::flush;
    const auto groups = generate({request}, [&](std::size_t, const Completion& c) {
      const auto& stops = params_.stop_ids;
      if (!stream || std::find(stops.begin(), stops.end(), c.ids.back()) != stops.end()) return;
      std::cout << text.push(c.ids.back()) << std::flush;
    });
    require_finite(groups);
    if (stream) std::cout << text.finish() << std::endl;
    for (const auto& c : groups.front().completions)
      if (!stream) std::cout << c.text << std::endl;
    return groups.front().completions.front().text;
  }

  /// A conversation for a chat template, independent prompts for any other.
  int talk() {
    const bool chat = arguments_.prompt.prompt_template == "chat";
    std::cerr << (chat ? "A message a line; an empty line begins anew; end with Ctrl-D.\n> "
                       : "A prompt a line; end with Ctrl-D.\n> ");
    Json messages = Json::array();
    for (std::string line; std::getline(std::cin, line); std::cerr << "> ") {
      try {
        if (chat && line.empty()) {
          messages.clear();
          continue;
        }
        if (chat) messages.push_back({{"role", "user"}, {"content", line}});
        const auto asked =
            request({{arguments_.prompt.field, chat ? messages : Json(line)}}, "your line");
        const std::string answer = reply(asked);
        if (chat) messages.push_back({{"role", "assistant"}, {"content", answer}});
      } catch (const UserError& error) {
        std::cerr << error.what() << '\n';
        if (chat) messages.erase(messages.size() - 1);
      }
    }
    return 0;
  }

  const Arguments& arguments_;
  Machine machine_;
  Policy policy_;
  PromptTemplate template_;
  Engine engine_;
  SamplingParams params_;
  Progress progress_;
  std::uint64_t next_ordinal_ = 0;
};

}  // namespace

void add_generate(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("generate", "complete prompts: JSONL in and out, or a prompt a line");
  auto a = std::make_shared<Arguments>();
  command->add_option("--model", a->model, "model folder or checkpoint")->required();
  command->add_option("file", a->file, "JSONL rows with the prompt's fields; - is standard input")
      ->capture_default_str();
  add_prompt_options(*command, a->prompt);
  command->add_option("-n,--num-generations", a->samples, "completions a prompt")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--temperature", a->params.temperature, "0 is greedy")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command->add_option("--top-p", a->params.top_p, "smallest set of ids with this probability")
      ->check(CLI::Range(1e-9, 1.0))
      ->capture_default_str();
  command->add_option("--top-k", a->params.top_k, "0: off")
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str();
  command
      ->add_option("--max-completion-length", a->length,
                   "tokens (default 512, or what the model's positions leave)")
      ->check(CLI::Range(1, 1 << 24));
  command->add_option("--context", a->context, kContextHelp)->capture_default_str();
  command->add_option("--stop", a->params.stop_strings, "end when this text was written")
      ->allow_extra_args(false);
  command->add_option("--seed", a->params.seed, "of the samples")->capture_default_str();
  command->add_flag("-i,--interactive", a->interactive,
                    "a prompt a line, answered as it is sampled (default on a terminal); with "
                    "--prompt-template chat a conversation");
  command->add_flag("--logprobs", a->logprobs, "also write the log-probability of each token");
  command->add_flag("--ignore-eos", a->ignore_eos, "benchmarks: every completion has full length");
  command->add_flag("--timing", a->timing,
                    "tokens and seconds of each batch as JSON on standard error");
  command->add_option("--max-batch-size", a->max_batch, "rows decoded at once")
      ->capture_default_str();
  add_storage_option(*command, a->storage);
  add_device_option(*command, a->device);
  command->add_option("--threads", a->threads, "0: all cores")->capture_default_str();
  command->callback([&action, a] { action = [a] { return Generator(*a).run(); }; });
}

}  // namespace aha
