#include "trainer/comm/slurm_lists.h"

#include <charconv>
#include <cstdint>
#include <optional>

#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::size_t kMostHosts = 65536;
constexpr std::size_t kMostDigits = 9;

/// A list under way: where it came from, for messages.
struct Source {
  std::string_view list;
  std::string_view name;

  [[noreturn]] void refuse(std::string_view why) const {
    fail("{}: '{}' cannot be read as Slurm's: {}", name, list.substr(0, 200), why);
  }
};

std::optional<std::int64_t> number(std::string_view digits) {
  std::int64_t value = 0;
  if (digits.empty() || digits.size() > kMostDigits) return std::nullopt;
  const auto end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc{} || stop != end || value < 0) return std::nullopt;
  return value;
}

/// Cuts at commas outside brackets.
std::vector<std::string_view> parts_of(const Source& source, std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  bool inside = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    if ((c == '[' && inside) || (c == ']' && !inside)) source.refuse("brackets do not match");
    if (c == '[' || c == ']') inside = c == '[';
    if (c != ',' || (inside && i < text.size())) continue;
    parts.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  if (inside) source.refuse("a bracket is not closed");
  return parts;
}

/// "3", "08-10": the numbers as text, of the width of the first.
void append_range(const Source& source, std::string_view range, std::vector<std::string>& out) {
  const auto dash = range.find('-');
  const auto low_text = range.substr(0, dash);
  const auto low = number(low_text);
  const auto high =
      dash == std::string_view::npos ? low : number(range.substr(std::min(range.size(), dash + 1)));
  if (!low || !high || *high < *low) source.refuse("a range is no 'FIRST-LAST'");
  if (static_cast<std::size_t>(*high - *low) >= kMostHosts - out.size())
    source.refuse("it has more than 65536 hosts");
  for (auto n = *low; n <= *high; ++n)
    out.push_back(fmt::format("{:0{}}", n, low_text.size()));
}

/// One entry, with any number of brackets; the last one runs fastest.
std::vector<std::string> hosts_of(const Source& source, std::string_view entry) {
  std::vector<std::string> hosts = {""};
  while (!entry.empty()) {
    const auto open = entry.find('[');
    for (auto& host : hosts)
      host += entry.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = entry.find(']', open);
    const auto inner = entry.substr(open + 1, close - open - 1);
    std::vector<std::string> numbers;
    for (const auto range : parts_of(source, inner))
      append_range(source, range, numbers);
    if (numbers.size() * hosts.size() > kMostHosts) source.refuse("it has more than 65536 hosts");
    std::vector<std::string> longer;
    for (const auto& host : hosts)
      for (const auto& text : numbers)
        longer.push_back(host + text);
    hosts = std::move(longer);
    entry.remove_prefix(close + 1);
  }
  return hosts;
}

}  // namespace

std::vector<std::string> expanded_hosts(std::string_view list, std::string_view name) {
  const Source source{list, name};
  std::vector<std::string> all;
  for (const auto entry : parts_of(source, list)) {
    if (entry.empty()) source.refuse("a host has no name");
    auto hosts = hosts_of(source, entry);
    if (all.size() + hosts.size() > kMostHosts) source.refuse("it has more than 65536 hosts");
    all.insert(all.end(), hosts.begin(), hosts.end());
  }
  return all;
}

std::vector<int> expanded_tasks(std::string_view list, std::string_view name) {
  const Source source{list, name};
  std::vector<int> tasks;
  for (const auto entry : parts_of(source, list)) {
    const auto open = entry.find("(x");
    std::optional<std::int64_t> times = 1;
    if (open != std::string_view::npos)
      times = entry.back() == ')' ? number(entry.substr(open + 2, entry.size() - open - 3))
                                  : std::nullopt;
    const auto count = number(entry.substr(0, open));
    if (!count || !times) source.refuse("an entry is no 'TASKS' or 'TASKS(xNODES)'");
    if (static_cast<std::size_t>(*times) > kMostHosts - tasks.size())
      source.refuse("it has more than 65536 nodes");
    tasks.insert(tasks.end(), static_cast<std::size_t>(*times), static_cast<int>(*count));
  }
  return tasks;
}

}  // namespace aha
