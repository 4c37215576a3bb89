#include "rewards/code/installation.h"

#include <string_view>

namespace aha {
namespace {

namespace fs = std::filesystem;

bool holds(const fs::path& folder, std::initializer_list<std::string_view> beginnings) {
  std::error_code error;
  for (fs::directory_iterator entries(folder, error), end; !error && entries != end;
       entries.increment(error))
    for (const auto beginning : beginnings)
      if (entries->path().filename().string().starts_with(beginning)) return true;
  return false;
}

/// Whether a folder is an installation of Python or a compiler, and not a home folder with programs.
bool is_installation(const fs::path& prefix) {
  std::error_code error;
  return prefix != prefix.root_path() &&
         (fs::is_regular_file(prefix / "pyvenv.cfg", error) ||
          holds(prefix / "lib", {"python", "gcc", "clang"}) || holds(prefix / "lib64", {"gcc"}));
}

/// A program's path, what it links to, what that links to, and so on; last the file itself.
std::vector<fs::path> links_of(fs::path path) {
  constexpr int kMostLinks = 40;  // the kernel's
  std::vector<fs::path> links;
  std::error_code error;
  const auto real = fs::canonical(path, error);
  for (int i = 0; i < kMostLinks; ++i) {
    links.push_back(path.lexically_normal());
    if (!fs::is_symlink(path, error)) break;
    path = path.parent_path() / fs::read_symlink(path, error);
  }
  if (!real.empty()) links.push_back(real);
  return links;
}

}  // namespace

fs::path within_installation(const fs::path& python) {
  std::error_code error;
  const auto real = fs::canonical(python, error);
  return error || is_installation(python.parent_path().parent_path()) ? python : real;
}

std::vector<std::string> paths_of_program(const fs::path& program) {
  std::vector<std::string> paths;
  for (const auto& link : links_of(program)) {
    const auto prefix = link.parent_path().parent_path();
    paths.push_back(is_installation(prefix) ? prefix : link);
  }
  return paths;
}

}  // namespace aha
