#pragma once
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "trainer/core/json.h"

namespace aha {

/// One test of a program: what it is given and has to answer; or code that asserts.
struct CodeTest {
  std::string input;
  std::string output;
  std::string assertion;  ///< not empty: input and output do not count
};

struct CodeTests {
  std::vector<CodeTest> tests;
  std::string problem;  ///< why there are none; empty where there are
};

/// The tests of a row. row[field], or the text of such JSON, is one of
///
///   [{"input": ..., "output": ...}, ...]         a text, or a list of lines, each
///   {"inputs": [...], "outputs": [...]}          with "fn_name" arguments and results (code_calls.h)
///   {"test_cases": [{"input", "output"}, ...]}
///   ["assert f(1) == 2", ...]                    a test each
///   "assert f(1) == 2\nassert ..."               one test
///
/// A row without that field: `inputs` and `outputs`, `input_output` (APPS, TACO), `test_list` (MBPP), `test` with
/// `entry_point` (HumanEval; without it the only function that `prompt` defines), `assert`. Before assertions run
/// `test_imports` and `test_setup_code`, wherever the assertions stand.
///
/// With `most` above 0 the first ones alone; those behind them are not looked at.
CodeTests code_tests(const Json& row, const std::string& field, std::size_t most = 0);

/// code_tests of the last few rows, which the completions of a group share. May be used by several threads.
class CodeTestsOfRows {
 public:
  CodeTestsOfRows(std::string field, std::size_t most) : field_(std::move(field)), most_(most) {}

  std::shared_ptr<const CodeTests> of(const Json& row) const;

 private:
  struct Known {
    Json row;
    CodeTests tests;
  };
  std::string field_;
  std::size_t most_;
  mutable std::mutex mutex_;
  mutable std::deque<std::shared_ptr<const Known>> known_;  ///< the last one first
};

}  // namespace aha
