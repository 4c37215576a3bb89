#pragma once
#include <string>
#include <vector>

#include "rewards/sandbox/child.h"

namespace aha {

/// What programs see: the system's programs and libraries, a few devices, and `more`, as far as it is there.
std::vector<VisiblePath> visible_paths(const std::vector<std::string>& more);

/// The folders that hold them, outer ones first.
std::vector<std::string> parents_of(const std::vector<VisiblePath>& paths);

}  // namespace aha
