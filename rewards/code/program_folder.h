#pragma once
#include <filesystem>
#include <string_view>

#include "rewards/sandbox/sandbox.h"
#include "trainer/core/file.h"

namespace aha {

/// A folder of the sandbox, gone at the end of the scope.
class ProgramFolder {
 public:
  explicit ProgramFolder(const Sandbox& sandbox) : path_(sandbox.new_folder()) {}
  ~ProgramFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ProgramFolder(const ProgramFolder&) = delete;
  ProgramFolder& operator=(const ProgramFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void add(const char* name, std::string_view text) const { write_program(path_ / name, text); }

  static void write_program(const std::filesystem::path& path, std::string_view text) {
    replace_file(path, text);
    std::filesystem::permissions(path, std::filesystem::perms(0644));
  }

 private:
  std::filesystem::path path_;
};

}  // namespace aha
