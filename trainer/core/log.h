#pragma once
#include <spdlog/spdlog.h>

#include <filesystem>

namespace aha {

/// The one logger: standard error, one line a message, and from `log_to_file` on also a file.
/// Use spdlog::info, spdlog::warn, ... after this has been called once at the top of main.
void init_log(bool verbose);

/// Appends every message to `path` as well (no colours). UserError when it cannot be opened.
void log_to_file(const std::filesystem::path& path);

}  // namespace aha
