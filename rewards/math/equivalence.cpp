#include "rewards/math/equivalence.h"

#include <algorithm>
#include <map>

#include "rewards/math/canonical.h"
#include "rewards/math/meaning.h"
#include "rewards/math/parser.h"
#include "rewards/math/real_set.h"
#include "rewards/math/scalar.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr int kMostNesting = 16;

/// A relation's sign, read from the right: '<' is '>'.
char turned(char sign) {
  const std::string_view from = "<>LG";
  const auto at = from.find(sign);
  return at == std::string_view::npos ? sign : "><GL"[at];
}

class Comparer {
 public:
  Comparer(Tree& tree, const Conventions& conventions, std::int64_t& steps)
      : tree_(tree), conventions_(conventions) {
    scope_.percent_is_number = conventions.percent_is_number;
    scope_.steps = &steps;
  }

  /// Of two answers as wholes.
  Judgement judge(Ref a, Ref b) {
    auto judgement = compare(a, b);
    if (judgement.verdict == Verdict::Equal && canonical(tree_, a) != canonical(tree_, b) &&
        (states_falsehood(tree_, a, scope_) || states_falsehood(tree_, b, scope_)))
      return different("an equation that is not true");
    return judgement;
  }

  Judgement compare(Ref a, Ref b) {
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

 private:
  static Judgement equal() { return {Verdict::Equal, ""}; }
  static Judgement different(const char* why) { return {Verdict::Different, why}; }

  bool is(Ref ref, Kind kind) const { return tree_[ref].kind == kind; }
  bool is_collection(Ref ref) const { return is(ref, Kind::List) || is(ref, Kind::Set); }

  bool is_named_set(Ref ref) const { return is(ref, Kind::Constant) && is_set_like(tree_, ref); }

  Judgement by_kind(Ref a, Ref b) {
    if (is(a, Kind::Relation) || is(b, Kind::Relation)) {
      if (!is_collection(a) && !is_collection(b)) return relations(a, b);
    }
    if (is_collection(a) || is_collection(b) || contains(tree_, a, Kind::PlusMinus) ||
        contains(tree_, b, Kind::PlusMinus))
      return collections(a, b);
    if (is(a, Kind::SetOperation) || is(b, Kind::SetOperation) || is_named_set(a) ||
        is_named_set(b))
      return sets(a, b);
    if (is(a, Kind::Tuple) || is(b, Kind::Tuple)) return tuples(a, b);
    if (is(a, Kind::Matrix) || is(b, Kind::Matrix)) return matrices(a, b);
    if (is(a, Kind::Text) || is(b, Kind::Text)) return different("other words");
    return compare_scalars(tree_, a, b, conventions_, scope_);
  }

  Judgement relations(Ref a, Ref b) {
    const bool two = is(a, Kind::Relation) && is(b, Kind::Relation);
    if (two) {
      if (same_relation(a, b)) return equal();
      if (same_chain(a, b)) return equal();
    }
    const auto left = assigned_value(tree_, a);
    const auto right = assigned_value(tree_, b);
    if (left && right) return compare(*left, *right);
    if (left) return compare(*left, b);
    if (right) return compare(a, *right);
    return sets(a, b);
  }

  Judgement sets(Ref a, Ref b) {
    const auto left = real_set(tree_, a, scope_);
    const auto right = left ? real_set(tree_, b, scope_) : std::nullopt;
    if (left && right && same_set(tree_, *left, *right, scope_)) return equal();
    if (is(a, Kind::SetOperation) && is(b, Kind::SetOperation) && tree_[a].name == tree_[b].name) {
      const auto items_a = tree_[a].items;
      const auto items_b = tree_[b].items;
      return in_order(items_a, items_b, "another set");
    }
    return different("another relation or set");
  }

  /// left - right of both in one ratio, and the relation turned where it is negative.
  bool same_relation(Ref a, Ref b) {
    const auto x = tree_[a];
    const auto y = tree_[b];
    if (x.name.size() != 1 || y.name.size() != 1) return false;
    if (std::string_view("=!<>LG").find(x.name[0]) == std::string_view::npos) return false;
    const auto difference = [&](const Node& node) {
      return tree_.sum({node.items[0], tree_.negative(node.items[1])});
    };
    if (is_set_like(tree_, x.items[1]) || is_set_like(tree_, y.items[1])) return false;
    const int ratio = constant_ratio(tree_, difference(x), difference(y), scope_);
    if (ratio == 0) return false;
    return (ratio > 0 ? x.name[0] : turned(x.name[0])) == y.name[0];
  }

  bool same_chain(Ref a, Ref b) {
    auto x = tree_[a];
    const auto y = tree_[b];
    if (x.name.size() != y.name.size()) return false;
    for (const bool turn : {false, true}) {
      if (turn && x.name.find(sign::kOther) != std::string::npos) return false;
      if (turn) {
        std::reverse(x.items.begin(), x.items.end());
        std::reverse(x.name.begin(), x.name.end());
        std::transform(x.name.begin(), x.name.end(), x.name.begin(), turned);
      }
      if (x.name == y.name && in_order(x.items, y.items, "").verdict == Verdict::Equal) return true;
    }
    return false;
  }

  Judgement in_order(const std::vector<Ref>& a, const std::vector<Ref>& b, const char* why) {
    if (a.size() != b.size()) return different(why);
    bool unjudged = false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto item = compare(a[i], b[i]);
      if (item.verdict == Verdict::Different) return different(why);
      unjudged = unjudged || item.verdict == Verdict::Unjudged;
    }
    return unjudged ? Judgement{Verdict::Unjudged, "an item cannot be told apart"} : equal();
  }

