#include "rewards/programs.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
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

fs::path interpreter_of(const fs::path& path) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return path;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string program = path.string();
  std::string command = "import sys; print(sys.executable)";
  std::array<char, 3> option{"-c"};
  const std::array<char*, 4> words{program.data(), option.data(), command.data(), nullptr};
  pid_t pid = 0;
  const int wrong = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string said;
  std::array<char, 512> part{};
  for (ssize_t n = 1; wrong == 0 && n > 0;)
    if (n = ::read(ends[0], part.data(), part.size()); n > 0)
      said.append(part.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  if (wrong != 0) return path;
  ::waitpid(pid, nullptr, 0);
  said.resize(std::min(said.size(), said.find('\n')));
  return !said.empty() && is_program(said) ? fs::path(said) : path;
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
