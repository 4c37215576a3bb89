#include <utility>

#include "rewards/math/parser_state.h"
#include "rewards/math/remarks.h"

namespace aha::math {

namespace {

bool is_trigonometric(std::string_view name) {
  return name == "sin" || name == "cos" || name == "tan" || name == "sec" || name == "csc" ||
         name == "cot" || name == "cis";
}

/// dy, and above the line of a fraction also d: what a derivative is written with, where d is no factor.
bool is_differential(const Tree& tree, Ref ref, bool top) {
  const auto is_d = [&](Ref of) { return tree[of].kind == Kind::Symbol && tree[of].name == "d"; };
  const auto& node = tree[ref];
  if (top && is_d(ref)) return true;
  return node.kind == Kind::Product && node.items.size() == 2 && is_d(node.items[0]) &&
         tree[node.items[1]].kind == Kind::Symbol;
}

}  // namespace

Ref Parser::command() {
  const auto token = next();
  const auto& name = token.text;
  if (name == "frac") return fraction();
  if (name == "sqrt" || name == "cbrt") {
    if (name == "sqrt") return root();
    return tree_.function("root", {group_or_atom(), tree_.number(3)});
  }
  if (name == "binom") return binomial();
  if (name == "begin") return matrix();
  if (name == "sum" || name == "prod") return series(name);
  if (name == "int" || name == "lim") return integral(name);
  if (name == "hat" || name == "bar" || name == "tilde") return accented(name);
  if (name == "angle" || name == "triangle") return figure(name);
  refuse("\\" + name + " is out of place");
}

/// \angle ABC is not \triangle ABC; an angle with a number is its measure.
Ref Parser::figure(const std::string& kind) {
  if (!at(TokenKind::Symbol) && !at(TokenKind::Open, "{")) return tree_.symbol(kind);
  const auto of = group_or_atom();
  return tree_[of].kind == Kind::Symbol ? tree_.symbol(kind + " " + tree_[of].name) : of;
}

/// A letter under an accent is another letter, but for unit vectors, which may also be in bold face; AB under a bar is still the segment AB, and digits are digits.
Ref Parser::accented(const std::string& accent) {
  const auto inside = group_or_atom();
  const auto kind = tree_[inside].kind;
  const auto& name = tree_[inside].name;
  if (accent == "hat" && (name == "i" || name == "j" || name == "k")) return inside;
  if (kind == Kind::Symbol) return tree_.symbol(tree_[inside].name + "~" + accent);
  if (kind == Kind::Product || kind == Kind::Number || kind == Kind::Text) return inside;
  return tree_.function(accent, {inside});
}

Ref Parser::fraction() {
  const auto top = group_or_atom();
  const auto bottom = group_or_atom();
  if (is_differential(tree_, top, true) && is_differential(tree_, bottom, false))
    return tree_.function("derivative", {top, bottom});
  const auto& a = tree_[top];
  const auto& b = tree_[bottom];
  if (a.kind == Kind::Text && b.kind == Kind::Text && is_unit_name(plain_remark(a.name)) &&
      is_unit_name(plain_remark(b.name)))
    return tree_.add({.kind = Kind::Text, .name = a.name + "/" + b.name});
  return over(top, bottom);
}

/// Of two whole numbers one number.
Ref Parser::over(Ref top, Ref bottom) {
  const auto& a = tree_[top];
  const auto& b = tree_[bottom];
  if (a.kind == Kind::Number && b.kind == Kind::Number && !a.decimal && !b.decimal &&
      !b.value.is_zero())
    return tree_.number(a.value / b.value);
  return tree_.quotient(top, bottom);
}

/// Behind a slash: dy/dx, `top` being dy; nothing is taken where it is none.
std::optional<Ref> Parser::derivative(const std::vector<Ref>& top) {
  const bool whole = top.size() == 2 && at(TokenKind::Symbol, "d") &&
                     peek(1).kind == TokenKind::Symbol && !peek(1).space_before;
  if (!whole || !is_differential(tree_, tree_.product(top), true)) return std::nullopt;
  next();
  const auto bottom = tree_.product({tree_.symbol("d"), tree_.symbol(next().text)});
  return tree_.function("derivative", {tree_.product(top), bottom});
}

Ref Parser::root() {
  Ref degree = tree_.number(2);
  if (take(TokenKind::Open, "[")) {
    degree = sum();
    if (!take(TokenKind::Close, "]")) refuse("']' is missing");
  }
  // \sqrt13 means the root of 13, whatever TeX prints.
  const auto inside = at(TokenKind::Number) ? numeral() : group_or_atom();
  return tree_.function("root", {inside, degree});
}

Ref Parser::binomial() {
  const auto top = group_or_atom();
  return tree_.function("binomial", {top, group_or_atom()});
}

/// What \sin, \log and their like are applied to: {...} or (...), or factors without a sign
/// between them up to the next function.
Ref Parser::function_argument() {
  if (at(TokenKind::Open, "(") || at(TokenKind::Open, "{") || at(TokenKind::Open, "["))
    return bracketed();
  std::vector<Ref> factors;
  if (take(TokenKind::Operator, "-")) factors.push_back(tree_.number(-1));
  do {
    factors.push_back(power());
  } while (at(TokenKind::Number) || at(TokenKind::Symbol) || at(TokenKind::Constant) ||
           at(TokenKind::Command, "frac"));
  return tree_.product(factors);
}

Ref Parser::function() {
  auto name = next().text;
  std::vector<Ref> arguments;
  if (name == "log" && take(TokenKind::Operator, "_")) arguments.push_back(group_or_atom());
  if (name != "log" && at(TokenKind::Operator, "_")) name += subscript();
  Ref raised = 0;
  bool power_first = false;
  if (take(TokenKind::Operator, "^")) {
    raised = exponent();
    power_first = true;
    if (name == "log" && take(TokenKind::Operator, "_")) arguments.push_back(group_or_atom());
  }
  const bool outer = std::exchange(in_angle_, in_angle_ || is_trigonometric(name));
  const auto inside = function_argument();
  in_angle_ = outer;
  const bool of_many = name == "max" || name == "min" || name == "gcd" || name == "lcm";
  if (tree_[inside].kind == Kind::Tuple || tree_[inside].kind == Kind::List ||
      (of_many && tree_[inside].kind == Kind::Set)) {
    const auto items = tree_[inside].items;
    arguments.insert(arguments.end(), items.begin(), items.end());
  } else {
    arguments.push_back(inside);
  }
  const bool inverse = power_first && tree_[raised].value == -1 &&
                       tree_[raised].kind == Kind::Number && !name.starts_with("arc");
  if (inverse && is_trigonometric(name)) return tree_.function("arc" + name, arguments);
  auto value = tree_.function(name, arguments);
  if (name == "cis")
    value = tree_.sum({tree_.function("cos", arguments),
                       tree_.product({tree_.constant("i"), tree_.function("sin", arguments)})});
  return power_first ? tree_.power(value, raised) : value;
}

/// The 3 of \sum^3_{k=1}, whose index is not the lower bound.
Ref Parser::upper_bound() {
  if (peek(1).text != "_") return exponent();
  if (at(TokenKind::Number)) return tree_.number(fraction_of(next().text));
  if (at(TokenKind::Symbol)) return tree_.symbol(next().text);
  if (at(TokenKind::Constant)) return tree_.constant(next().text);
  return exponent();
}

Ref Parser::series(const std::string& name) {
  const bool outer = counts_by_i_;
  Ref variable = tree_.symbol("?");
  Ref from = variable;
  Ref to = variable;
  for (int i = 0; i < 2; ++i) {
    if (take(TokenKind::Operator, "_")) {
      const auto below = group_or_atom();
      if (tree_[below].kind == Kind::Relation && tree_[below].name == "=") {
        const auto index = tree_[tree_[below].items[0]];
        counts_by_i_ = counts_by_i_ || (index.kind == Kind::Constant && index.name == "i");
        variable = index.kind == Kind::Constant ? tree_.symbol(index.name) : tree_[below].items[0];
        from = tree_[below].items[1];
      } else {
        from = below;
      }
    } else if (take(TokenKind::Operator, "^")) {
      to = upper_bound();
    }
  }
  const auto body = product();
  counts_by_i_ = outer;
  return tree_.add({.kind = Kind::Series, .name = name, .items = {variable, from, to, body}});
}

/// Integrals and limits are compared by their form alone.
Ref Parser::integral(const std::string& name) {
  std::vector<Ref> parts;
  for (int i = 0; i < 2; ++i) {
    if (take(TokenKind::Operator, "_"))
      parts.push_back(group_or_atom());
    else if (take(TokenKind::Operator, "^"))
      parts.push_back(upper_bound());
  }
  parts.push_back(product());
  return tree_.function(name, std::move(parts));
}

/// Marks of alignment, which part no columns: all of aligned and its like, those before a relation of cases.
void Parser::drop_alignment(bool before_relations) {
  std::size_t kept = at_;
  std::size_t inner = 0;  // matrices and the like, whose columns stay
  bool within = true;
  for (std::size_t i = at_; i < tokens_.size(); ++i) {
    const auto& token = tokens_[i];
    if (token.kind == TokenKind::Command && token.text == "begin") ++inner;
    if (token.kind == TokenKind::Command && token.text == "end" && inner-- == 0) within = false;
    const bool mark =
        within && inner == 0 && token.kind == TokenKind::Operator && token.text == "&";
    const bool relation = i + 1 < tokens_.size() && tokens_[i + 1].kind == TokenKind::Relation;
    if (mark && (relation || !before_relations)) continue;
    if (kept != i) tokens_[kept] = std::move(tokens_[i]);
    ++kept;
  }
  tokens_.resize(kept);
}

Ref Parser::matrix() {
  const auto environment = [this] {
    if (!take(TokenKind::Open, "{")) refuse("'{' is missing");
    std::string name;
    while (!at(TokenKind::Close) && !at(TokenKind::End))
      name += next().text;
    if (!take(TokenKind::Close, "}")) refuse("'}' is missing");
    return name;
  };
  const Depth depth(*this);
  const auto name = environment();
  if (name == "array" && at(TokenKind::Open, "{")) environment();  // {cc}
  const bool plain = name.find("matrix") == std::string::npos && name != "array";
  if (plain) drop_alignment(name == "cases");
  Node node{.kind = Kind::Matrix};
  std::size_t in_row = 0;
  while (!at(TokenKind::Command, "end")) {
    if (at(TokenKind::End)) refuse("\\end is missing");
    // "if x > 0" of cases
    if (at(TokenKind::Text) &&
        (peek().text == "if" || peek().text == "when" || peek().text == "for"))
      next();
    node.items.push_back(relation());
    ++in_row;
    while (at(TokenKind::Separator))
      next();
    if (take(TokenKind::Operator, "&")) continue;
    if (node.columns == 0) node.columns = in_row;
    if (in_row != node.columns) refuse("rows of different lengths");
    in_row = 0;
    if (!take(TokenKind::Operator, "#") && !at(TokenKind::Command, "end"))
      refuse("'" + peek().text + "' in a matrix");
  }
  next();
  if (environment() != name || node.items.empty()) refuse("a matrix that is not closed");
  if (in_row != 0) refuse("rows of different lengths");
  if (plain && node.items.size() == 1) return node.items[0];
  if (plain && node.columns == 1)  // a system
    return tree_.add({.kind = Kind::List, .name = "and", .items = std::move(node.items)});
  const auto whole = tree_.add(std::move(node));
  return name == "vmatrix" ? tree_.function("det", {whole}) : whole;
}

}  // namespace aha::math
