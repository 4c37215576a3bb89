#include "data/tasks/generated_task.h"

#include <algorithm>

#include "data/text_hash.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::uint64_t kHeldOutShare = 4;  // one problem in four
// Beyond this row nothing is remembered: rows are plain draws again.
constexpr std::uint64_t kDistinctRows = 1 << 17;

}  // namespace

Split split_of(std::string_view identity) {
  return text_hash(identity) % kHeldOutShare == 0 ? Split::HeldOut : Split::Train;
}

Json GeneratedTask::row(Split split, std::uint64_t seed, std::uint64_t index) const {
  return draw_at(split, seed, split == Split::HeldOut ? held_out_draw(seed, index) : index);
}

Json GeneratedTask::draw_at(Split split, std::uint64_t seed, std::uint64_t draw_index) const {
  RandomStream random({.seed = seed,
                       .purpose = Purpose::Task,
                       .ordinal = draw_index,
                       .sample = split == Split::HeldOut ? 1U : 0U});
  return draw(split, random);
}

std::uint64_t GeneratedTask::held_out_draw(std::uint64_t seed, std::uint64_t index) const {
  constexpr std::uint64_t kPlainDraws = std::uint64_t{1} << 40;  // far from the distinct ones
  if (index >= kDistinctRows) return kPlainDraws + index;
  const std::lock_guard lock(mutex_);
  auto& rows = held_out_[seed];
  while (rows.draws.size() <= index) {
    const auto question = draw_at(Split::HeldOut, seed, rows.next)["question"].get<std::string>();
    if (rows.seen.insert(text_hash(question)).second) {
      rows.draws.push_back(rows.next);
      rows.repeats = 0;
    } else if (++rows.repeats > 64 + 16 * rows.seen.size()) {
      rows.seen.clear();  // all were seen, but for the rarest: the next round begins
      rows.repeats = 0;
    }
    ++rows.next;
  }
  return rows.draws[index];
}

void GeneratedTask::require_both_splits() const {
  draw_at(Split::Train, 0, 0);
  draw_at(Split::HeldOut, 0, 0);
}

void fail_no_problem(std::string_view task, Split split) {
  fail("task '{}': its options leave no problem {}; allow more numbers, operators or bits", task,
       split == Split::HeldOut ? "to hold out" : "to train on");
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  constexpr std::string_view kSpace = " \t\r\n";
  auto at = text.find_first_not_of(kSpace);
  while (at != std::string_view::npos) {
    const auto end = std::min(text.find_first_of(kSpace, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSpace, end);
  }
  return words;
}

std::optional<std::int64_t> number_of(std::string_view word) {
  if (word.empty() || word.size() > 9) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : word) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<std::vector<std::int64_t>> numbers_field(const Json& row, const char* field) {
  const auto found = row.find(field);
  if (found == row.end() || !found->is_array()) return std::nullopt;
  std::vector<std::int64_t> numbers;
  for (const auto& value : *found) {
    if (!value.is_number_integer()) return std::nullopt;
    numbers.push_back(value.get<std::int64_t>());
  }
  return numbers;
}

std::int64_t RateTable::sum(const std::string& count) const {
  const auto found = sums_.find(count);
  return found == sums_.end() ? 0 : found->second;
}

void RateTable::rate(const std::string& name, const std::string& part, std::int64_t whole) {
  if (whole > 0) values[name] = static_cast<double>(sum(part)) / static_cast<double>(whole);
}

std::string joined(const std::vector<std::int64_t>& numbers, std::string_view separator) {
  return fmt::format("{}", fmt::join(numbers, separator));
}

void refuse_unused(const std::string& task, const TaskOptions& options,
                   const std::vector<std::string>& used) {
  const TaskOptions plain;
  const std::vector<std::pair<std::string, bool>> changed = {
      {"wait_probability", options.wait_probability != plain.wait_probability},
      {"verdict", options.verdict != plain.verdict},
      {"max_attempts", options.max_attempts != plain.max_attempts},
      {"max_number", options.max_number != plain.max_number},
      {"operators", options.operators != plain.operators},
      {"long_fraction", options.long_fraction != plain.long_fraction},
      {"bits", options.bits != plain.bits},
      {"min_numbers", options.min_numbers != plain.min_numbers},
      {"max_numbers", options.max_numbers != plain.max_numbers},
  };
  for (const auto& [name, is_changed] : changed) {
    if (is_changed && std::find(used.begin(), used.end(), name) == used.end())
      fail("task '{}' has no option '{}'; it has {}", task, name, join_list(used));
  }
}

}  // namespace aha
