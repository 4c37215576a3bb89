#include "data/duplicates.h"

#include <unordered_map>

#include "data/text_hash.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::size_t kShown = 5;

void note(DuplicateReport& report, const std::string& row, const std::string& before) {
  ++report.count;
  if (report.first.size() < kShown) report.first.emplace_back(row, before);
}

}  // namespace

std::string DuplicateReport::text() const {
  if (count == 0) return "";
  auto text = fmt::format("{} {} a question:", count, count == 1 ? "row repeats" : "rows repeat");
  for (std::size_t i = 0; i < first.size(); ++i)
    text += fmt::format("{} {} (as {})", i == 0 ? "" : ",", first[i].first, first[i].second);
  if (count > static_cast<std::int64_t>(first.size())) text += ", ...";
  return text;
}

DuplicateReport duplicate_rows(const Dataset& dataset, const std::string& field) {
  DuplicateReport report;
  std::unordered_map<std::uint64_t, std::int64_t> seen;
  for (std::int64_t i = 0; i < dataset.size().value_or(0); ++i) {
    const auto [first, is_new] = seen.emplace(question_hash(dataset.row(i), field), i);
    if (!is_new) note(report, dataset.where(i), dataset.where(first->second));
  }
  return report;
}

DuplicateReport overlapping_rows(const Dataset& train, const Dataset& eval,
                                 const std::string& field) {
  DuplicateReport report;
  if (!train.size() || !eval.size()) return report;
  std::unordered_map<std::uint64_t, std::int64_t> seen;
  for (std::int64_t i = 0; i < *train.size(); ++i)
    seen.emplace(question_hash(train.row(i), field), i);
  for (std::int64_t i = 0; i < *eval.size(); ++i) {
    const auto found = seen.find(question_hash(eval.row(i), field));
    if (found != seen.end()) note(report, eval.where(i), train.where(found->second));
  }
  return report;
}

}  // namespace aha
