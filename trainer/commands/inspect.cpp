#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>

#include "data/formats.h"
#include "data/inspect.h"
#include "rewards/correctness.h"
#include "rewards/registry.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/shared.h"
#include "trainer/core/clock.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::int64_t kBins = 10;

struct Arguments {
  std::string file;
  std::string format;
  std::string tokenizer;
  std::string reward;
  std::vector<std::string> eval;
  std::string eval_format;
  std::string field = "question";
  std::string answer_field = "answer";
  bool json = false;
};

/// The reward that judges the golds: the one asked for, else the one that the format names.
class Judge {
 public:
  Judge(std::string reward, std::string answer_field)
      : spec_(std::move(reward)), answer_field_(std::move(answer_field)) {
    if (!spec_.empty()) make(spec_);
  }

  std::optional<std::string> problem(const std::string& format, const Json& row) {
    if (spec_.empty()) {
      spec_ = row_format(format).reward;
      if (!spec_.empty()) make(spec_);
    }
    return reward_ ? why_unjudgeable(*reward_, row, answer_field_) : std::nullopt;
  }

  /// Empty: nothing judges.
  const std::string& name() const { return spec_; }

 private:
  void make(const std::string& spec) {
    auto function = parse_reward_spec(spec);
    if (reward_info(function.name).has_option("answer_field"))
      function.options.emplace("answer_field", answer_field_);
    reward_ = make_reward(function.name, function.options);
  }

  std::string spec_;
  std::string answer_field_;
  std::unique_ptr<Reward> reward_;
};

/// "  12-28  ######## 31" a line.
void print_histogram(const Lengths& lengths) {
  constexpr double kWidth = 40;
  std::int64_t highest = 1;
  for (const auto& bin : lengths.histogram(kBins))
    highest = std::max(highest, bin.count);
  for (const auto& bin : lengths.histogram(kBins)) {
    const auto share = static_cast<double>(bin.count) / static_cast<double>(highest);
    // what is there is seen
    const auto bar = static_cast<std::size_t>(std::ceil(kWidth * share));
    std::cout << fmt::format("{:>16}  {:<40} {}\n", fmt::format("{}-{}", bin.from, bin.to),
                             std::string(bar, '#'), with_commas(bin.count));
  }
}

void print_lengths(const char* what, const Lengths& lengths, const char* unit) {
  if (lengths.total() == 0) return;
  std::cout << fmt::format("{:<10} {}: min {}, median {}, p95 {}, max {}\n", what, unit,
                           lengths.least(), lengths.quantile(0.5), lengths.quantile(0.95),
                           lengths.most());
}

void print_lines(const std::string& title, const NotedLines& lines) {
  std::cout << title << '\n';
  for (const auto& line : lines.first)
    std::cout << "           " << line << '\n';
  if (lines.count > std::ssize(lines.first)) std::cout << "           ...\n";
}

template <class Map, class Entry>
std::string listed(const Map& map, const Entry& entry) {
  std::string text;
  for (const auto& [name, value] : map)
    text += (text.empty() ? "" : ", ") + entry(name, value);
  return text;
}

void print(const Arguments& a, const FileReport& r, const std::string& judge) {
  const auto name = a.file == "-" ? "standard input" : a.file;
  std::cout << fmt::format("{}: {} rows in format {}{}, {}\n", name, with_commas(r.rows), r.format,
                           r.guessed ? " (as its first row looks)" : "",
                           bytes_text(static_cast<double>(r.bytes)));
  if (r.invalid.count > 0)
    print_lines(fmt::format("invalid    {} lines are no rows", with_commas(r.invalid.count)),
                r.invalid);
  std::cout << "fields     " << listed(r.fields, [&](const auto& field, const auto& types) {
    std::int64_t rows = 0;
    for (const auto& [type, count] : types)
      rows += count;
    return fmt::format("{} ({}{})", field,
                       listed(types, [](const auto& type, auto) { return type; }),
                       rows == r.rows ? "" : fmt::format(", in {} rows", with_commas(rows)));
  }) << '\n';
  std::cout << "sources    " << listed(r.sources, [&](const auto& source, auto count) {
    return fmt::format("{} {:.1f} %", source,
                       100.0 * static_cast<double>(count) / static_cast<double>(r.rows));
  }) << '\n';
  const char* unit = a.tokenizer.empty() ? "characters" : "tokens";
  print_lengths("questions", r.questions, unit);
  print_histogram(r.questions);
  print_lengths("answers", r.answers, unit);
  if (r.without_question > 0)
    std::cout << fmt::format(
        "           {} rows have no '{}'; --field or --format says where it is\n",
        with_commas(r.without_question), a.field);
  if (judge.empty())
    std::cout << "golds      nothing here judges them; --reward NAME does\n";
  else
    print_lines(fmt::format("golds      {} of {} can be judged by {}",
                            with_commas(r.rows - r.golds.count), with_commas(r.rows), judge),
                r.golds);
  std::cout << "duplicates " << (r.duplicates.count > 0 ? r.duplicates.text() : "none") << '\n';
  if (!a.eval.empty())
    std::cout << "overlap    with " << join_list(a.eval) << ": "
              << (r.overlap.count > 0 ? r.overlap.text() : "none") << '\n';
}

