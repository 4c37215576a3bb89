#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "data/tokenizer/jinja_value.h"

namespace aha::jinja {

inline constexpr int kMaxWidth = 10000;

/// How one value is written: [[fill]align][sign][#][0][width][,][.precision][type].
struct Spec {
  std::string fill = " ";
  char align = 0;  ///< < > ^ =; 0: by the type
  char sign = '-';
  bool alternate = false;
  bool grouped = false;
  int width = 0;
  int precision = -1;
  char type = 0;
};

/// The digits at `at`, which moves behind them; UserError beyond kMaxWidth.
int number_in(Runtime& runtime, std::string_view text, std::size_t& at);

std::string whole_text(std::int64_t value, const Spec& spec);
std::string float_text(double value, const Spec& spec);
std::string text_text(std::string_view text, const Spec& spec);

}  // namespace aha::jinja
