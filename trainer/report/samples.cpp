#include "trainer/report/samples.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "trainer/core/error.h"
#include "trainer/report/encode.h"
#include "trainer/report/sample_row.h"
#include "trainer/report/settings.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

/// Parts of a run that are sampled alike.
constexpr std::int64_t kPartsOfRun = 40;

/// Scatters problems, the same way at every step.
std::uint64_t scattered(std::int64_t unit) {
  auto x = static_cast<std::uint64_t>(unit) + 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

using MakeRow = std::function<SampleRow(const Candidate&)>;

class Chooser {
 public:
  Chooser(const SampleLimits& limits, std::span<const Candidate> all, MakeRow make)
      : limits_(limits), all_(all), make_(std::move(make)) {}

  /// Whatever the limits say.
  void keep(std::size_t i) {
    if (rows_.count(i) == 0) take(i, make_(all_[i]));
  }

  /// The candidates that are kept, in the order of the page, filled up from the strata.
  std::map<std::size_t, SampleRow> chosen() {
    fill();
    return std::move(rows_);
  }

 private:
  std::size_t cost(const SampleRow& row) const {
    return dump_line(row.json).size() +
           (prompts_.count(row.prompt) > 0 ? 0 : dump_line(OrderedJson(row.prompt)).size());
  }

  void take(std::size_t i, SampleRow row) {
    bytes_ += cost(row);
    prompts_.insert(row.prompt);
    rows_.emplace(i, std::move(row));
  }

  /// False when there is no room for the candidate.
  bool fits(std::size_t i) {
    if (rows_.count(i) > 0) return true;
    if (rows_.size() >= limits_.most) return false;
    SampleRow row = make_(all_[i]);
    if (bytes_ + cost(row) > limits_.text_bytes) return false;
    take(i, std::move(row));
    return true;
  }

  using Stratum = std::tuple<bool, std::string_view, std::int64_t, SampleEntry::Mark, bool, bool>;

  Stratum stratum(const SampleEntry& e,
                  const std::map<std::string_view, std::int64_t>& steps) const {
    const double part =
        static_cast<double>(e.step) / (static_cast<double>(steps.at(e.stage)) + 1) * kPartsOfRun;
    return {e.held_out, e.stage,      static_cast<std::int64_t>(part),
            e.mark,     e.reflective, e.truncated};
  }

  void fill() {
    std::map<std::string_view, std::int64_t> steps;
    for (const auto& c : all_)
      steps[c.entry->stage] = std::max(steps[c.entry->stage], c.entry->step);
    std::map<Stratum, std::vector<std::size_t>> strata;
    for (std::size_t i = 0; i < all_.size(); ++i)
      strata[stratum(*all_[i].entry, steps)].push_back(i);
    for (auto& [key, members] : strata)
      std::stable_sort(members.begin(), members.end(), [&](std::size_t a, std::size_t b) {
        return scattered(all_[a].entry->unit) < scattered(all_[b].entry->unit);
      });
    bool more = true;
    for (std::size_t turn = 0; more; ++turn) {
      more = false;
      for (const auto& [key, members] : strata) {
        if (turn >= members.size()) continue;
        if (!fits(members[turn])) return;
        more = true;
      }
    }
  }

  const SampleLimits& limits_;
  std::span<const Candidate> all_;
  MakeRow make_;
  std::map<std::size_t, SampleRow> rows_;
  std::set<std::string> prompts_;
  std::size_t bytes_ = 0;  ///< that rows and prompts are written with
};

/// Positions in `all` of the two moments that the page shows.
struct Moments {
  std::optional<std::size_t> first, learnt, before_learnt;
};

Moments find_moments(std::span<const Candidate> all, std::string_view stage) {
  Moments moments;
  std::map<std::size_t, std::size_t> wrong_at_first;  // held-out problem -> where
  std::set<std::size_t> right_at_first;
  std::optional<std::int64_t> first_evaluation;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const SampleEntry& e = *all[i].entry;
    if (e.stage != stage) continue;
    if (!moments.first && e.right_after_reflection()) moments.first = i;
    if (!e.held_out) continue;
    if (!first_evaluation) first_evaluation = e.step;
    if (e.step == *first_evaluation) {
      if (e.right()) right_at_first.insert(e.prompt);
      if (e.mark == SampleEntry::Mark::Wrong) wrong_at_first.emplace(e.prompt, i);
    } else if (!moments.learnt && e.right_after_reflection() &&
               wrong_at_first.count(e.prompt) > 0 && right_at_first.count(e.prompt) == 0) {
      moments.learnt = i;
      moments.before_learnt = wrong_at_first.at(e.prompt);
    }
  }
  return moments;
}