  /// Every item has its like in the other list.
  Judgement any_order(const std::vector<Ref>& a, const std::vector<Ref>& b) {
    if (a.size() > kMostItems || b.size() > kMostItems) {
      if (a.size() != b.size()) return different("another number of items");
      throw Refusal{"more than 64 items"};
    }
    std::vector<bool> met(b.size(), false);
    bool unjudged = false;
    bool missing = false;
    for (const auto item : a) {
      bool found = false;
      for (std::size_t j = 0; j < b.size(); ++j) {
        const auto verdict = compare(item, b[j]).verdict;
        found = found || verdict == Verdict::Equal;
        if (verdict == Verdict::Equal) met[j] = true;
        unjudged = unjudged || verdict == Verdict::Unjudged;
      }
      missing = missing || !found;
    }
    missing = missing || std::find(met.begin(), met.end(), false) != met.end();
    if (!missing) return equal();
    if (unjudged) return {Verdict::Unjudged, "an item cannot be told apart"};
    return different("other items");
  }

  Judgement collections(Ref a, Ref b) {
    if (is(a, Kind::Tuple) || is(b, Kind::Tuple)) {
      const bool first = is(a, Kind::Tuple);
      if (const auto judgement = tuple_and_collection(first ? a : b, first ? b : a))
        return *judgement;
    }
    if (const auto named = by_name(a, b)) return *named;
    const auto left = items_of(tree_, a);
    const auto right = items_of(tree_, b);
    if (left.size() == 1 && right.size() == 1) {
      if (left[0] == a && right[0] == b) return different("another form");
      return compare(left[0], right[0]);
    }
    const bool lists = is(a, Kind::List) && is(b, Kind::List);
    if (lists && conventions_.ordered_lists)
      return in_order(left, right, "other items, or another order");
    auto judgement = any_order(left, right);
    if (judgement.verdict != Verdict::Equal && real_set_reading(a, b)) return equal();
    return judgement;
  }

  bool real_set_reading(Ref a, Ref b) {
    const auto is_points = [&](Ref ref) {
      return is_collection(ref) && tree_[tree_[ref].items[0]].kind == Kind::Number;
    };
    if (is_points(a) || is_points(b)) return false;
    return sets(a, b).verdict == Verdict::Equal;
  }

  /// (1, 3) beside {1, 3}: the order as written, or the sorted one.
  std::optional<Judgement> tuple_and_collection(Ref tuple, Ref collection) {
    if (!is_collection(collection)) return std::nullopt;
    auto items = items_of(tree_, collection);
    const auto elements = tree_[tuple].items;
    if (items.size() == 1 || is(items[0], Kind::Relation)) return std::nullopt;
    // [1, 2] is an interval, and no set of its ends
    if (elements.size() == 2 && tree_[tuple].name != "()") return std::nullopt;
    if (items.size() != elements.size()) return std::nullopt;
    if (in_order(elements, items, "").verdict == Verdict::Equal) return equal();
    for (const auto item : items) {
      if (!unknowns(tree_, item).empty() || !order_of(tree_, item, item, scope_))
        return different("other items, or another order");
    }
    std::sort(items.begin(), items.end(),
              [&](Ref x, Ref y) { return order_of(tree_, x, y, scope_).value_or(0) < 0; });
    return in_order(elements, items, "other items, or another order");
  }

  /// x = 1, y = 2 beside y = 2, x = 1: where both name the same things, each has its value.
  std::optional<Judgement> by_name(Ref a, Ref b) {
    const auto left = named_values(tree_, a);
    const auto right = named_values(tree_, b);
    if (left.size() < 2 || left.size() != right.size()) return std::nullopt;
    bool unjudged = false;
    bool all = true;
    for (const auto& [name, value] : left) {
      const auto other = right.find(name);
      if (other == right.end()) return std::nullopt;
      const auto verdict = compare(value, other->second).verdict;
      all = all && verdict != Verdict::Different;
      unjudged = unjudged || verdict == Verdict::Unjudged;
    }
    if (!all) return different("another value of a name");
    if (unjudged) return Judgement{Verdict::Unjudged, "a value cannot be told apart"};
    return equal();
  }

  Judgement tuples(Ref a, Ref b) {
    if (!is(a, Kind::Tuple) || !is(b, Kind::Tuple)) return different("a tuple beside no tuple");
    const auto left = tree_[a];
    const auto right = tree_[b];
    if (left.items.size() == 2 && left.name != right.name) return different("other brackets");
    return in_order(left.items, right.items, "other items, or another order");
  }

  Judgement matrices(Ref a, Ref b) {
    const auto left = scaled_matrix(tree_, a);
    const auto right = scaled_matrix(tree_, b);
    if (!left || !right) return different("a matrix beside no matrix");
    const auto x = tree_[*left];
    const auto y = tree_[*right];
    if (x.columns != y.columns) return different("another shape");
    return in_order(x.items, y.items, "another cell");
  }

  Tree& tree_;
  const Conventions& conventions_;
  Scope scope_;
  int nesting_ = 0;
};

}  // namespace

Comparison::Comparison(Tree& tree, const Conventions& conventions, std::int64_t& steps)
    : tree_(tree), conventions_(conventions), steps_(steps) {}

Judgement Comparison::compare(Ref a, Ref b) {
  return Comparer(tree_, conventions_, steps_).judge(a, b);
}

Judgement Comparison::compare(const Readings& a, const Readings& b) {
  std::optional<Judgement> first;
  for (const auto left : a) {
    for (const auto right : b) {
      auto judgement = compare(left, right);
      if (judgement.verdict == Verdict::Equal) return judgement;
      if (!first || judgement.verdict == Verdict::Unjudged) first = std::move(judgement);
    }
  }
  return first.value_or(Judgement{Verdict::Different, "nothing to compare"});
}

}  // namespace aha::math
