#include "trainer/report/record.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "trainer/config/load.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/metrics/read_run.h"
#include "trainer/report/aliases.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

using Alias = std::optional<std::string> (*)(std::string_view key);

/// Rows of metrics to stages. Of several foreign keys with one alias the first one seen has it.
class StageBuilder {
 public:
  StageBuilder(std::vector<StageRecord>& stages, Alias alias) : stages_(stages), alias_(alias) {}

  void add(const Json& row, const std::string& stage_name, std::int64_t step,
           std::int64_t global_step) {
    StageRecord& stage = stage_called(stage_name, global_step - step);
    for (const auto& [key, value] : row.items()) {
      if (key == "step" || key == "global_step") continue;
      if (!value.is_number() && !value.is_null()) continue;
      put(stage.series[key], static_cast<double>(step), value);
      if (const auto ours = alias_of(key))
        put(stage.series[*ours], static_cast<double>(step), value);
    }
  }

  void settle() {
    for (auto& stage : stages_)
      for (auto& [key, series] : stage.series)
        series.settle();
  }

 private:
  static void put(Series& series, double step, const Json& value) {
    const double number = value.is_number() ? value.get<double>() : std::nan("");
    if (!std::isfinite(number)) {
      ++series.nulls;
      return;
    }
    series.steps.push_back(step);
    series.values.push_back(number);
  }

  std::optional<std::string> alias_of(const std::string& key) {
    if (alias_ == nullptr) return std::nullopt;
    auto ours = alias_(key);
    if (!ours || *ours == key) return std::nullopt;
    const auto owner = owners_.emplace(*ours, key).first;
    if (owner->second != key) return std::nullopt;
    return ours;
  }

  StageRecord& stage_called(const std::string& name, std::int64_t first_global_step) {
    for (auto& stage : stages_)
      if (stage.name == name) return stage;
    StageRecord stage;
    stage.name = name;
    stage.first_global_step = first_global_step;
    stages_.push_back(std::move(stage));
    return stages_.back();
  }

  std::vector<StageRecord>& stages_;
  Alias alias_;
  std::map<std::string, std::string> owners_;
};

std::optional<std::int64_t> integer(const Json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_number()) return std::nullopt;
  const double value = found->get<double>();
  if (!(std::abs(value) < 9e15) || value != std::floor(value)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

/// The lines of log.txt with which the run announced itself, without their times.
std::vector<std::string> plan_of(const fs::path& log) {
  constexpr std::size_t kMostLines = 200;
  std::vector<std::string> plan;
  std::ifstream file(log, std::ios::binary);
  for (std::string line; plan.size() < kMostLines && std::getline(file, line);) {
    constexpr std::size_t kTime = 20;  // "2026-01-31 12:00:00 "
    if (line.size() < kTime + 2 || line.compare(kTime, 2, "I ") != 0) continue;
    plan.push_back(line.substr(kTime + 2));
  }
  return plan;
}

void read_own(const fs::path& run, RunRecord& record) {
  StageBuilder builder(record.stages, nullptr);
  std::size_t odd = 0;
  each_json_row(run / "metrics.jsonl", record.notes, [&](Json&& row) {
    const auto step = integer(row, "step");
    if (!step) {
      ++odd;
      return;
    }
    const auto stage = row.find("stage");
    builder.add(row, stage != row.end() && stage->is_string() ? stage->get<std::string>() : "run",
                *step, integer(row, "global_step").value_or(*step));
  });
  builder.settle();
  if (odd > 0)
    record.notes.push_back(fmt::format("{}: {} row{} without a step left out",
                                       (run / "metrics.jsonl").string(), odd, odd == 1 ? "" : "s"));
  record.plan = plan_of(run / "log.txt");
  try {
    record.config = load_config(run / "config.resolved.yaml");
  } catch (const UserError& error) {
    record.notes.push_back(fmt::format("the configuration cannot be shown: {}", error.what()));
  }
}

/// Python's json writes NaN, Infinity and -Infinity, which JSON does not have: null in their place.
std::string with_nulls(std::string_view text) {
  constexpr std::string_view kNames[] = {"NaN", "Infinity", "-Infinity"};
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto rest = text.substr(i);
    const auto* name = in_string
                           ? std::end(kNames)
                           : std::find_if(std::begin(kNames), std::end(kNames),
                                          [&](std::string_view n) { return rest.starts_with(n); });
    if (name != std::end(kNames)) {
      out += "null";
      i += name->size() - 1;
      continue;
    }
    if (text[i] == '"') in_string = !in_string;
    out += text[i];
    if (in_string && text[i] == '\\' && i + 1 < text.size()) out += text[++i];
  }
  return out;
}

