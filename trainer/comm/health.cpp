#include "trainer/comm/health.h"

#include <fmt/ranges.h>

#include <map>

#include "trainer/core/error.h"
#include "trainer/core/json.h"

namespace aha {
namespace {

std::string list_text(const std::vector<std::size_t>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ", ", ranks[i]);
  return text;
}

std::string one(std::size_t rank, const Activity& a) {
  return fmt::format("rank {} ({})", rank, a.host.empty() ? "host unknown" : a.host);
}

std::string place(const Activity& a) {
  const std::string where =
      a.operation.empty() ? "is in " + a.phase : "waits in " + a.operation + " of " + a.phase;
  return fmt::format("{} of step {} since {:.0f} s", where, a.step, a.seconds);
}

}  // namespace

std::string Activity::text() const {
  return dump_line(OrderedJson{{"host", host},
                               {"phase", phase},
                               {"step", step},
                               {"operation", operation},
                               {"seconds", seconds},
                               {"stop_wanted", stop_wanted},
                               {"left", left}});
}

Activity Activity::from_text(const std::string& text) {
  const Json json = parse_json(text, "a heartbeat");
  Activity a;
  try {
    a = {json.at("host"),    json.at("phase"),       json.at("step"), json.at("operation"),
         json.at("seconds"), json.at("stop_wanted"), json.at("left")};
  } catch (const Json::exception& error) {
    check(false, error.what());
  }
  return a;
}

std::string waiting_report(std::span<const Seen> ranks) {
  std::vector<std::size_t> absent;
  std::vector<std::string> gone;
  std::vector<std::string> elsewhere;
  std::map<std::string, std::vector<std::size_t>> waiting;  // by operation
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    const Activity& a = ranks[r].activity;
    if (!ranks[r].came) {
      absent.push_back(r);
    } else if (!a.left.empty()) {
      gone.push_back(fmt::format("{} ended: {}", one(r, a), a.left));
    } else if (ranks[r].silent_s >= kSilentAfterS) {
      gone.push_back(fmt::format("{} gives no sign of life since {:.0f} s; last seen, it {}",
                                 one(r, a), ranks[r].silent_s, place(a)));
    } else if (a.operation.empty()) {
      elsewhere.push_back(fmt::format("{} {}", one(r, a), place(a)));
    } else {
      waiting[a.operation].push_back(r);
    }
  }
  std::vector<std::string> parts;
  if (!absent.empty())
    parts.push_back(
        fmt::format("{} {} not come", list_text(absent), absent.size() == 1 ? "has" : "have"));
  parts.insert(parts.end(), gone.begin(), gone.end());
  parts.insert(parts.end(), elsewhere.begin(), elsewhere.end());
  for (const auto& [operation, who] : waiting)
    parts.push_back(
        fmt::format("{} wait{} in {}", list_text(who), who.size() == 1 ? "s" : "", operation));
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace aha
