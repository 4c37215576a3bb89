#include "rewards/math/vocabulary.h"

namespace aha::math {
namespace {

struct Entry {
  std::string_view word;
  TokenKind kind;
  std::string_view text = {};
};

using K = TokenKind;

constexpr Entry kCharacters[] = {
    {"\xC3\x97", K::Operator, "*"},
    {"\xC3\xB7", K::Operator, "/"},
    {"\xC2\xB7", K::Operator, "*"},
    {"\xE2\x8B\x85", K::Operator, "*"},
    {"\xE2\x88\x97", K::Operator, "*"},
    {"\xE2\x88\x92", K::Operator, "-"},
    {"\xE2\x80\x93", K::Operator, "-"},
    {"\xC2\xB1", K::Operator, "p"},
    {"\xE2\x88\x93", K::Operator, "q"},
    {"\xE2\x81\x84", K::Operator, "/"},
    {"\xE2\x88\x95", K::Operator, "/"},
    {"\xE2\x88\x9A", K::Command, "sqrt"},
    {"\xCF\x80", K::Constant, "pi"},
    {"\xE2\x88\x9E", K::Constant, "infinity"},
    {"\xE2\x84\x9D", K::Constant, "reals"},
    {"\xE2\x84\xA4", K::Constant, "integers"},
    {"\xE2\x88\x85", K::Constant, "empty"},
    {"\xE2\x89\xA4", K::Relation, "L"},
    {"\xE2\x89\xA5", K::Relation, "G"},
    {"\xE2\x89\xA0", K::Relation, "!"},
    {"\xE2\x89\x88", K::Relation, "~"},
    {"\xE2\x88\x88", K::Relation, "e"},
    {"\xE2\x88\xAA", K::SetSign, "union"},
    {"\xE2\x88\xA9", K::SetSign, "intersection"},
    {"\xC2\xB0", K::Degree},
    {"\xE2\x80\xB2", K::Prime},
    {"\xE2\x80\xA6", K::Ellipsis},
    {"\xEF\xBC\x8C", K::Separator},
    {"\xEF\xBC\x9B", K::Separator},
    {"\xE3\x80\x81", K::Separator},
    {"\xEF\xBC\x88", K::Open, "("},
    {"\xEF\xBC\x89", K::Close, ")"},
    {"\xEF\xBC\x9D", K::Relation, "="},
    {"\xEF\xBC\x85", K::Percent},
    {"\xC2\xA0", K::Skip},
    {"\xE2\x80\x89", K::Skip},
    {"\xE2\x80\xAF", K::Skip},
    {"\xE2\x80\x8B", K::Skip},
    {"\xC2\xA3", K::Skip},
    {"\xE2\x82\xAC", K::Skip},
    {"\xC2\xA5", K::Skip},
    {"\xCE\xB1", K::Symbol, "alpha"},
    {"\xCE\xB2", K::Symbol, "beta"},
    {"\xCE\xB3", K::Symbol, "gamma"},
    {"\xCE\xB8", K::Symbol, "theta"},
    {"\xCE\xBB", K::Symbol, "lambda"},
    {"\xCF\x86", K::Symbol, "phi"},
    {"\xCF\x89", K::Symbol, "omega"},
};

}  // namespace

std::optional<Meaning> character_meaning(std::string_view text, std::size_t& size) {
  for (const auto& entry : kCharacters) {
    if (!text.starts_with(entry.word)) continue;
    size = entry.word.size();
    return Meaning{entry.kind, entry.text};
  }
  return std::nullopt;
}

}  // namespace aha::math
