#include "rewards/math/phrases.h"

#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr std::string_view kReals[] = {"allrealnumbers", "allreals", "realnumbers",
                                       "setofallrealnumbers", "setofrealnumbers"};
constexpr std::string_view kNothing[] = {"none", "emptyset", "nullset"};
constexpr std::string_view kNone[] = {
    "nosolution",       "nosolutions",      "norealsolution",       "norealsolutions",
    "nosolutionexists", "nosolutionsexist", "norealsolutionexists", "norealsolutionsexist"};
constexpr std::string_view kBeforeNone[] = {"", "thereis", "thereare", "ithas", "equationhas"};
constexpr std::string_view kNoValue[] = {"dne", "doesnotexist", "doesn'texist", "itdoesnotexist",
                                         "limitdoesnotexist"};

bool says_none(std::string_view plain) {
  const auto no = plain.rfind("no");
  const auto real = plain.rfind("noreal");
  const auto begin = real == std::string_view::npos ? no : real;
  return begin != std::string_view::npos && holds(kNone, plain.substr(begin)) &&
         holds(kBeforeNone, plain.substr(0, begin));
}

}  // namespace

std::optional<Ref> phrase(Tree& tree, std::string_view plain) {
  if (holds(kReals, plain)) return tree.constant("reals");
  if (holds(kNothing, plain) || says_none(plain)) return tree.constant("empty");
  if (holds(kNoValue, plain)) return tree.add({.kind = Kind::Text, .name = "does not exist"});
  return std::nullopt;
}

}  // namespace aha::math
