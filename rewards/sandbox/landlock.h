#pragma once
#include <cstdint>

namespace aha {

/// What a confined process may do with a path and what lies beneath it.
enum class PathAccess { Read, Device, Write };

// Landlock, the kernel's rules on paths for processes without privileges. Plain system calls without
// allocation: they are made between clone and exec.

/// Version of the kernel's interface; 0: it has none.
int landlock_version();

/// A set of rules under which nothing is allowed; -1 and errno on failure.
int landlock_ruleset();

/// Allows more. A path that cannot be opened is left out: there is nothing to allow.
bool landlock_allow(int ruleset, const char* path, PathAccess access);

/// From now on, for the calling thread; needs PR_SET_NO_NEW_PRIVS.
bool landlock_enforce(int ruleset);

}  // namespace aha