OrderedJson json_of(const Lengths& lengths, const char* unit) {
  auto bins = OrderedJson::array();
  for (const auto& bin : lengths.histogram(kBins))
    bins.push_back({bin.from, bin.to, bin.count});
  return {{"unit", unit},
          {"min", lengths.least()},
          {"median", lengths.quantile(0.5)},
          {"p95", lengths.quantile(0.95)},
          {"max", lengths.most()},
          {"histogram", bins}};
}

OrderedJson json_of(const NotedLines& lines) {
  return {{"count", lines.count}, {"first", lines.first}};
}

OrderedJson json_of(const DuplicateReport& report) {
  return {{"count", report.count}, {"first", report.first}};
}

OrderedJson json_of(const Arguments& a, const FileReport& r, const std::string& judge) {
  const char* unit = a.tokenizer.empty() ? "characters" : "tokens";
  OrderedJson json{{"file", a.file},
                   {"format", r.format},
                   {"rows", r.rows},
                   {"bytes", r.bytes},
                   {"fields", r.fields},
                   {"sources", r.sources},
                   {"invalid", json_of(r.invalid)},
                   {"questions", json_of(r.questions, unit)},
                   {"answers", json_of(r.answers, unit)},
                   {"without_question", r.without_question}};
  json["reward"] = judge.empty() ? OrderedJson() : OrderedJson(judge);
  json["unparseable"] = judge.empty() ? OrderedJson() : json_of(r.golds);
  json["duplicates"] = json_of(r.duplicates);
  json["overlap"] = a.eval.empty() ? OrderedJson() : json_of(r.overlap);
  return json;
}

int inspect(const Arguments& a) {
  const auto tokenizer = a.tokenizer.empty() ? nullptr : load_tokenizer(a.tokenizer);
  Judge judge(a.reward, a.answer_field);
  InspectOptions options;
  options.format = a.format;
  options.question_field = a.field;
  options.answer_field = a.answer_field;
  options.tokenizer = tokenizer.get();
  options.gold = [&](const std::string& format, const Json& row) {
    return judge.problem(format, row);
  };
  options.eval.assign(a.eval.begin(), a.eval.end());
  options.eval_format = a.eval_format;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  auto said = Clock::now();
  if (terminal)
    options.progress = [&](std::int64_t rows, std::int64_t bytes) {
      if (seconds_since(said) < 0.5) return;
      said = Clock::now();
      std::cerr << fmt::format("\r{} rows, {} ", with_commas(rows),
                               bytes_text(static_cast<double>(bytes)))
                << std::flush;
    };
  const auto report = inspect_file(a.file, options);
  if (terminal) std::cerr << "\r\x1b[K";
  if (a.json)
    std::cout << dump_line(json_of(a, report, judge.name())) << '\n';
  else
    print(a, report, judge.name());
  return 0;
}

std::string format_help() {
  std::string text = "Formats:\n";
  for (const auto& format : format_table())
    text += fmt::format("  {:<10} reads {}; gold: {}\n", format.name, format.reads, format.gold);
  return text;
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "inspect", "what is in a data file: fields, lengths, bad golds, duplicates, overlap");
  auto a = std::make_shared<Arguments>();
  command->add_option("file", a->file, "JSONL; - is standard input")->required();
  command->add_option("--format", a->format, "see below; default: what the first row looks like")
      ->check(CLI::IsMember(format_names()));
  command->add_option("--model,--tokenizer", a->tokenizer,
                      "folder with tokenizer.json: lengths in tokens");
  command->add_option("--reward", a->reward,
                      "NAME[:key=value,...] that has to read the golds; default: the format's");
  command->add_option("--eval", a->eval, "an evaluation file whose questions should not be in it")
      ->allow_extra_args(false);
  command->add_option("--eval-format", a->eval_format, "of the evaluation files; default: --format")
      ->check(CLI::IsMember(format_names()));
  command->add_option("--field", a->field, "field that holds the question")->capture_default_str();
  command->add_option("--answer-field", a->answer_field, "field that holds the gold")
      ->capture_default_str();
  command->add_flag("--json", a->json, "one JSON object instead of a text");
  command->footer(format_help());
  command->callback([&action, a] { action = [a] { return inspect(*a); }; });
}

}  // namespace aha
