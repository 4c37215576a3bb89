#include <algorithm>

#include "rewards/math/meaning.h"

// Sums, products, transposes and whole powers of matrices, as one matrix.

namespace aha::math {
namespace {

using Cells = std::vector<Ref>;

constexpr std::size_t kMostParts = 4000;  // of a matrix that is worked out
constexpr std::size_t kMostBits = 4000;   // of a number in one
constexpr int kMostPower = 8;

/// Parts of an expression, those used twice counted twice; no further than `most`.
std::size_t parts_of(const Tree& tree, Ref ref, std::size_t most) {
  std::size_t parts = 1;
  for (const auto item : tree[ref].items) {
    if (parts > most) break;
    parts += parts_of(tree, item, most - std::min(most, parts));
  }
  return parts;
}

/// A matrix, unless it has become too large to go on with.
Ref added(Tree& tree, std::size_t columns, Cells cells) {
  std::size_t parts = 0;
  for (const auto cell : cells) {
    parts += parts_of(tree, cell, kMostParts);
    if (parts > kMostParts) throw Refusal{"a matrix too large to work out"};
  }
  return tree.add({.kind = Kind::Matrix, .items = std::move(cells), .columns = columns});
}

bool all_numbers(const Tree& tree, const Cells& items) {
  return std::all_of(items.begin(), items.end(),
                     [&](Ref item) { return tree[item].kind == Kind::Number; });
}

/// a_1 b_1 + a_2 b_2 + ..., of numbers one number.
Ref dot_product(Tree& tree, const Cells& a, const Cells& b) {
  if (!all_numbers(tree, a) || !all_numbers(tree, b)) {
    Cells terms;
    for (std::size_t i = 0; i < a.size(); ++i)
      terms.push_back(tree.product({a[i], b[i]}));
    return tree.sum(terms);
  }
  Fraction total = 0;
  bool decimal = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    total += tree[a[i]].value * tree[b[i]].value;
    decimal = decimal || tree[a[i]].decimal || tree[b[i]].decimal;
  }
  const auto bits = [](const Integer& whole) { return whole == 0 ? 0 : msb(abs(whole)); };
  if (bits(numerator(total)) + bits(denominator(total)) > kMostBits)
    throw Refusal{"a matrix of numbers too large to work out"};
  return tree.number(total, decimal);
}

Ref transposed(Tree& tree, Ref matrix) {
  const auto node = tree[matrix];
  Cells cells;
  for (std::size_t column = 0; column < node.columns; ++column) {
    for (auto at = column; at < node.items.size(); at += node.columns)
      cells.push_back(node.items[at]);
  }
  return added(tree, node.items.size() / node.columns, std::move(cells));
}

std::optional<Ref> multiplied(Tree& tree, Ref a, Ref b) {
  const auto left = tree[a];
  const auto right = tree[transposed(tree, b)];
  if (left.columns != right.columns) return std::nullopt;
  const auto row = [&](const Node& of, std::size_t begin) {
    const auto from = of.items.begin() + static_cast<std::ptrdiff_t>(begin);
    return Cells(from, from + static_cast<std::ptrdiff_t>(of.columns));
  };
  Cells cells;
  for (std::size_t i = 0; i < left.items.size(); i += left.columns) {
    for (std::size_t j = 0; j < right.items.size(); j += right.columns)
      cells.push_back(dot_product(tree, row(left, i), row(right, j)));
  }
  return added(tree, right.items.size() / right.columns, std::move(cells));
}

std::optional<Ref> sum_of(Tree& tree, const Cells& terms) {
  std::optional<Ref> total;
  for (const auto term : terms) {
    const auto matrix = matrix_of(tree, term);
    if (!matrix) return std::nullopt;
    if (!total) {
      total = matrix;
      continue;
    }
    const auto left = tree[*total];
    const auto right = tree[*matrix];
    if (left.columns != right.columns || left.items.size() != right.items.size())
      return std::nullopt;
    Cells cells;
    for (std::size_t i = 0; i < left.items.size(); ++i)
      cells.push_back(tree.sum({left.items[i], right.items[i]}));
    total = added(tree, left.columns, std::move(cells));
  }
  return total;
}

std::optional<Ref> product_of(Tree& tree, const Cells& factors) {
  Cells numbers;
  std::optional<Ref> matrix;
  for (const auto factor : factors) {
    if (!is_matrix(tree, factor)) {
      numbers.push_back(factor);
      continue;
    }
    const auto next = matrix_of(tree, factor);
    matrix = next && matrix ? multiplied(tree, *matrix, *next) : next;
    if (!matrix) return std::nullopt;
  }
  if (!matrix || numbers.empty()) return matrix;
  auto cells = tree[*matrix].items;
  for (auto& cell : cells) {
    auto scaled = numbers;
    scaled.push_back(cell);
    cell = tree.product(scaled);
  }
  return added(tree, tree[*matrix].columns, std::move(cells));
}

std::optional<Ref> power_of(Tree& tree, Ref base, Ref exponent) {
  const auto matrix = matrix_of(tree, base);
  const auto& power = tree[exponent];
  if (!matrix) return std::nullopt;
  if (is_transpose(power)) return transposed(tree, *matrix);
  if (!is_whole(tree, exponent) || power.value < 1 || power.value > kMostPower) return std::nullopt;
  const auto times = static_cast<int>(numerator(power.value));
  auto product = matrix;
  for (int i = 1; i < times && product; ++i)
    product = multiplied(tree, *product, *matrix);
  return product;
}

}  // namespace

bool is_transpose(const Node& exponent) {
  return exponent.kind == Kind::Symbol &&
         (exponent.name == "T" || exponent.name == "top" || exponent.name == "intercal");
}

bool is_matrix(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  if (node.kind == Kind::Matrix) return true;
  if (node.kind == Kind::Power) return is_matrix(tree, node.items[0]);
  return (node.kind == Kind::Sum || node.kind == Kind::Product) &&
         std::any_of(node.items.begin(), node.items.end(),
                     [&](Ref item) { return is_matrix(tree, item); });
}

std::optional<Ref> matrix_of(Tree& tree, Ref ref) {
  const auto node = tree[ref];  // a copy: what is worked out is added
  switch (node.kind) {
    case Kind::Matrix:
      return ref;
    case Kind::Sum:
      return sum_of(tree, node.items);
    case Kind::Product:
      return product_of(tree, node.items);
    case Kind::Power:
      return power_of(tree, node.items[0], node.items[1]);
    default:
      return std::nullopt;
  }
}

}  // namespace aha::math
