#include "rewards/math/units.h"

#include "rewards/math/remarks.h"

namespace aha::math {
namespace {

struct Spelling {
  std::string_view word;
  NestedUnit unit;
};

constexpr Spelling kSpellings[] = {
    {"mile", {"mile", 'l', 0}},     {"mi", {"mile", 'l', 0}},       {"yard", {"yard", 'l', 1}},
    {"yd", {"yard", 'l', 1}},       {"foot", {"foot", 'l', 2}},     {"feet", {"foot", 'l', 2}},
    {"ft", {"foot", 'l', 2}},       {"inch", {"inch", 'l', 3}},     {"inche", {"inch", 'l', 3}},
    {"in", {"inch", 'l', 3}},       {"kilometer", {"km", 'm', 0}},  {"km", {"km", 'm', 0}},
    {"meter", {"m", 'm', 1}},       {"metre", {"m", 'm', 1}},       {"m", {"m", 'm', 1}},
    {"centimeter", {"cm", 'm', 2}}, {"cm", {"cm", 'm', 2}},         {"millimeter", {"mm", 'm', 3}},
    {"mm", {"mm", 'm', 3}},         {"year", {"year", 't', 0}},     {"yr", {"year", 't', 0}},
    {"month", {"month", 't', 1}},   {"week", {"week", 't', 2}},     {"day", {"day", 't', 3}},
    {"hour", {"hour", 't', 4}},     {"hr", {"hour", 't', 4}},       {"h", {"hour", 't', 4}},
    {"minute", {"minute", 't', 5}}, {"min", {"minute", 't', 5}},    {"second", {"second", 't', 6}},
    {"sec", {"second", 't', 6}},    {"s", {"second", 't', 6}},      {"pound", {"pound", 'w', 0}},
    {"lb", {"pound", 'w', 0}},      {"ounce", {"ounce", 'w', 1}},   {"oz", {"ounce", 'w', 1}},
    {"kilogram", {"kg", 'g', 0}},   {"kg", {"kg", 'g', 0}},         {"gram", {"g", 'g', 1}},
    {"g", {"g", 'g', 1}},           {"dollar", {"dollar", 'd', 0}}, {"cent", {"cent", 'd', 1}},
    {"gallon", {"gallon", 'v', 0}}, {"gal", {"gallon", 'v', 0}},    {"quart", {"quart", 'v', 1}},
    {"pint", {"pint", 'v', 2}},     {"cup", {"cup", 'v', 3}},       {"liter", {"liter", 'c', 0}},
    {"litre", {"liter", 'c', 0}},   {"milliliter", {"ml", 'c', 1}}, {"ml", {"ml", 'c', 1}},
};

}  // namespace

std::optional<NestedUnit> nested_unit(std::string_view words) {
  const auto word = plain_remark(words);
  const auto one = std::string_view(word).substr(0, word.size() - (word.ends_with('s') ? 1 : 0));
  for (const auto& spelling : kSpellings) {
    if (spelling.word == word || spelling.word == one) return spelling.unit;
  }
  return std::nullopt;
}

}  // namespace aha::math
