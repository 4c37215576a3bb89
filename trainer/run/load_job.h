#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/config/load.h"

namespace aha {

/// load_config, and the rules that need the tables of rewards and tasks: names, their options
/// and the values of these are reported in the same UserError, each with its place.
Config load_job(const std::filesystem::path& path, const std::vector<std::string>& overrides = {});

}  // namespace aha
