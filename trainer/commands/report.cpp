#include <filesystem>
#include <iostream>
#include <memory>

#include "trainer/commands/commands.h"
#include "trainer/commands/report_page.h"
#include "trainer/config/load.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/text.h"
#include "trainer/metrics/read_run.h"
#include "trainer/report/csv.h"
#include "trainer/report/markdown.h"
#include "trainer/run/preflight.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

struct Arguments {
  std::vector<std::string> runs;
  std::string format;
  std::string output;
};

/// The plan is made again from the run's configuration. Data that has moved since is no reason to
/// withhold what the run did.
void put_plan(const fs::path& run, ReportInputs& inputs) {
  try {
    const Config config = load_config(run / "config.resolved.yaml");
    inputs.plan = plan_lines(config, preflight(config));
  } catch (const UserError& error) {
    inputs.notes.push_back(fmt::format("the plan cannot be made again: {}", error.what()));
  }
}

std::vector<RunRecord> records(const std::vector<std::string>& paths) {
  std::vector<RunRecord> runs;
  for (const auto& path : paths)
    runs.push_back(read_record(path));
  name_apart(runs);
  return runs;
}

/// Of another program's run there are metrics alone: Markdown, which reads as text.
std::string text_of(const std::string& run) {
  if (is_foreign(run)) return markdown_report(records({run}), "");
  ReportInputs inputs = read_run(run);
  put_plan(run, inputs);
  return run_report(inputs);
}

std::string text_report(const std::vector<std::string>& runs) {
  std::string text;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs.size() > 1) text += fmt::format("{}=== {}\n\n", i > 0 ? "\n" : "", runs[i]);
    text += text_of(runs[i]);
  }
  return text;
}

/// --format, else what the output's name ends in; without either the text on a terminal.
std::string format_of(const Arguments& a) {
  if (!a.format.empty()) return a.format;
  if (a.output.empty() || a.output == "-") return "text";
  const std::string ending = fs::path(a.output).extension().string();
  for (const char* format : {"html", "md", "csv"})
    if (ending == std::string(".") + format) return format;
  fail("-o {}: the name says no format, expected .html, .md or .csv, or --format", a.output);
}

/// Markdown's curves are a picture of their own, beside it.
std::string markdown_with_picture(const Arguments& a, const std::vector<RunRecord>& runs) {
  if (a.output.empty() || a.output == "-") return markdown_report(runs, "");
  fs::path picture = a.output;
  picture.replace_extension(".svg");
  write_file_atomic(picture, svg_curves(runs));
  return markdown_report(runs, picture.filename().string());
}

int report(const Arguments& a) {
  const std::string format = format_of(a);
  std::string text;
  if (format == "html") text = report_page(a.runs);
  if (format == "md") text = markdown_with_picture(a, records(a.runs));
  if (format == "csv") text = csv_report(records(a.runs));
  if (format == "text") text = text_report(a.runs);
  if (a.output.empty() || a.output == "-") {
    std::cout << text;
    return 0;
  }
  write_file_atomic(a.output, text);
  std::cerr << a.output << ": " << bytes_text(static_cast<double>(text.size())) << '\n';
  return 0;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "report", "what runs did: text on a terminal, or one HTML page with curves and samples");
  auto a = std::make_shared<Arguments>();
  command
      ->add_option("run", a->runs,
                   "output_dir of one run or several; also trainer_state.json of TRL, or the JSONL "
                   "file of verl's file logger")
      ->required();
  command->add_option("-o,--output", a->output, "file to write, e.g. report.html");
  command
      ->add_option("--format", a->format,
                   "text, html, md (with curves as SVG beside it) or csv (every value); without it "
                   "as the file's name ends, else text (Markdown of another program's run)")
      ->check(CLI::IsMember({"text", "html", "md", "csv"}));
  command->callback([&action, a] { action = [a] { return report(*a); }; });
}

}  // namespace aha
