#pragma once
#include <filesystem>
#include <functional>

#include "trainer/metrics/report.h"

namespace aha {

/// What a run's folder says of itself, for `run_report`; everything but the plan is filled in.
///
/// The stage is the last one that was evaluated. Files are read line by line, and of the
/// completions only those of its first and last evaluation are kept. What is missing or does not
/// parse (a run under way, one that was killed, a file cut by hand) is passed over and said in
/// ReportInputs::notes. UserError only when `run` is no folder or holds nothing of a run.
ReportInputs read_run(const std::filesystem::path& run);

/// Calls `use` for every line of a JSONL file that is a JSON object. A last line that has no newline
/// and does not parse is a record that is being written. What is no object, or a file that cannot
/// be read, is said in `notes`. Lines are held one by one.
void each_json_row(const std::filesystem::path& path, std::vector<std::string>& notes,
                   const std::function<void(Json&&)>& use);

/// `text` as one word of a POSIX shell.
std::string shell_word(const std::string& text);

}  // namespace aha
