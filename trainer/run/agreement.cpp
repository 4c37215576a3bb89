#include "trainer/run/agreement.h"

#include <array>
#include <fstream>
#include <map>

#include "trainer/comm/rendezvous.h"
#include "trainer/config/dump.h"
#include "trainer/core/bytes.h"
#include "trainer/core/error.h"
#include "trainer/core/version.h"
#include "trainer/run/stage.h"

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

std::string scorer_problem(const Config& config) {
  try {
    for (const auto& stage : config.stages)
      make_scorer(stage);
    return "";
  } catch (const UserError& error) {
    return error.what();
  }
}

void require_scorers(Communicator& comm, const std::string& problem) {
  const auto own = problem.empty() ? problem : fmt::format("{}: {}", host_name(), problem);
  std::string text;
  const auto all = comm.all_gather(own, "reach_scorers");
  for (std::size_t r = 0; r < all.size(); ++r)
    if (!all[r].empty())
      text += fmt::format("{}rank {} on {}", text.empty() ? "" : "\n", r, all[r]);
  if (!text.empty()) fail("{}", text);
}

}  // namespace aha
