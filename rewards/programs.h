#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace aha {

/// Where a program is: a path as it stands, a bare name by PATH. Nothing when there is no such file that
/// may be executed.
std::optional<std::filesystem::path> program_path(const std::string& name);

/// The same; UserError "reward 'REWARD': NAME: ..." saying what is wrong with it.
std::filesystem::path required_program(const std::string& reward, const std::string& name);

}  // namespace aha
