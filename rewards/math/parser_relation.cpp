#include <utility>

#include "rewards/math/parser_state.h"
#include "rewards/math/remarks.h"
#include "rewards/math/vocabulary.h"

namespace aha::math {

Ref Parser::list() {
  const Depth depth(*this);
  std::vector<Ref> items;
  std::string name;  // what stands between all of them
  const auto separated = [this] {
    return at(TokenKind::Separator) || at(TokenKind::Operator, "#");  // a new row
  };
  while (take(TokenKind::Separator)) {
  }
  items.push_back(relation());
  while (separated() || opens_domain()) {
    std::string connective;
    while (separated()) {
      const auto word = connective_of(next().text);
      if (!word.empty()) connective = word;
    }
    // "1, 2, and 3": the last word speaks for the commas before it.
    if (items.size() == 1 || name.empty())
      name = connective;
    else if (name != connective)
      name = "mixed";
    if (at(TokenKind::End) || at(TokenKind::Close)) break;
    const bool bracketed = opens_domain() && take(TokenKind::Open);
    items.push_back(relation());
    if (bracketed && !take(TokenKind::Close, ")")) refuse("a bracket is not closed");
  }
  if (items.size() == 1) return items[0];
  return tree_.add({.kind = Kind::List, .name = std::move(name), .items = std::move(items)});
}

/// (k \in \mathbb{Z}), behind what k stands in; P(X \in A) is a probability.
bool Parser::opens_domain() const {
  const bool domain = at(TokenKind::Open, "(") && peek(1).kind == TokenKind::Symbol &&
                      peek(2).kind == TokenKind::Relation && peek(2).text[0] == sign::kIn;
  if (!domain || at_ == 0) return false;
  const auto& before = tokens_[at_ - 1];
  return before.kind != TokenKind::Symbol || before.text[0] >= 'a';
}

/// (\approx 3.46), behind the value.
bool Parser::opens_aside() const {
  return at(TokenKind::Open, "(") && peek(1).kind == TokenKind::Relation &&
         (peek(1).text[0] == sign::kAbout || peek(1).text[0] == sign::kEqual);
}

/// At the end of a row, of which the next one begins with "=": x &= 1 + 1 \\ &= 2.
bool Parser::goes_on_in_row() const {
  return at(TokenKind::Operator, "#") && peek(1).kind == TokenKind::Relation &&
         (peek(1).text[0] == sign::kEqual || peek(1).text[0] == sign::kAbout);
}

Ref Parser::relation() {
  Node chain{.kind = Kind::Relation};
  bool congruence = false;
  // "= 5", "\implies x = 5": the end of a line of work.
  if (at(TokenKind::Relation) &&
      std::string_view("=~cI").find(peek().text) != std::string_view::npos)
    congruence = next().text[0] == sign::kCongruent;
  chain.items.push_back(modular());
  for (;;) {
    const bool aside = opens_aside() && take(TokenKind::Open);
    if (goes_on_in_row()) next();
    if (at(TokenKind::Relation)) {
      const char sign = next().text[0];
      congruence = congruence || sign == sign::kCongruent;
      const bool parts = sign == sign::kRatio && std::exchange(colon_parts_, false);
      chain.name += parts ? sign::kSuchThat : sign == sign::kCongruent ? sign::kEqual : sign;
      // "Answer: 42": what stands before is a label.
      if (chain.name == std::string(1, sign::kRatio) && tree_[chain.items[0]].kind == Kind::Text &&
          !is_hedge(tree_[chain.items[0]].name))
        return relation();
      // "x =" is x; "= =" is not read.
      if (at(TokenKind::End) && chain.name == "=") return chain.items[0];
    } else if (bars_ == 0 && at(TokenKind::Bar, "|")) {
      next();
      such_that_ = false;
      colon_parts_ = false;
      chain.name += sign::kSuchThat;
    } else {
      break;
    }
    chain.items.push_back(modular());
    if (aside && !take(TokenKind::Close, ")")) refuse("a bracket is not closed");
  }
  if (chain.items.size() == 1) return chain.items[0];
  // 7:45 p.m.: the half of the day is the whole time's, not that of its minutes.
  const auto minutes = tree_[chain.items.back()];
  if (chain.name == std::string(1, sign::kRatio) && minutes.kind == Kind::Remarked &&
      is_half_of_day(minutes.name)) {
    chain.items.back() = minutes.items[0];
    return remarked(tree_.add(std::move(chain)), minutes.name);
  }
  // 10 \equiv 3 \mod 7 is about residues, as with \pmod.
  const auto last = tree_[chain.items.back()];
  if (congruence && last.kind == Kind::Function && last.name == "mod")
    chain.items.back() = tree_.function("residue", last.items);
  // x \equiv 48 \equiv 24 \pmod 8: what stands between is of that modulus, too
  const auto residue = tree_[chain.items.back()];
  for (std::size_t i = 1; congruence && residue.name == "residue" && i + 1 < chain.items.size();
       ++i)
    chain.items[i] = tree_.function("residue", {chain.items[i], residue.items[1]});
  return tree_.add(std::move(chain));
}

/// 3 \pmod 7 and 3 (mod 7): the residue.
Ref Parser::modular() {
  const auto value = set_operation();
  if (take(TokenKind::Command, "pmod")) return tree_.function("residue", {value, group_or_atom()});
  if (!opens_modulus()) return value;
  at_ += 2;
  const auto modulus = sum();
  if (!take(TokenKind::Close, ")")) refuse("a bracket is not closed");
  return tree_.function("residue", {value, modulus});
}

bool Parser::opens_modulus() const {
  return at(TokenKind::Open, "(") && peek(1).kind == TokenKind::Operator && peek(1).text == "m";
}

Ref Parser::set_operation() {
  auto left = sum();
  while (at(TokenKind::SetSign)) {
    const auto name = next().text;
    left = tree_.add({.kind = Kind::SetOperation, .name = name, .items = {left, sum()}});
  }
  return left;
}

}  // namespace aha::math
