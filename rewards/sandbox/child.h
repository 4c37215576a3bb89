#pragma once
#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rewards/sandbox/landlock.h"

namespace aha {

/// The walls around a process. What cannot be had is left out, and said.
struct Layers {
  bool namespaces = false;      ///< process ids, mounts, network, IPC of its own
  bool user_namespace = false;  ///< in which an ordinary user may make the others
  bool landlock = false;
  bool own_user = false;  ///< runs under an otherwise unused user id
  bool filter = false;    ///< of system calls
};

/// A path that the process may use, under the same name inside.
struct VisiblePath {
  std::string path;
  PathAccess access = PathAccess::Read;
  bool folder = true;
};

/// All that a child does between clone and exec, prepared by the parent: the child shares its memory
/// and allocates nothing.
struct ChildPlan {
  bool held = true;  ///< false: a program of the user's own keeps our rights, and `layers` has none
  Layers layers;
  std::vector<VisiblePath> paths;    ///< none lies beneath another
  std::vector<std::string> parents;  ///< folders to make in a new root for them, in order
  std::string root;                  ///< empty folder on which the new root is mounted
  std::string folder;                ///< working folder
  bool folder_writable = false;
  std::string uid_map;  ///< line for /proc/self/uid_map
  std::string gid_map;
  uid_t user = 0;  ///< with own_user
  std::vector<std::pair<int, rlim_t>> limits;
  std::span<const sock_filter> filter;
  int streams[3] = {-1, -1, -1};  ///< become 0, 1, 2; all at least 3
  bool keeper =
      false;  ///< it gets what its descendants leave behind, and SIGTERM when we end, not SIGKILL
  std::vector<char*> command;  ///< null at the end; [0] is what is executed
  std::vector<char*> environment;
};

/// The first step that failed, in memory that both sides see.
struct ChildFailure {
  const char* step;  ///< null: the program was executed
  int error;
};

/// The folder's name inside a new root.
constexpr const char* kBox = "/box";

/// Flags for clone.
int namespace_flags(const Layers& layers);

/// Walls itself in and executes the command. Returns only on failure, which it has noted.
int become_program(const ChildPlan& plan, ChildFailure& failure);

}  // namespace aha
