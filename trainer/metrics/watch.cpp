#include "trainer/metrics/watch.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "trainer/core/error.h"
#include "trainer/core/text.h"
#include "trainer/metrics/console.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr std::streamoff kTail = 1 << 20;  // bytes of metrics.jsonl: some hundred steps

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0.0;
}

std::int64_t integer_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

Json object_in(const std::string& text) {
  try {
    Json json = parse_json(text, "");
    if (json.is_object()) return json;
  } catch (const UserError&) {
  }
  return Json::object();
}

MetricsRow row_of(const Json& json) {
  MetricsRow row(text_of(json, "stage"), integer_of(json, "step"), integer_of(json, "global_step"));
  for (const auto& [key, value] : json.items())
    if (value.is_number() && find_metric(key) != nullptr) row.set(key, value.get<double>());
  return row;
}

std::vector<MetricsRow> latest_rows(const fs::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff begin = std::max<std::streamoff>(0, file.tellg() - kTail);
  file.seekg(begin);
  std::string line;
  if (begin > 0) std::getline(file, line);  // cut
  std::vector<MetricsRow> rows;
  while (std::getline(file, line))
    if (const Json json = object_in(line); !json.empty()) rows.push_back(row_of(json));
  return rows;
}

std::string state_text(const RunView& view) {
  const Json& s = view.status;
  const auto state = text_of(s, "state");
  const auto where = fmt::format("pid {} on host {}", integer_of(s, "pid"), text_of(s, "host"));
  const auto again = fmt::format("go on with: aha train {} --resume auto",
                                 (view.run / "config.resolved.yaml").string());
  const auto last = text_of(s, "written");
  if (s.empty()) return "has begun, and has not said anything yet";
  if (state == "done") return fmt::format("done at {}", last);
  if (state == "stopped") return fmt::format("stopped by a signal at {}; {}", last, again);
  if (state == "failed")
    return fmt::format("failed at {}; {} says why", last, (view.run / "log.txt").string());
  if (view.alive)
    return fmt::format("running since {} ({}), {}", text_of(s, "began"),
                       duration_text(number_of(s, "seconds")), where);
  return fmt::format(
      "no sign of life since {}: {} was killed, hangs, or its host is gone; if it is dead, {}",
      last, where, again);
}

std::string position_text(const Json& s) {
  return fmt::format("stage {} ({} of {}), {} of {} steps done", text_of(s, "stage"),
                     integer_of(s, "stage_index") + 1, integer_of(s, "num_stages"),
                     integer_of(s, "step"), integer_of(s, "total_steps"));
}

/// What the console said last, with the time left by the steps before it.
std::string console_lines(const RunView& view) {
  const auto stage = text_of(view.status, "stage");
  const auto total = integer_of(view.status, "total_steps");
  std::string step;
  std::string evaluation;
  std::ostringstream out;
  Console console(out, {});
  for (const auto& row : view.rows) {
    if (row.stage() != stage) continue;
    if (row.step() > 0) {
      out.str("");
      console.step(row, total);
      step = out.str();
    }
    if (!row.get("eval_accuracy")) continue;
    out.str("");
    console.evaluation(row, total);
    evaluation = out.str();
  }
  return step + evaluation;
}

/// 0, 1, 2, 5 -> "ranks 0-2, 5".
std::string ranks_text(const std::vector<std::size_t>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size();) {
    std::size_t last = i;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1)
      ++last;
    text += fmt::format("{}{}", i > 0 ? ", " : "", ranks[i]);
    if (last > i) text += fmt::format("-{}", ranks[last]);
    i = last + 1;
  }
  return text;
}

std::string rank_lines(const Json& status) {
  constexpr double kSilent = 2.0;
  struct Together {
    std::vector<std::size_t> ranks;
    double longest_s = 0;
  };
  std::map<std::string, Together> doing;
  const auto ranks = status.find("ranks");
  if (ranks == status.end() || !ranks->is_array()) return "";
  for (std::size_t r = 0; r < ranks->size(); ++r) {
    const Json& one = (*ranks)[r];
    if (!one.is_object()) continue;
    const auto operation = text_of(one, "operation");
    auto what = fmt::format("{} of step {}", text_of(one, "phase"), integer_of(one, "step"));
    if (!operation.empty()) what = fmt::format("in {} of {}", operation, what);
    double seconds = number_of(one, "seconds");
    if (number_of(one, "silent_s") >= kSilent) {
      what = fmt::format("silent ({}), last seen {}", text_of(one, "host"), what);
      seconds = number_of(one, "silent_s");
    }
    auto& together = doing[what];
    together.ranks.push_back(r);
    together.longest_s = std::max(together.longest_s, seconds);
  }
  std::string lines;
  for (const auto& [what, who] : doing)
    lines += fmt::format("{}: {}, {}{}\n", ranks_text(who.ranks), what,
                         who.ranks.size() > 1 ? "longest " : "", duration_text(who.longest_s));
  return lines;
}

}  // namespace

std::int64_t RunView::beat() const {
  return integer_of(status, "beat");
}

bool RunView::says_running() const {
  return text_of(status, "state") == "running";
}

RunView read_view(const fs::path& run) {
  std::error_code error;
  if (!fs::is_directory(run, error)) fail("{}: is no folder", run.string());
  const auto status = run / "status.json";
  if (!fs::exists(status, error) && !fs::exists(run / "config.resolved.yaml", error))
    fail("{}: is no run's folder: it has neither status.json nor config.resolved.yaml",
         run.string());
  RunView view;
  view.run = run;
  std::ifstream file(status, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  view.status = object_in(text.str());
  view.rows = latest_rows(run / "metrics.jsonl");
  return view;
}

std::string watch_text(const RunView& view) {
  std::string text = fmt::format("{}: {}\n", view.run.string(), state_text(view));
  if (view.status.empty()) return text;
  if (view.status.contains("stage") && !text_of(view.status, "stage").empty())
    text += position_text(view.status) + '\n';
  text += console_lines(view);
  if (view.says_running()) text += rank_lines(view.status);
  return text;
}

}  // namespace aha
