#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/core/json.h"
#include "trainer/metrics/step_metrics.h"

namespace aha {

/// What a run's folder says of the present.
struct RunView {
  std::filesystem::path run;
  Json status = Json::object();  ///< status.json; empty: none (yet)
  std::vector<MetricsRow> rows;  ///< the latest of metrics.jsonl
  bool alive = false;            ///< status.json is being renewed
  std::int64_t beat() const;     ///< its number; 0: none
  bool says_running() const;     ///< whether that is true, `alive` tells
};

/// Reads the folder. What is missing or does not parse is passed over: a run may be writing it. UserError when `run`
/// is no folder or holds nothing of a run. `alive` is left to the caller, who can look twice.
RunView read_view(const std::filesystem::path& run);

/// A few lines: how the run is; its latest step with speed, reward and time left, as the console writes it; its latest
/// evaluation; what the ranks do, those that do the same together. Ends with a newline.
std::string watch_text(const RunView& view);

}  // namespace aha
