#include "rewards/math/parser_state.h"
#include "rewards/math/vocabulary.h"

namespace aha::math {
namespace {

constexpr std::size_t kLettersInProduct = 3;

bool all_capitals(std::string_view word) {
  for (const char c : word) {
    if (c < 'A' || c > 'Z') return false;
  }
  return true;
}

}  // namespace

Ref Parser::atom() {
  const Depth depth(*this);
  switch (peek().kind) {
    case TokenKind::Number:
      return numeral();
    case TokenKind::Symbol:
    case TokenKind::Constant:
      return letter();
    case TokenKind::Word:
      return words();
    case TokenKind::Text:
      return tree_.add({.kind = Kind::Text, .name = next().text});
    case TokenKind::Ellipsis:
      next();
      return tree_.symbol("...");
    case TokenKind::Open:
      return bracketed();
    case TokenKind::Bar:
      return absolute();
    case TokenKind::Function:
      return function();
    case TokenKind::Command:
      return command();
    case TokenKind::Wrapper:
      next();
      return group_or_atom();
    case TokenKind::End:
      refuse("it ends where something should follow");
    default:
      refuse("'" + peek().text + "' is out of place");
  }
}

Ref Parser::numeral() {
  const auto token = next();
  auto value = fraction_of(token.text);
  if (take(TokenKind::Operator, "_")) {
    // A numeral in another base: 4210_7
    const auto base = group_or_atom();
    if (tree_[base].kind != Kind::Number) refuse("a base that is no number");
    Fraction total = 0;
    for (const char c : token.text) {
      if (c < '0' || c > '9' || tree_[base].value <= c - '0') refuse("a digit beyond its base");
      total = total * tree_[base].value + (c - '0');
      if (token.text.size() > 200) refuse("too many digits");
    }
    return tree_.add({.kind = Kind::BaseNumber, .value = total, .items = {base}});
  }
  const bool decimal = token.text.find_first_of(".e") != std::string::npos &&
                       token.text.find('(') == std::string::npos;
  return tree_.number(std::move(value), decimal);
}

/// The rest of x_1 or x_{12}, "" without one.
std::string Parser::subscript() {
  std::string text;
  while (take(TokenKind::Operator, "_")) {
    text += "_";
    if (!take(TokenKind::Open, "{")) {
      text += next().text;
      continue;
    }
    int open = 1;
    while (!at(TokenKind::End)) {
      if (at(TokenKind::Open, "{")) ++open;
      if (at(TokenKind::Close, "}") && --open == 0) break;
      text += next().text;
    }
    if (!take(TokenKind::Close, "}")) refuse("'}' is missing");
  }
  return text;
}

Ref Parser::letter() {
  const auto token = next();
  const auto below = subscript();
  if (token.kind == TokenKind::Constant && below.empty()) return tree_.constant(token.text);
  auto name = token.text + below;
  while (take(TokenKind::Prime))
    name += "'";
  if (at(TokenKind::Operator, "^") && peek(1).kind == TokenKind::Prime) {
    next();
    next();
    name += "'";
  }
  const auto symbol = tree_.symbol(name);
  const bool inverse = at(TokenKind::Operator, "^") && peek(1).text == "{" && peek(2).text == "-" &&
                       peek(3).text == "1" && peek(4).text == "}" && peek(5).text == "(";
  const bool by_name = name[0] == 'f' || name[0] == 'g' || name[0] == 'h' ||
                       (token.text.size() == 1 && all_capitals(token.text));
  if (inverse && by_name) {
    at_ += 5;
    return applied(tree_.symbol(name + "^-1"));
  }
  if (by_name && at(TokenKind::Open, "(") && !peek().space_before) {
    // A capital letter is a function of letters or a number, and a factor before a sum.
    const bool small = name[0] == 'f' || name[0] == 'g' || name[0] == 'h' ||
                       (peek(2).text == ")" || peek(2).text == ",");
    if (small) return applied(symbol);
  }
  return symbol;
}

Ref Parser::applied(Ref function_name) {
  const auto inside = bracketed();
  Node node{.kind = Kind::Apply, .items = {function_name}};
  if (tree_[inside].kind == Kind::Tuple)
    node.items.insert(node.items.end(), tree_[inside].items.begin(), tree_[inside].items.end());
  else
    node.items.push_back(inside);
  return tree_.add(std::move(node));
}

/// Letters in a row: a few are a product of them, more are a word.
Ref Parser::words() {
  const auto word = next().text;
  if (word.size() > kLettersInProduct && !all_capitals(word)) {
    auto text = word;
    while (at(TokenKind::Word))
      text += " " + next().text;
    if (starts_operand()) refuse("words before mathematics");
    return tree_.add({.kind = Kind::Text, .name = text});
  }
  std::vector<Ref> factors;
  for (const char c : word) {
    const auto name = std::string(1, c);
    const bool constant = c == 'e' || c == 'i';
    factors.push_back(constant ? tree_.constant(name) : tree_.symbol(name));
  }
  const auto below = subscript();
  if (!below.empty()) factors.back() = tree_.symbol(word.back() + below);
  return tree_.product(factors);
}

Ref Parser::bracketed() {
  const auto open = next().text;
  const auto outer_bars = bars_;
  bars_ = 0;
  if (at(TokenKind::Close) && (open == "S" || open == "{")) {
    next();
    return tree_.constant("empty");
  }
  const auto inside = list();
  bars_ = outer_bars;
  if (!at(TokenKind::Close)) refuse("a bracket is not closed");
  const auto close = next().text;
  if (open == "f" || open == "c") return tree_.function(open == "f" ? "floor" : "ceil", {inside});
  const bool many = tree_[inside].kind == Kind::List;
  if (open == "S" || open == "{") {
    if (close != (open == "S" ? "S" : "}")) refuse("brackets do not match");
    if (open == "{" && !many) return inside;
    std::vector<Ref> items = many ? tree_[inside].items : std::vector<Ref>{inside};
    return tree_.add({.kind = Kind::Set, .items = std::move(items)});
  }
  if (close == "}" || close == "S") refuse("brackets do not match");
  if (!many) return inside;
  const auto brackets = open == "a" ? "()" : open + close;
  auto items = tree_[inside].items;
  return tree_.add({.kind = Kind::Tuple, .name = brackets, .items = std::move(items)});
}

Ref Parser::absolute() {
  const auto bar = next().text;
  ++bars_;
  const auto inside = sum();
  --bars_;
  if (!take(TokenKind::Bar, bar)) refuse("'|' is not closed");
  return tree_.function(bar == "|" ? "abs" : "norm", {inside});
}

Ref Parser::group() {
  if (!take(TokenKind::Open, "{")) refuse("'{' is missing");
  const auto bars = bars_;
  bars_ = 0;
  const auto inside = list();
  bars_ = bars;
  if (!take(TokenKind::Close, "}")) refuse("'}' is missing");
  return inside;
}

/// The argument of a command: {...}, or one token, which of a numeral is its first digit.
Ref Parser::group_or_atom() {
  if (at(TokenKind::Open, "{")) return group();
  if (!at(TokenKind::Number) || peek().text.size() == 1) return atom();
  auto& token = tokens_[at_];
  const auto digit = token.text.substr(0, 1);
  token.text.erase(0, 1);
  if (token.text[0] == '.' || token.text[0] == 'e') refuse("half a number");
  token.space_before = false;
  return tree_.number(fraction_of(digit));
}

Ref Parser::command() {
  const auto name = next().text;
  if (name == "frac") return fraction();
  if (name == "sqrt" || name == "cbrt") {
    if (name == "sqrt") return root();
    return tree_.function("root", {group_or_atom(), tree_.number(3)});
  }
  if (name == "binom") return binomial();
  if (name == "begin") return matrix();
  if (name == "sum" || name == "prod") return series(name);
  if (name == "int" || name == "lim") return integral(name);
  refuse("\\" + name + " is out of place");
}

Ref Parser::fraction() {
  const auto top = group_or_atom();
  const auto bottom = group_or_atom();
  const auto& a = tree_[top];
  const auto& b = tree_[bottom];
  if (a.kind == Kind::Number && b.kind == Kind::Number && !a.decimal && !b.decimal &&
      !b.value.is_zero())
    return tree_.number(a.value / b.value);
  return tree_.quotient(top, bottom);
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
  const auto inside = function_argument();
  if (tree_[inside].kind == Kind::Tuple || tree_[inside].kind == Kind::List) {
    const auto items = tree_[inside].items;
    arguments.insert(arguments.end(), items.begin(), items.end());
  } else {
    arguments.push_back(inside);
  }
  const bool inverse = power_first && tree_[raised].value == -1 &&
                       tree_[raised].kind == Kind::Number && !name.starts_with("arc");
  if (inverse && (name == "sin" || name == "cos" || name == "tan" || name == "sec" ||
                  name == "csc" || name == "cot"))
    return tree_.function("arc" + name, arguments);
  const auto value = tree_.function(name, arguments);
  return power_first ? tree_.power(value, raised) : value;
}

Ref Parser::series(const std::string& name) {
  Ref variable = tree_.symbol("?");
  Ref from = variable;
  Ref to = variable;
  for (int i = 0; i < 2; ++i) {
    if (take(TokenKind::Operator, "_")) {
      const auto below = group_or_atom();
      if (tree_[below].kind == Kind::Relation && tree_[below].name == "=") {
        variable = tree_[below].items[0];
        from = tree_[below].items[1];
      } else {
        from = below;
      }
    } else if (take(TokenKind::Operator, "^")) {
      to = exponent();
    }
  }
  const auto body = product();
  return tree_.add({.kind = Kind::Series, .name = name, .items = {variable, from, to, body}});
}

/// Integrals and limits are compared by their form alone.
Ref Parser::integral(const std::string& name) {
  std::vector<Ref> parts;
  for (int i = 0; i < 2; ++i) {
    if (take(TokenKind::Operator, "_"))
      parts.push_back(group_or_atom());
    else if (take(TokenKind::Operator, "^"))
      parts.push_back(exponent());
  }
  parts.push_back(product());
  return tree_.function(name, std::move(parts));
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
  Node node{.kind = Kind::Matrix};
  std::size_t in_row = 0;
  while (!at(TokenKind::Command, "end")) {
    if (at(TokenKind::End)) refuse("\\end is missing");
    node.items.push_back(relation());
    ++in_row;
    if (take(TokenKind::Operator, "&")) continue;
    while (at(TokenKind::Separator))
      next();
    if (node.columns == 0) node.columns = in_row;
    if (in_row != node.columns) refuse("rows of different lengths");
    in_row = 0;
    if (!take(TokenKind::Operator, "#") && !at(TokenKind::Command, "end"))
      refuse("'" + peek().text + "' in a matrix");
  }
  next();
  if (environment() != name || node.items.empty()) refuse("a matrix that is not closed");
  if (in_row != 0) refuse("rows of different lengths");
  const bool plain = name.find("matrix") == std::string::npos && name != "array";
  if (plain && node.items.size() == 1) return node.items[0];
  const auto whole = tree_.add(std::move(node));
  return name == "vmatrix" ? tree_.function("det", {whole}) : whole;
}

}  // namespace aha::math
