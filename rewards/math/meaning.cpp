#include "rewards/math/meaning.h"

#include <algorithm>

#include "rewards/math/canonical.h"

namespace aha::math {
namespace {

bool is_name(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  const auto all_names = [&] {
    return std::all_of(node.items.begin(), node.items.end(),
                       [&](Ref item) { return is_name(tree, item); });
  };
  switch (node.kind) {
    case Kind::Symbol:
    case Kind::Apply:
    case Kind::Text:
      return true;
    case Kind::Tuple:
    case Kind::List:
    case Kind::Remarked:
      return all_names();
    case Kind::Function:
      return node.name == "derivative" ||
             ((node.name == "abs" || node.name == "norm") && all_names());
    // AB, the side of a figure; xy is a product and no name.
    case Kind::Product:
      return std::all_of(node.items.begin(), node.items.end(), [&](Ref item) {
        const auto& factor = tree[item];
        return factor.kind == Kind::Symbol && factor.name[0] >= 'A' && factor.name[0] <= 'Z';
      });
    default:
      return false;
  }
}

/// 47 or 2.5, but not 1/3: who rounds one of them means the other.
bool is_numeral(const Tree& tree, Ref ref) {
  return tree[ref].kind == Kind::Number && (tree[ref].decimal || is_whole(tree, ref));
}

/// P(X > 3), (f \circ g)(2): what is written as a product and is none.
bool is_value_of(const Tree& tree, const Node& product) {
  const auto& first = tree[product.items[0]];
  return product.items.size() == 2 && first.kind == Kind::Symbol &&
         (tree[product.items[1]].kind == Kind::Relation ||
          first.name.find(" of ") != std::string::npos);
}

/// An expression of letters, with signs, exponents and roots if `powers` may be: x^2 = 9 and -x = 3 are equations in x.
bool is_of_letters(const Tree& tree, Ref ref, bool powers) {
  const auto& node = tree[ref];
  const auto every = [&](auto begin) {
    return std::all_of(begin, node.items.end(),
                       [&](Ref item) { return is_of_letters(tree, item, powers); });
  };
  switch (node.kind) {
    case Kind::Symbol:
    case Kind::Apply:
      return true;
    case Kind::Function:
      if (node.name == "root") return powers && is_of_letters(tree, node.items[0], powers);
      return node.name == "int" || node.name == "lim" || every(node.items.begin());
    case Kind::Series:
      return is_of_letters(tree, node.items[3], powers);
    case Kind::Product:
      return is_value_of(tree, node) ||
             every(node.items.begin() + (powers && abs(tree[node.items[0]].value) == 1 ? 1 : 0));
    case Kind::Power: {
      const auto& exponent = tree[node.items[1]];
      const bool function = tree[node.items[0]].kind == Kind::Function;  // \sin^2 A
      const bool raised =
          exponent.value == -1 || ((powers || function) && is_whole(tree, node.items[1]));
      const bool letter = powers && exponent.kind == Kind::Symbol;  // x^y + y^x
      return is_of_letters(tree, node.items[0], powers) &&
             ((exponent.kind == Kind::Number && raised) || letter);
    }
    default:
      return !node.items.empty() && node.kind != Kind::Relation && every(node.items.begin());
  }
}

/// A, and where `matrix` A^{-1} and A^T.
bool is_term(const Tree& tree, Ref ref, bool matrix) {
  const auto& node = tree[ref];
  if (node.kind == Kind::Symbol) return true;
  if (!matrix || node.kind != Kind::Power || tree[node.items[0]].kind != Kind::Symbol) return false;
  const auto& exponent = tree[node.items[1]];
  return (exponent.kind == Kind::Number && exponent.value == -1) || is_transpose(exponent);
}

/// u + v, u - v, A^{-1}, but not -v.
bool is_sum_of_terms(const Tree& tree, Ref ref, bool matrix) {
  const auto& node = tree[ref];
  if (is_term(tree, ref, matrix)) return true;
  if (node.kind != Kind::Sum) return false;
  const auto is_subtracted = [&](Ref item) {
    const auto& term = tree[item];
    return term.kind == Kind::Product && term.items.size() == 2 &&
           tree[term.items[0]].value == -1 && is_term(tree, term.items[1], matrix);
  };
  return std::all_of(
             node.items.begin(), node.items.end(),
             [&](Ref item) { return is_term(tree, item, matrix) || is_subtracted(item); }) &&
         !is_subtracted(node.items[0]);
}

}  // namespace

std::optional<Assignment> vector_equation(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind != Kind::Relation || node.name.find_first_not_of(sign::kEqual) != std::string::npos)
    return std::nullopt;
  const auto first = node.items[0];
  const auto value = node.items.back();
  const bool matrix = is_matrix(tree, value);
  if ((!matrix && tree[value].kind != Kind::Tuple) || tree[first].kind == Kind::Symbol)
    return std::nullopt;
  if (!is_sum_of_terms(tree, first, matrix)) return std::nullopt;
  const auto inside = unknowns(tree, value);
  const auto names = unknowns(tree, first);
  const bool circular = std::any_of(names.begin(), names.end(),
                                    [&](const auto& name) { return inside.contains(name); });
  return circular ? std::nullopt : std::optional(Assignment{first, value});
}

