#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/duplicates.h"
#include "data/tokenizer/tokenizer.h"

namespace aha {

/// How long texts are, exactly and in memory that grows with the number of different lengths alone.
class Lengths {
 public:
  void add(std::int64_t length) { ++counts_[length], ++total_; }

  std::int64_t total() const { return total_; }
  std::int64_t least() const { return counts_.empty() ? 0 : counts_.begin()->first; }
  std::int64_t most() const { return counts_.empty() ? 0 : counts_.rbegin()->first; }
  /// The smallest length that at least this share of the texts does not exceed.
  std::int64_t quantile(double share) const;

  struct Bin {
    std::int64_t from = 0;
    std::int64_t to = 0;  ///< inclusive
    std::int64_t count = 0;
  };
  /// At most `bins` equally wide bins from the least length to the most.
  std::vector<Bin> histogram(std::int64_t bins) const;

 private:
  std::map<std::int64_t, std::int64_t> counts_;
  std::int64_t total_ = 0;
};

/// Lines of which something is to be said: how many, and the first five.
struct NotedLines {
  std::int64_t count = 0;
  std::vector<std::string> first;  ///< "file:line: ..."

  void add(const std::string& line);
};

struct InspectOptions {
  std::string format;  ///< empty: the one that the first row looks like
  std::string question_field = "question";
  std::string answer_field = "answer";
  const Tokenizer* tokenizer = nullptr;  ///< null: lengths in characters
  /// Why a row cannot be judged, given the format's name; nothing to ask when empty.
  std::function<std::optional<std::string>(const std::string& format, const Json& row)> gold;
  std::vector<std::filesystem::path> eval;  ///< files whose questions should not be here
  std::string eval_format;                  ///< empty: as `format`
  /// Called now and then with the rows and bytes so far.
  std::function<void(std::int64_t rows, std::int64_t bytes)> progress;
};

/// What is in a data file.
struct FileReport {
  std::string format;
  bool guessed = false;  ///< nobody named the format
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  NotedLines invalid;  ///< lines that are no row of the format; counted in none of the below
  /// Field of the published rows -> type -> rows. Beyond 200 names they count as "(others)".
  std::map<std::string, std::map<std::string, std::int64_t>> fields;
  std::map<std::string, std::int64_t> sources;  ///< `source` -> rows, beyond 200 "(others)"
  Lengths questions, answers;
  std::int64_t without_question = 0;  ///< rows
  NotedLines golds;                   ///< rows that cannot be judged
  DuplicateReport duplicates;         ///< white space aside
  DuplicateReport overlap;            ///< rows whose question is in one of the evaluation files
};

/// Reads a file ("-": standard input) line by line; what is kept of a row is a hash of its question.
/// UserError for files that cannot be read, an unknown format, and a file without a row.
FileReport inspect_file(const std::filesystem::path& path, const InspectOptions& options);

}  // namespace aha
