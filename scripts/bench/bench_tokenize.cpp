// Seconds to tokenize the texts of a GSM8K file: bench_tokenize MODEL FILE.jsonl, run by tokenizer_speed.py.
// The cache of words begins empty.
#include <chrono>
#include <iostream>
#include <sstream>

#include "data/tokenizer/tokenizer.h"
#include "trainer/core/file.h"
#include "trainer/core/json.h"

using namespace aha;  // NOLINT

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "bench_tokenize MODEL FILE.jsonl\n";
    return 2;
  }
  const auto tokenizer = load_tokenizer(arguments[1]);
  std::vector<std::string> texts;
  std::istringstream lines(read_file(arguments[2]));
  for (std::string line; std::getline(lines, line);) {
    const auto row = parse_json(line, arguments[2]);
    texts.push_back(row.at("question").get<std::string>() + "\n" +
                    row.at("answer").get<std::string>());
  }
  std::vector<std::vector<TokenId>> ids;
  ids.reserve(texts.size());
  const auto start = std::chrono::steady_clock::now();
  for (const auto& text : texts)
    ids.push_back(tokenizer->encode(text));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  std::string joined;
  for (const auto& row : ids) {
    for (std::size_t i = 0; i < row.size(); ++i)
      joined += (i > 0 ? "," : "") + std::to_string(row[i]);
    joined += "\n";
  }
  std::cout << Json{{"seconds", taken.count()}, {"ids", joined}} << "\n";
  return 0;
}
