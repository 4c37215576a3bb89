#include "rewards/sandbox/visible_paths.h"

#include <algorithm>
#include <filesystem>

namespace aha {
namespace {

namespace fs = std::filesystem;

const char* const kSystemFolders[] = {"/usr",   "/bin",   "/sbin",   "/lib",
                                      "/lib32", "/lib64", "/libx32", "/etc/alternatives"};
const char* const kSystemFiles[] = {"/etc/ld.so.cache", "/etc/ld.so.conf"};
const char* const kDevices[] = {"/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"};

bool is_beneath(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

}  // namespace

std::vector<VisiblePath> visible_paths(const std::vector<std::string>& more) {
  std::vector<VisiblePath> paths;
  const auto add = [&paths](const std::string& path, PathAccess access) {
    std::error_code error;
    const auto status = fs::status(path, error);
    const bool known = std::any_of(paths.begin(), paths.end(), [&](const VisiblePath& other) {
      return is_beneath(path, other.path);
    });
    if (!error && fs::exists(status) && !known)
      paths.push_back({path, access, fs::is_directory(status)});
  };
  for (const char* path : kSystemFolders)
    add(path, PathAccess::Read);
  for (const char* path : kSystemFiles)
    add(path, PathAccess::Read);
  for (const auto& path : more)
    add(path, PathAccess::Read);
  for (const char* path : kDevices)
    add(path, PathAccess::Device);
  return paths;
}

std::vector<std::string> parents_of(const std::vector<VisiblePath>& paths) {
  std::vector<std::string> parents;
  for (const auto& path : paths)
    for (auto slash = path.path.find('/', 1); slash != std::string::npos;
         slash = path.path.find('/', slash + 1))
      if (auto parent = path.path.substr(0, slash);
          std::find(parents.begin(), parents.end(), parent) == parents.end())
        parents.push_back(std::move(parent));
  return parents;
}

}  // namespace aha
