#pragma once
#include <optional>
#include <vector>

#include "rewards/math/evaluate.h"
#include "rewards/math/judgement.h"
#include "rewards/math/meaning.h"

namespace aha::math {

/// The comparison of equivalence.h: values and words in equivalence.cpp, relations in relations.cpp, lists, sets
/// and tuples in collections.cpp.
class Comparer {
 public:
  Comparer(Tree& tree, const Conventions& conventions, std::int64_t& steps, Ref answer_from)
      : tree_(tree), conventions_(conventions) {
    scope_.answer_from = answer_from;
    scope_.percent_is_number = conventions.percent_is_number;
    scope_.steps = &steps;
  }
  /// Of two answers as wholes.
  Judgement judge(Ref a, Ref b);
  Judgement compare(Ref a, Ref b);

 private:
  static Judgement equal() { return {Verdict::Equal, ""}; }
  static Judgement different(const char* why) { return {Verdict::Different, why}; }
  bool is(Ref ref, Kind kind) const { return tree_[ref].kind == kind; }
  bool is_collection(Ref ref) const { return is(ref, Kind::List) || is(ref, Kind::Set); }
  bool is_set(Ref ref) const {
    return is(ref, Kind::Set) || (is(ref, Kind::Constant) && tree_[ref].name == "empty");
  }
  bool is_named_set(Ref ref) const { return is(ref, Kind::Constant) && is_set_like(tree_, ref); }
  /// What an answer like m + n = 113 says to a gold that is a number, and (x^2-1)/(x-1) = x+1, an identity, to an
  /// expression.
  std::optional<Ref> stated_value(Ref gold, Ref answer);
  bool is_implication(Ref ref) const;
  /// x = 10 of 2x = 20 \implies x = 10, where all equations before it hold at 10.
  std::optional<Ref> conclusion_of(Ref ref);
  /// 78.54 of 25\pi \approx 78.54, whose value is 25\pi.
  std::optional<Ref> rounded_value(Ref ref) const;
  Judgement by_kind(Ref a, Ref b);
  Judgement relations(Ref a, Ref b);
  /// A^{-1} = [...] beside that matrix, or beside another value of A^{-1}.
  std::optional<Judgement> vector_equations(Ref a, Ref b);
  /// Elements and condition of {f(k) | k in S}, each beside the other's.
  std::optional<Judgement> parted(Ref a, Ref b);
  /// How often a name is derived: y'', f'(x), dy/dx.
  std::size_t primes_of(Ref ref) const;
  /// f(2) and f(3), y' and y'', and a set's letters; f(x) and g(x) are two names.
  bool are_other_values(Ref a, Ref b) const;
  /// 3:4:5 and 6:8:10.
  std::optional<Judgement> ratios(Ref a, Ref b);
  /// "n odd" is not n; the half of the day and the letter of a choice count only beside another one.
  Judgement remarks(Ref a, Ref b);
  /// 8 and 8:00; 1:20 is not 2:40 as it is among ratios.
  Judgement times(Ref a, Ref b);
  /// 3 (mod 7) and 10 (mod 7); beside a number the residue as it is written, or the least one.
  Judgement residues(Ref a, Ref b);
  Judgement sets(Ref a, Ref b);
  /// left - right of both in one ratio, and the relation turned where it is negative.
  bool same_relation(Ref a, Ref b);
  bool same_chain(Ref a, Ref b);
  Judgement in_order(const std::vector<Ref>& a, const std::vector<Ref>& b, const char* why);
  /// Every item has its like in the other list.
  Judgement any_order(const std::vector<Ref>& a, const std::vector<Ref>& b, bool elements);
  Judgement collections(Ref a, Ref b);
  /// p and q is not p or q; of inequalities the sets that they are decide.
  std::optional<Judgement> conditions(Ref a, Ref b);
  bool names_someone(Ref ref) const;
  bool real_set_reading(Ref a, Ref b);
  /// (1, 3) beside {1, 3}: the order as written, or the sorted one.
  std::optional<Judgement> tuple_and_collection(Ref tuple, Ref collection);
  /// (1, 2) beside x = 1, y = 2: the coordinates in the order of their names.
  std::optional<Judgement> tuple_and_names(Ref tuple, Ref names);
  /// x = 1, y = 2 beside y = 2, x = 1: where both name the same things, each has its value.
  std::optional<Judgement> by_name(Ref a, Ref b);
  Judgement tuples(Ref a, Ref b);
  Judgement matrices(Ref a, Ref b);
  Tree& tree_;
  const Conventions& conventions_;
  Scope scope_;
  int nesting_ = 0;
};

}  // namespace aha::math
