#include "rewards/math/equivalence.h"

#include <algorithm>

#include "rewards/math/canonical.h"
#include "rewards/math/comparer.h"
#include "rewards/math/meaning.h"
#include "rewards/math/parser.h"
#include "rewards/math/real_set.h"
#include "rewards/math/remarks.h"
#include "rewards/math/scalar.h"
#include "rewards/math/set_builder.h"
#include "rewards/math/solution.h"

namespace aha::math {
namespace {

constexpr int kMostNesting = 16;

}  // namespace

Judgement Comparer::judge(Ref a, Ref b) {
  auto judgement = compare(a, b);
  const auto whole = b;
  if (judgement.verdict == Verdict::Different) {
    if (const auto end = is_implication(a) ? std::nullopt : conclusion_of(b)) {
      b = *end;
      judgement = compare(a, b);
    }
  }
  if (judgement.verdict == Verdict::Different) {
    if (const auto value = stated_value(a, b)) judgement = compare(a, *value);
    if (const auto value = rounded_value(a)) judgement = compare(*value, b);
  }
  if (judgement.verdict == Verdict::Equal && canonical(tree_, a) != canonical(tree_, whole) &&
      (states_falsehood(tree_, a, scope_) || states_falsehood(tree_, whole, scope_)))
    return different("an equation that is not true");
  return judgement;
}

bool Comparer::is_implication(Ref ref) const {
  return is(ref, Kind::Relation) && tree_[ref].name.find(sign::kImplies) != std::string::npos;
}

std::optional<Ref> Comparer::conclusion_of(Ref ref) {
  if (!is_implication(ref)) return std::nullopt;
  const auto chain = tree_[ref];
  std::vector<Ref> equations;
  // x + 1 = 2 \implies x = 1 has two sides between two signs of implication
  for (std::size_t i = 0; i < chain.items.size(); i += 2) {
    if (i + 1 >= chain.items.size() || chain.name[i] != sign::kEqual) return std::nullopt;
    if (i > 0 && chain.name[i - 1] != sign::kImplies) return std::nullopt;
    equations.push_back(tree_.add({.kind = Kind::Relation,
                                   .name = std::string(1, sign::kEqual),
                                   .items = {chain.items[i], chain.items[i + 1]}}));
  }
  const auto end = equations.back();
  const bool solved = std::all_of(equations.begin(), equations.end(), [&](Ref equation) {
    return is_solved_by(tree_, equation, end, scope_);
  });
  return solved ? std::optional(end) : std::nullopt;
}

std::optional<Ref> Comparer::rounded_value(Ref ref) const {
  if (!is(ref, Kind::Relation) || tree_[ref].items.size() != 2) return std::nullopt;
  const auto& items = tree_[ref].items;
  const char relation = tree_[ref].name[0];
  if (relation != sign::kAbout && !(relation == sign::kEqual && tree_[items[1]].decimal))
    return std::nullopt;
  return is_known(tree_, items[0]) && is_known(tree_, items[1]) ? std::optional(items[1])
                                                                : std::nullopt;
}

std::optional<Ref> Comparer::stated_value(Ref gold, Ref answer) {
  if (!is(answer, Kind::Relation) || is(gold, Kind::Text) || is_set_like(tree_, gold))
    return std::nullopt;
  const auto chain = tree_[answer];
  if (chain.name.find_first_not_of("=~") != std::string::npos) return std::nullopt;
  auto last = chain.items.size() - 1;
  while (last > 1 && chain.name[last - 1] == sign::kAbout)
    --last;
  if (canonical(tree_, chain.items[0]) == canonical(tree_, chain.items[last])) return std::nullopt;
  const bool number = is_known(tree_, gold) && is_known(tree_, chain.items[last]);
  // A chain of three is work where it begins with a quantity, tan A = 2 cos A / cos A = 2, or a side has dots or several
  // unknowns; 3x = 4 + 5 = 9 is an equation in x.
  const bool quantity = is_quantity(tree_, chain.items[0]);
  const auto is_work = [&](Ref item) {
    const auto names = unknowns(tree_, item);
    return last > 1 && (quantity || names.size() > 1 || names.contains("...")) &&
           !is_set_like(tree_, item) && !is(item, Kind::Text);
  };
  for (std::size_t i = 0; i < last; ++i) {
    const auto item = chain.items[i];
    const bool stands = number ? is_known(tree_, item) || is_quantity(tree_, item) || is_work(item)
                               : compare(item, chain.items[i + 1]).verdict == Verdict::Equal;
    if (!stands) return std::nullopt;
  }
  return chain.items[last];
}

Judgement Comparer::compare(Ref a, Ref b) {
  scope_.step();
  if (++nesting_ > kMostNesting) throw Refusal{"more than 16 levels of lists"};
  a = condition_of(tree_, a);
  b = condition_of(tree_, b);
  // The canonical form of a list is sorted.
  const bool ordered = conventions_.ordered_lists &&
                       (contains(tree_, a, Kind::List) || contains(tree_, b, Kind::List));
  const auto left = canonical(tree_, a);
  const auto right = canonical(tree_, b);
  scope_.step(static_cast<std::int64_t>((left.size() + right.size()) / 256));
  const bool alike = !ordered && left == right;
  auto judgement = alike ? equal() : by_kind(a, b);
  --nesting_;
  return judgement;
}

Judgement Comparer::by_kind(Ref a, Ref b) {
  if (is(a, Kind::Remarked) || is(b, Kind::Remarked)) return remarks(a, b);
  if (const auto named = by_name(a, b)) return *named;
  if (is(a, Kind::Relation) || is(b, Kind::Relation)) {
    if (!is_collection(a) && !is_collection(b)) return relations(a, b);
  }
  if (is_collection(a) || is_collection(b) || contains(tree_, a, Kind::PlusMinus) ||
      contains(tree_, b, Kind::PlusMinus))
    return collections(a, b);
  if (is(a, Kind::SetOperation) || is(b, Kind::SetOperation) || is_named_set(a) || is_named_set(b))
    return sets(a, b);
  if (is(a, Kind::Tuple) || is(b, Kind::Tuple)) return tuples(a, b);
  if (is_matrix(tree_, a) || is_matrix(tree_, b)) return matrices(a, b);
  if (is_residue(tree_, a) || is_residue(tree_, b)) return residues(a, b);
  if (is(a, Kind::Text) || is(b, Kind::Text)) return different("other words");
  return compare_scalars(tree_, a, b, conventions_, scope_);
}

Judgement Comparer::remarks(Ref a, Ref b) {
  const bool two = is(a, Kind::Remarked) && is(b, Kind::Remarked);
  const auto name = tree_[is(a, Kind::Remarked) ? a : b].name;
  if (two ? tree_[a].name != tree_[b].name : !is_optional_remark(name))
    return different("other words beside it");
  const auto left = is(a, Kind::Remarked) ? tree_[a].items[0] : a;
  const auto right = is(b, Kind::Remarked) ? tree_[b].items[0] : b;
  if (const auto letter = choice_of(name); letter && !two) {
    const auto other = is(a, Kind::Remarked) ? b : a;
    if (is(other, Kind::Symbol) && tree_[other].name == *letter) return equal();
  }
  return is_half_of_day(name) ? times(left, right) : compare(left, right);
}

Judgement Comparer::times(Ref a, Ref b) {
  const auto hour_and_minutes = [&](Ref ref) {
    const auto node = tree_[ref];
    if (node.kind == Kind::Relation && node.name == std::string(1, sign::kRatio)) return node.items;
    return std::vector<Ref>{ref, tree_.number(0)};
  };
  return in_order(hour_and_minutes(a), hour_and_minutes(b), "another time");
}

Judgement Comparer::residues(Ref a, Ref b) {
  if (is_residue(tree_, a) && is_residue(tree_, b)) {
    const auto x = tree_[a].items;
    const auto y = tree_[b].items;
    if (compare(x[1], y[1]).verdict != Verdict::Equal) return different("another modulus");
    const bool known = unknowns(tree_, a).empty() && unknowns(tree_, b).empty();
    if (known && congruent(tree_, a, b, scope_)) return equal();
    return compare(x[0], y[0]);
  }
  const auto residue = tree_[is_residue(tree_, a) ? a : b].items;
  const auto number = is_residue(tree_, a) ? b : a;
  auto judgement = compare(residue[0], number);
  if (judgement.verdict == Verdict::Equal) return judgement;
  return compare(tree_.function("mod", residue), number);
}

Judgement Comparer::sets(Ref a, Ref b) {
  const auto left = real_set(tree_, a, scope_);
  const auto right = left ? real_set(tree_, b, scope_) : std::nullopt;
  if (left && right && same_set(tree_, *left, *right, scope_)) return equal();
  if (is(a, Kind::SetOperation) && is(b, Kind::SetOperation) && tree_[a].name == tree_[b].name) {
    const auto items_a = tree_[a].items;
    auto items_b = tree_[b].items;
    auto judgement = in_order(items_a, items_b, "another set");
    if (judgement.verdict == Verdict::Equal || tree_[a].name == "minus") return judgement;
    std::reverse(items_b.begin(), items_b.end());
    return in_order(items_a, items_b, "another set");
  }
  return different("another relation or set");
}

Judgement Comparer::matrices(Ref a, Ref b) {
  const auto left = matrix_of(tree_, a);
  const auto right = matrix_of(tree_, b);
  if (!left || !right) return different("a matrix beside no matrix");
  const auto x = tree_[*left];
  const auto y = tree_[*right];
  if (x.columns != y.columns) return different("another shape");
  return in_order(x.items, y.items, "another cell");
}

Comparison::Comparison(Tree& tree, const Conventions& conventions, std::int64_t& steps)
    : tree_(tree), conventions_(conventions), steps_(steps) {}

Judgement Comparison::compare(const Readings& gold, const Readings& answer) {
  std::optional<Judgement> first;
  // A tree is built from its leaves up: the gold's nodes end with its readings.
  const Ref answer_from = gold.empty() ? 0 : *std::max_element(gold.begin(), gold.end()) + 1;
  // "2x" as words would be "2X": where both are mathematics, words say nothing.
  const auto is_aside = [&](Ref ref, Ref likeliest) {
    return ref != likeliest && tree_[ref].kind == Kind::Text;
  };
  for (const auto left : gold) {
    for (const auto right : answer) {
      if (is_aside(left, gold[0]) && is_aside(right, answer[0])) continue;
      auto judgement = Comparer(tree_, conventions_, steps_, answer_from).judge(left, right);
      if (judgement.verdict == Verdict::Equal) return judgement;
      if (!first || judgement.verdict == Verdict::Unjudged) first = std::move(judgement);
    }
  }
  return first.value_or(Judgement{Verdict::Different, "nothing to compare"});
}

}  // namespace aha::math
