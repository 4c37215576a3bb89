#pragma once
#include <filesystem>
#include <optional>
#include <string>

namespace aha {

/// Where a program is: a path as it stands, a bare name by PATH. Nothing when there is no such file that
/// may be executed.
std::optional<std::filesystem::path> program_path(const std::string& name);

/// The Python that `path` ends in, which may be a script that starts one (pyenv's and conda's do): scripts
/// start processes, which programs in a sandbox may not. `path` itself where it does not say.
std::filesystem::path interpreter_of(const std::filesystem::path& path);

/// The same as program_path; UserError "reward 'REWARD': NAME: ..." saying what is wrong with it.
std::filesystem::path required_program(const std::string& reward, const std::string& name);

}  // namespace aha
