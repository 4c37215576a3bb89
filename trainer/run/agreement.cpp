#include "trainer/run/agreement.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>

#include "trainer/config/dump.h"
#include "trainer/core/bytes.h"
#include "trainer/core/error.h"
#include "trainer/core/parallel.h"
#include "trainer/core/version.h"

namespace aha {
namespace {

/// FNV-1a over the program's file: two builds of one version differ too.
std::uint64_t program_hash() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  std::uint64_t hash = 14695981039346656037ULL;
  std::array<char, 1 << 16> block{};
  while (file.read(block.data(), block.size()) || file.gcount() > 0)
    for (std::streamsize i = 0; i < file.gcount(); ++i)
      hash = (hash ^ static_cast<unsigned char>(block[static_cast<std::size_t>(i)])) *
             1099511628211ULL;
  return hash;
}

/// What must be equal everywhere, one text a thing.
std::map<std::string, std::string> identity(const Config& config) {
  auto values = settled_values(config);
  values["output_dir"] = config.output_dir;
  values["the program"] = fmt::format("aha {} ({:x})", kVersion, program_hash());
  return values;
}

std::string message_of(const std::map<std::string, std::string>& values) {
  ByteWriter out;
  for (const auto& [key, value] : values) {
    out.add(key);
    out.add(value);
  }
  return out.take();
}

std::map<std::string, std::string> read_message(const std::string& bytes) {
  std::map<std::string, std::string> values;
  for (ByteReader in(bytes); !in.done();) {
    const auto key = in.text();
    values[key] = in.text();
  }
  return values;
}

/// The host and the cores that this process may run on.
std::string cores_text() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  std::string text = host.data();
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0)
    for (int core = 0; core < CPU_SETSIZE; ++core)
      text += CPU_ISSET(core, &set) ? '1' : '0';
  return text;
}

}  // namespace

void require_agreement(Communicator& comm, const Config& config) {
  if (comm.size() == 1) return;
  const auto all = comm.all_gather(message_of(identity(config)), "agree_on_config");
  const auto expected = read_message(all.front());
  std::string text;
  for (std::size_t r = 1; r < all.size(); ++r) {
    const auto values = read_message(all[r]);
    for (const auto& [key, value] : expected) {
      const auto found = values.find(key);
      const std::string other = found == values.end() ? "absent" : found->second;
      if (other != value)
        text += fmt::format("{}{}: rank {} has {}, rank 0 has {}", text.empty() ? "" : "\n", key, r,
                            other, value);
    }
    for (const auto& [key, value] : values)
      if (!expected.contains(key))
        text += fmt::format("{}{}: rank {} has {}, rank 0 has none", text.empty() ? "" : "\n", key,
                            r, value);
  }
  if (!text.empty()) fail("{}\nevery rank needs the same program and configuration", text);
}

int threads_of_rank(Communicator& comm, std::int64_t threads) {
  if (threads > 0) return static_cast<int>(threads);
  const std::string own = cores_text();
  const auto all = comm.all_gather(own, "share_cores");
  const auto sharers = std::count(all.begin(), all.end(), own);
  return std::max(1, available_cores() / static_cast<int>(sharers));
}

}  // namespace aha
