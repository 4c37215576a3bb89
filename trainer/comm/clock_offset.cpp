#include "trainer/comm/clock_offset.h"

#include <cstdlib>

#include "trainer/comm/spans.h"

namespace aha {
namespace {

constexpr int kRounds = 8;

std::string key_of(const char* what, int rank, int round) {
  return std::string("clock/") + what + '/' + std::to_string(rank) + '/' + std::to_string(round);
}

std::int64_t now_ns() {
  return nanoseconds(Clock::now());
}

}  // namespace

void answer_clock_questions(const Letters& letters, int ranks) {
  for (int rank = 1; rank < ranks; ++rank)
    for (int round = 0; round < kRounds; ++round) {
      (void)letters.take(key_of("ask", rank, round));
      letters.put(key_of("answer", rank, round), std::to_string(now_ns()));
    }
}

ClockOffset ask_for_clock(const Letters& letters, int rank) {
  ClockOffset best;
  for (int round = 0; round < kRounds; ++round) {
    const auto asked = now_ns();
    letters.put(key_of("ask", rank, round), "?");
    const auto answer = std::stoll(letters.take(key_of("answer", rank, round)));
    const auto half = (now_ns() - asked + 1) / 2;
    if (round == 0 || half < best.error_ns) best = {answer - asked - half, half};
  }
  return best;
}

ClockOffset on_one_machine(const ClockOffset& measured) {
  return std::abs(measured.add_ns) <= measured.error_ns ? ClockOffset{} : measured;
}

}  // namespace aha
