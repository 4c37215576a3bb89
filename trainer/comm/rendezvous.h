#pragma once
#include <string>

namespace aha {

/// This host's name, for reports; "?" when it has none.
std::string host_name();

/// A name for one start of this machine, the same in all its containers: as far as its clock and its locks reach.
std::string machine_id();

/// The address by which this host reaches `master`: the one that other hosts can reach it by, which a
/// hostname in /etc/hosts often is not (Debian's 127.0.1.1). Sends nothing. CommError when the name cannot be
/// resolved or no network leads there.
std::string own_address(const std::string& master, int port);

/// True when `host`, a name or an address, means this one.
bool is_this_host(const std::string& host);

}  // namespace aha
