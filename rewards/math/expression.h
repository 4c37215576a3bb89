#pragma once
#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace aha::math {

using Integer = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>,
                                              boost::multiprecision::et_off>;
using Fraction = boost::multiprecision::number<boost::multiprecision::cpp_rational_backend,
                                               boost::multiprecision::et_off>;

/// Why a text is no answer that we can read, or an expression too large to judge. Thrown inside
/// this folder only: whoever calls reads a value or a reason.
struct Refusal {
  std::string reason;
};

enum class Kind {
  Number,      ///< `value`; `decimal` when a decimal point was written
  Constant,    ///< `name`: pi, e, i, infinity, reals, integers, naturals, rationals, empty
  Symbol,      ///< `name`, subscript included: x, x_1, alpha
  Text,        ///< `name`: words that are no mathematics
  Sum,         ///< of `items`
  Product,     ///< of `items`
  Power,       ///< items[0] ^ items[1]
  PlusMinus,   ///< items[0] with the sign that `name` ("+-" or "-+") begins with, or the other
  Function,    ///< `name` of items: sin, sqrt, root, log, abs, factorial, ...
  Apply,       ///< an unknown function: items[0] of the others, f(x)
  Percent,     ///< items[0] / 100
  BaseNumber,  ///< a numeral in another base: its `value`, the base is items[0]
  Series,      ///< `name` ("sum", "prod") of items[3] for symbol items[0] from items[1] to items[2]
  Tuple,       ///< `name` is its two brackets: "()", "[)", ...; also an interval
  Set,         ///< {items}
  List,        ///< items separated by commas or by `name` ("and", "or"; "mixed"), without brackets
  Relation,    ///< chain items[0] name[0] items[1] name[1] ...: see RelationSign
  SetOperation,  ///< `name`: union, intersection, minus
  Matrix,        ///< items in rows of `columns`
  Remarked,      ///< items[0] with words `name` beside it that say more: n odd, 7 p.m., (E) 9
};

/// The characters of a Relation's `name`.
namespace sign {
inline constexpr char kEqual = '=';
inline constexpr char kAbout = '~';
inline constexpr char kNotEqual = '!';
inline constexpr char kLess = '<';
inline constexpr char kMore = '>';
inline constexpr char kAtMost = 'L';
inline constexpr char kAtLeast = 'G';
inline constexpr char kIn = 'e';
inline constexpr char kSuchThat = '|';
inline constexpr char kRatio = ':';
inline constexpr char kNotIn = 'n';
inline constexpr char kCongruent = 'c';  ///< of the lexer; "=" in a chain
inline constexpr char kImplies = 'I';
inline constexpr char kOther = '?';  ///< what has no sign of its own
// Others stand for themselves alone, see vocabulary.cpp.
}  // namespace sign

using Ref = std::uint32_t;

struct Node {
  Kind kind = Kind::Number;
  Fraction value{};
  bool decimal = false;
  std::string name{};
  std::vector<Ref> items{};
  std::size_t columns = 0;
  bool spaced = false;  ///< of a Symbol: after a space, as units are written
};

/// The nodes of one comparison, gold and prediction together. Nodes are values in a row and refer
/// to earlier ones by place, so nothing here is recursive to build or to destroy.
class Tree {
 public:
  static constexpr std::size_t kMostNodes = 20000;

  const Node& operator[](Ref ref) const { return nodes_[ref]; }

  /// Refusal beyond kMostNodes.
  Ref add(Node node);
  Ref number(Fraction value, bool decimal = false);
  Ref symbol(std::string name) { return add({.kind = Kind::Symbol, .name = std::move(name)}); }
  Ref constant(std::string name) { return add({.kind = Kind::Constant, .name = std::move(name)}); }
  Ref function(std::string name, std::vector<Ref> items);
  /// Nested sums and products are made one.
  Ref sum(const std::vector<Ref>& terms) { return flat(Kind::Sum, terms); }
  Ref product(const std::vector<Ref>& factors) { return flat(Kind::Product, factors); }
  Ref power(Ref base, Ref exponent);
  Ref negative(Ref of) { return product({number(-1), of}); }
  Ref quotient(Ref top, Ref bottom) { return product({top, power(bottom, number(-1))}); }

  std::size_t size() const { return nodes_.size(); }

 private:
  Ref flat(Kind kind, const std::vector<Ref>& items);

  std::vector<Node> nodes_;
};

/// The value of a numeral as the lexer writes it: "12", "0.5", "2e-3", "0.1(6)" (repeating), "5 1/2".
Fraction fraction_of(const std::string& numeral);

/// True of a whole number that is written without a decimal point.
bool is_whole(const Tree& tree, Ref ref);

/// True if any node below is of the kind.
bool contains(const Tree& tree, Ref ref, Kind kind);

/// The tree as nested lists, such as "(sum x (product -1 y))": for people.
std::string described(const Tree& tree, Ref ref);

}  // namespace aha::math
