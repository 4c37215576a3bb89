#include "data/tasks/parity.h"

#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr const char* kName = "parity";

struct Problem {
  std::vector<std::int64_t> bits;
  std::string identity() const { return joined(bits, ""); }
};

std::vector<std::int64_t> running_parities(const std::vector<std::int64_t>& bits) {
  std::vector<std::int64_t> parities;
  parities.reserve(bits.size());
  std::int64_t parity = 0;
  for (const auto bit : bits)
    parities.push_back(parity ^= bit);
  return parities;
}

std::string long_trace(const std::vector<std::int64_t>& bits) {
  const auto parities = running_parities(bits);
  return fmt::format("{} = {}", joined(parities, " "), parities.back());
}

}  // namespace

ParityTask::ParityTask(const TaskOptions& options) : options_(options) {
  refuse_unused(kName, options, {"long_fraction", "bits"});
  if (options.bits < 1 || options.bits > 4096)
    fail("task '{}': bits is {}, expected 1 to 4096", kName, options.bits);
  if (!(options.long_fraction >= 0.0 && options.long_fraction <= 1.0))
    fail("task '{}': long_fraction is {}, expected a number in [0, 1]", kName,
         options.long_fraction);
  require_both_splits();
}

Json ParityTask::draw(Split split, RandomStream& random) const {
  const auto problem =
      drawn_of(split, kName, random, [&](RandomStream& from) -> std::optional<Problem> {
        Problem found;
        for (std::int64_t i = 0; i < options_.bits; ++i)
          found.bits.push_back(from.below(2));
        return found;
      });
  const auto parity = running_parities(problem.bits).back();
  const bool is_long = random.uniform() < options_.long_fraction;
  return {{"question", joined(problem.bits, " ") + " |"},
          {"bits", problem.bits},
          {"answer", std::to_string(parity)},
          {"completion", is_long ? long_trace(problem.bits) : fmt::format("= {}", parity)}};
}

std::string ParityTask::ideal(const Json& row) const {
  const auto bits = numbers_field(row, "bits");
  if (!bits || bits->empty())
    fail("task '{}': a row needs 'bits', a list of 0 and 1, found {}", kName, dump_line(row));
  return long_trace(*bits);
}

std::vector<std::string> ParityTask::vocabulary() const {
  return {"0", "1", "|", "=", "<eos>", "<pad>"};
}

BehaviourCounts ParityTask::behaviour(const Json& row, std::string_view completion) const {
  const auto bits = numbers_field(row, "bits");
  if (!bits) return {};
  BehaviourCounts counts{{"answered", 0}, {"long", 0}, {"running", 0}, {"slips", 0}};
  const auto words = words_of(completion);
  const auto is_bit = [](std::string_view word) { return word == "0" || word == "1"; };

  std::size_t stated = 0;
  std::int64_t before = 0;
  while (stated < words.size() && stated < bits->size() && is_bit(words[stated])) {
    const std::int64_t parity = words[stated] == "1" ? 1 : 0;
    ++counts["running"];
    if (parity != (before ^ (*bits)[stated])) ++counts["slips"];
    before = parity;
    ++stated;
  }
  const auto size = words.size();
  const bool answered = size >= 2 && words[size - 2] == "=" && is_bit(words[size - 1]);
  counts["answered"] = answered ? 1 : 0;
  counts["long"] = answered && stated == bits->size() && size == stated + 2 ? 1 : 0;
  return counts;
}

std::map<std::string, double> ParityTask::behaviour_rates(const BehaviourCounts& sums,
                                                          std::int64_t completions) const {
  RateTable table(sums);
  table.rate("answered", "answered", completions);
  table.rate("long_traces", "long", completions);
  table.rate("slips", "slips", table.sum("running"));
  return table.values;
}

}  // namespace aha