/// Appends a row, its prompt once.
void put_row(SampleRow row, std::map<std::string, std::size_t>& prompts, SampleSet& set) {
  const auto [place, is_new] = prompts.emplace(row.prompt, prompts.size());
  if (is_new) set.prompts.push_back(std::move(row.prompt));
  row.json["prompt"] = place->second;
  set.rows.push_back(std::move(row.json));
}

/// The whole of a completion whose row has only its ends, while there is room for it.
void keep_whole(const Candidate& candidate, const SampleLimits& limits, SampleRow& row,
                SampleSet& set) {
  const auto size = row.json["cut"].get<std::size_t>();
  if (set.whole_bytes + size > limits.whole_bytes) return;
  set.whole_bytes += size;
  row.json["whole"] = set.wholes.size();
  set.wholes.push_back(packed(dump_line(candidate.index->row(*candidate.entry)["completion"])));
}

std::vector<SampleIndex> open_files(const RunRecord& run, const ReflectionWords& words,
                                    SampleSet& set) {
  std::vector<SampleIndex> files;
  for (const bool held_out : {false, true}) {
    const fs::path file = run.path / "completions" / (held_out ? "eval.jsonl" : "train.jsonl");
    try {
      files.emplace_back(file, held_out, words);
    } catch (const UserError& error) {
      set.notes.push_back(error.what());
      continue;
    }
    if (const auto bad = files.back().bad_lines(); bad > 0)
      set.notes.push_back(fmt::format("{}: {} line{} left out: no completion", file.string(), bad,
                                      bad == 1 ? "" : "s"));
    if (files.back().half_written())
      set.notes.push_back(file.string() + ": the last line is half written, and left out");
  }
  return files;
}

}  // namespace

SampleSet read_samples(const RunRecord& run, const SampleLimits& limits, const TokenTexts& tokens) {
  SampleSet set;
  if (run.software != "aha") return set;
  const ReflectionWords words(reflection_words(run));
  const auto files = open_files(run, words, set);
  std::vector<Candidate> all;
  for (const auto& file : files)
    for (const auto& entry : file.entries())
      all.push_back({&entry, &file});
  std::stable_sort(all.begin(), all.end(),
                   [&](const auto& a, const auto& b) { return a.place(run) < b.place(run); });
  set.recorded = all.size();
  const StageRecord* main = run.main_stage();
  const Moments moments = find_moments(all, main == nullptr ? "" : main->name);
  const RowMaker maker(limits, tokens, words);
  Chooser chooser(limits, all, [&](const Candidate& candidate) { return maker.make(candidate); });
  for (const auto& moment : {moments.first, moments.learnt, moments.before_learnt})
    if (moment) chooser.keep(*moment);
  std::map<std::string, std::size_t> prompts;
  for (auto& [i, row] : chooser.chosen()) {
    if (i == moments.first) set.first_aha = set.rows.size();
    if (i == moments.learnt) set.learnt_aha = set.rows.size();
    if (row.json.contains("cut")) keep_whole(all[i], limits, row, set);
    put_row(std::move(row), prompts, set);
  }
  return set;
}

}  // namespace aha
