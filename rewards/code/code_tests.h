#pragma once
#include <string>
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
///   {"inputs": [...], "outputs": [...]}
///   {"test_cases": [{"input", "output"}, ...]}
///   ["assert f(1) == 2", ...]                    a test each
///   "assert f(1) == 2\nassert ..."               one test
///
/// A row without that field: `inputs` and `outputs`, `input_output` (APPS, TACO), `test_list` after
/// `test_setup_code` (MBPP), `test` with `entry_point` (HumanEval), `assert`.
CodeTests code_tests(const Json& row, const std::string& field);

}  // namespace aha
