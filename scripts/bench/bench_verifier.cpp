// bench_verifier ROWS.jsonl REWARD [rounds]: scores rows of gold and prediction on one thread and prints
// {"rows", "rows_per_s", "p50_us", "p99_us", "max_us", "scores": [...]}, the best time of each row over the rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "rewards/registry.h"
#include "rewards/reward.h"
#include "trainer/core/json.h"

using namespace aha;  // NOLINT

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: bench_verifier ROWS.jsonl REWARD [rounds]\n", stderr);
    return 2;
  }
  std::ifstream in(argv[1]);
  const auto spec = parse_reward_spec(argv[2]);
  const int rounds = argc > 3 ? std::stoi(argv[3]) : 5;

  std::vector<Json> rows;
  std::vector<std::string> texts;
  for (std::string line; std::getline(in, line);) {
    auto row = parse_json(line, argv[1]);
    texts.push_back(row.at("prediction").get<std::string>());
    row["answer"] = row.at("gold");
    rows.push_back(std::move(row));
  }
  OrderedJson scores = OrderedJson::array();
  std::vector<double> best(rows.size(), 1e30);
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      // A new one knows nothing of the rows before.
      const auto reward = make_reward(spec.name, spec.options);
      const auto start = std::chrono::steady_clock::now();
      const auto part =
          reward->score({.completion = texts[i], .row = rows[i], .ids = {}, .bare = true});
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - start;
      best[i] = std::min(best[i], took.count());
      if (round == 0)
        scores.push_back(part.score ? OrderedJson(*part.score) : OrderedJson(nullptr));
    }
  }
  double total = 0.0;
  for (const double us : best)
    total += us;
  std::sort(best.begin(), best.end());
  const auto at = [&](double share) {
    return best[static_cast<std::size_t>(share * static_cast<double>(best.size() - 1))];
  };
  OrderedJson result;
  result["rows"] = best.size();
  result["rows_per_s"] = 1e6 * static_cast<double>(best.size()) / total;
  result["p50_us"] = at(0.5);
  result["p99_us"] = at(0.99);
  result["max_us"] = best.back();
  result["scores"] = std::move(scores);
  std::cout << dump_line(result) << '\n';
  return 0;
}