bool read_trl(const fs::path& file, RunRecord& record) {
  const Json state = parse_json(with_nulls(read_file(file)), file.string());
  if (!state.is_object() || !state.contains("log_history") || !state["log_history"].is_array())
    return false;
  record.software = "TRL";
  StageBuilder builder(record.stages, trl_alias);
  for (const auto& row : state["log_history"])
    if (row.is_object())
      if (const auto step = integer(row, "step")) builder.add(row, "grpo", *step, *step);
  builder.settle();
  return true;
}

/// verl writes {"step": n, "data": {...}}; a flat row with a step is understood too.
bool read_verl(const fs::path& file, RunRecord& record) {
  record.software = "verl";
  StageBuilder builder(record.stages, verl_alias);
  each_json_row(file, record.notes, [&](Json&& row) {
    const auto step = integer(row, "step");
    if (!step) return;
    const auto data = row.find("data");
    builder.add(data != row.end() && data->is_object() ? *data : row, "grpo", *step, *step);
  });
  builder.settle();
  return !record.stages.empty();
}

bool is_output_dir(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "metrics.jsonl", error) ||
         fs::exists(folder / "config.resolved.yaml", error);
}

}  // namespace

const Series* StageRecord::find(const std::string& key) const {
  const auto found = series.find(key);
  return found == series.end() || found->second.empty() ? nullptr : &found->second;
}

std::int64_t StageRecord::steps() const {
  double last = 0;
  for (const auto& [key, s] : series)
    if (!s.empty()) last = std::max(last, s.steps.back());
  return static_cast<std::int64_t>(last);
}

const StageRecord* RunRecord::main_stage() const {
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage)
    if (stage->find("reward") != nullptr) return &*stage;
  return stages.empty() ? nullptr : &stages.back();
}

bool is_foreign(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return true;
  return !is_output_dir(path) && fs::exists(path / "trainer_state.json", error);
}

RunRecord read_record(const fs::path& path) {
  RunRecord record;
  record.path = path;
  std::error_code error;
  if (!fs::exists(path, error)) fail("{}: is not there", path.string());
  if (fs::is_directory(path, error)) {
    if (is_output_dir(path)) {
      read_own(path, record);
      return record;
    }
    const auto state = path / "trainer_state.json";
    if (fs::exists(state, error) && read_trl(state, record)) return record;
  } else if (path.extension() == ".jsonl") {
    if (read_verl(path, record)) return record;
  } else if (read_trl(path, record)) {
    return record;
  }
  fail(
      "{}: is no run: expected an output_dir (with metrics.jsonl), a trainer_state.json with its "
      "log_history, or a JSONL file with a step in each row",
      path.string());
}

void name_apart(std::vector<RunRecord>& runs) {
  constexpr std::size_t kMostParts = 8;
  for (auto& run : runs) {
    fs::path rest = fs::absolute(run.path).lexically_normal();
    if (!rest.has_filename()) rest = rest.parent_path();
    run.name = rest.filename().string();
    for (std::size_t parts = 1; parts < kMostParts; ++parts) {
      const bool shared = std::any_of(runs.begin(), runs.end(), [&](const RunRecord& other) {
        if (&other == &run) return false;
        fs::path theirs = fs::absolute(other.path).lexically_normal();
        if (!theirs.has_filename()) theirs = theirs.parent_path();
        return theirs.string().size() >= run.name.size() &&
               theirs.string().compare(theirs.string().size() - run.name.size(), run.name.size(),
                                       run.name) == 0;
      });
      rest = rest.parent_path();
      if (!shared || rest.filename().empty()) break;
      run.name = (fs::path(rest.filename()) / run.name).string();
    }
  }
}

}  // namespace aha
