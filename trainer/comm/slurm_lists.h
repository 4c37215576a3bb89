#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace aha {

/// The hosts of a Slurm node list in its order: "gpu[1-2,08-10],login" -> gpu1 gpu2 gpu08 gpu09 gpu10
/// login; "rack[0-1]n[1-2]" -> rack0n1 rack0n2 rack1n1 rack1n2. A range keeps the width of its first
/// number. `name` is the variable it came from, for the UserError when it is none, or longer than
/// 65,536 hosts.
std::vector<std::string> expanded_hosts(std::string_view list, std::string_view name);

/// Tasks of each node: "4(x2),1" -> 4 4 1. UserError as above.
std::vector<int> expanded_tasks(std::string_view list, std::string_view name);

}  // namespace aha
