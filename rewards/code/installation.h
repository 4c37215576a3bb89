#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace aha {

/// A Python as it is to be started: a link into an installation from elsewhere is not part of it.
std::filesystem::path within_installation(const std::filesystem::path& python);

/// What must be visible for a program outside the system's folders to run: of it, and of all that it
/// links to, the installation it belongs to (a virtual environment, PREFIX of PREFIX/lib/python3.11,
/// PREFIX/lib/gcc), or where it belongs to none the file alone.
std::vector<std::string> paths_of_program(const std::filesystem::path& program);

}  // namespace aha