bool is_known(const Tree& tree, Ref ref) {
  return !is_set_like(tree, ref) && tree[ref].kind != Kind::Text && unknowns(tree, ref).empty();
}

bool is_quantity(const Tree& tree, Ref ref) {
  return is_of_letters(tree, ref, unknowns(tree, ref).size() > 1);
}

bool is_set_like(const Tree& tree, Ref ref) {
  switch (tree[ref].kind) {
    case Kind::Set:
    case Kind::List:
    case Kind::Tuple:
    case Kind::SetOperation:
    case Kind::Matrix:
    case Kind::Relation:
      return true;
    case Kind::Constant:
      return tree[ref].name != "pi" && tree[ref].name != "e" && tree[ref].name != "i";
    default:
      return false;
  }
}

std::optional<Assignment> assignment_of(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind != Kind::Relation) return std::nullopt;
  const auto first = node.items[0];
  if (node.name == std::string(1, sign::kIn))
    return is_name(tree, first) ? std::optional(Assignment{first, node.items[1]}) : std::nullopt;
  if (node.name.find_first_not_of("=~") != std::string::npos) return std::nullopt;
  // What follows "about" is the same value, rounded: it counts where there is nothing else.
  auto last = node.items.size() - 1;
  const std::size_t least = is_known(tree, first) && !is_numeral(tree, first) ? 0 : 1;
  const auto is_rounded = [&](std::size_t i) {
    return node.name[i - 1] == sign::kAbout || (least == 0 && tree[node.items[i]].decimal);
  };
  while (last > least && is_rounded(last))
    --last;
  const auto given = [&](Ref name, Ref value) -> std::optional<Assignment> {
    // x = x + 1 is an equation.
    const auto inside = unknowns(tree, value);
    if (inside.contains(canonical(tree, name))) return std::nullopt;
    return Assignment{name, value};
  };
  if (is_name(tree, first)) return given(first, node.items[last]);
  if (is_name(tree, node.items[last]))
    return given(node.items[last], node.items[last - 1]);  // 5 = x
  if (is_known(tree, first)) return Assignment{first, node.items[last]};
  return std::nullopt;
}

std::optional<Ref> assigned_value(const Tree& tree, Ref ref) {
  const auto assignment = assignment_of(tree, ref);
  return assignment ? std::optional(assignment->value) : std::nullopt;
}

NamedValues named_values(const Tree& tree, Ref ref) {
  NamedValues values;
  const auto& node = tree[ref];
  const auto add = [&](Ref name, Ref value) {
    auto key = canonical(tree, name);
    for (const auto& [other, _] : values) {
      if (other == key) return false;
    }
    values.emplace_back(std::move(key), value);
    return true;
  };
  if (node.kind == Kind::Relation && node.name == "=") {  // (x, y) = (1, 2)
    const auto& names = tree[node.items[0]];
    const auto& tuple = tree[node.items[1]];
    if (names.kind != Kind::Tuple || tuple.kind != Kind::Tuple ||
        names.items.size() != tuple.items.size())
      return {};
    for (std::size_t i = 0; i < names.items.size(); ++i) {
      if (!is_name(tree, names.items[i]) || !add(names.items[i], tuple.items[i])) return {};
    }
    return values;
  }
  if (node.kind != Kind::List) return values;
  for (const auto item : node.items) {
    const auto assignment = assignment_of(tree, item);
    if (!assignment || !add(assignment->name, assignment->value)) return {};
  }
  return values;
}

std::vector<Ref> coordinates_of(const NamedValues& values) {
  auto named = values;
  std::sort(named.begin(), named.end());
  const auto follows = [](const std::string& a, const std::string& b) {
    if (a.size() == 1 && b.size() == 1) return b[0] == a[0] + 1;
    const auto stem = a.find('_');
    return stem != std::string::npos && a.substr(0, stem + 1) == b.substr(0, stem + 1);
  };
  bool run = true;  // x, y, z and x_1, x_2
  for (std::size_t i = 1; i < named.size(); ++i)
    run = run && follows(named[i - 1].first, named[i].first);
  std::vector<Ref> items;
  for (const auto& [_, value] : run ? named : values)
    items.push_back(value);
  return items;
}

}  // namespace aha::math
