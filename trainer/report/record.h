#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trainer/config/schema.h"
#include "trainer/report/series.h"

namespace aha {

/// What the metrics say of one stage. Steps are those within the stage.
struct StageRecord {
  std::string name;
  std::int64_t first_global_step = 0;
  std::map<std::string, Series> series;  ///< by the metric's key

  /// Null when the metric has no value anywhere in the stage.
  const Series* find(const std::string& key) const;
  /// The largest step of any metric.
  std::int64_t steps() const;
};

/// A run as the page shows it.
struct RunRecord {
  std::string name;              ///< the folder's or file's name
  std::filesystem::path path;    ///< as the user gave it
  std::string software = "aha";  ///< "aha", "TRL" or "verl"
  std::vector<StageRecord> stages;
  std::optional<Config> config;    ///< of config.resolved.yaml, when it is there and reads
  std::vector<std::string> plan;   ///< what the run printed before its first step (log.txt)
  std::vector<std::string> notes;  ///< what is missing or could not be read

  /// The stage whose question is "did it learn": the last one that has a reward in training, else
  /// the last one. Null when nothing was recorded.
  const StageRecord* main_stage() const;
};

/// Reads `path`: an output_dir, a trainer_state.json of transformers (or a folder with one), or a
/// JSONL file of verl's file logger. Foreign metrics get our names (aliases.h). What is missing,
/// half written or does not parse is said in `notes`. UserError when it is none of these.
RunRecord read_record(const std::filesystem::path& path);

/// True for what another program may have left and read_record reads: a file, or a folder that has a
/// trainer_state.json and is no output_dir.
bool is_foreign(const std::filesystem::path& path);

/// Names that tell the runs apart: the last part of each path, and its parents where those agree.
void name_apart(std::vector<RunRecord>& runs);

}  // namespace aha
