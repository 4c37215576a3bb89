#include "rewards/programs.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "trainer/core/error.h"

namespace aha {
namespace {

namespace fs = std::filesystem;

bool is_program(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::optional<fs::path> program_path(const std::string& name) {
  if (name.find('/') != std::string::npos)
    return is_program(name) ? std::optional(fs::absolute(name)) : std::nullopt;
  const char* path = std::getenv("PATH");
  std::string_view left = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path;
  while (!left.empty()) {
    const auto folder = left.substr(0, left.find(':'));
    left.remove_prefix(std::min(left.size(), folder.size() + 1));
    if (!name.empty() && !folder.empty() && is_program(fs::path(folder) / name))
      return fs::absolute(fs::path(folder) / name);
  }
  return std::nullopt;
}

fs::path required_program(const std::string& reward, const std::string& name) {
  if (const auto path = program_path(name)) return *path;
  std::error_code error;
  const bool there = name.find('/') != std::string::npos && fs::exists(name, error);
  fail("reward '{}': '{}' is {}, expected a program", reward, name,
       there ? "not executable (chmod +x, or name its interpreter first)"
       : name.find('/') != std::string::npos ? "not there"
                                             : "not on the PATH");
}

}  // namespace aha
