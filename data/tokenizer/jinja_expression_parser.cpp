#include "data/tokenizer/jinja_expression_parser.h"

#include <algorithm>
#include <map>

#include "data/tokenizer/jinja_builtins.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

constexpr int kMaxDepth = 150;   ///< brackets inside brackets
constexpr int kMaxHeight = 400;  ///< operators above operators

const std::map<std::string, Operator, std::less<>> kComparisons = {
    {"==", Operator::Eq}, {"!=", Operator::Ne}, {"<", Operator::Lt},
    {"<=", Operator::Le}, {">", Operator::Gt},  {">=", Operator::Ge}};
const std::map<std::string, Operator, std::less<>> kSums = {{"+", Operator::Add},
                                                            {"-", Operator::Sub}};
const std::map<std::string, Operator, std::less<>> kProducts = {
    {"*", Operator::Mul}, {"/", Operator::Div}, {"//", Operator::FloorDiv}, {"%", Operator::Mod}};
const std::map<std::string, Operator, std::less<>> kPowers = {{"**", Operator::Pow}};

/// Counts one level while it lives.
class Nesting {
 public:
  Nesting(int& depth, const TokenStream& tokens) : depth_(depth) {
    if (depth_ >= kMaxDepth)
      tokens.fail_here(fmt::format("an expression nested deeper than {} levels", kMaxDepth));
    ++depth_;
  }
  ~Nesting() { --depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

 private:
  int& depth_;
};

const Operator* operator_now(const TokenStream& tokens,
                             const std::map<std::string, Operator, std::less<>>& operators) {
  if (tokens.now().kind != TokenKind::Sign) return nullptr;
  const auto found = operators.find(tokens.now().text);
  return found == operators.end() ? nullptr : &found->second;
}

int height_of(const ExprPtr& expr) {
  return expr ? expr->height : 0;
}

}  // namespace

ExprPtr ExpressionParser::node(ExprKind kind, int line) const {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->line = line;
  return expr;
}

ExprPtr ExpressionParser::constant(Value value, int line) const {
  auto expr = node(ExprKind::Constant, line);
  expr->constant = value;
  return expr;
}

ExprPtr ExpressionParser::finished(ExprPtr expr) const {
  int height = std::max(height_of(expr->arguments.more), height_of(expr->arguments.others));
  for (const auto& child : expr->children)
    height = std::max(height, height_of(child));
  for (const auto& child : expr->arguments.positional)
    height = std::max(height, height_of(child));
  for (const auto& [name, child] : expr->arguments.named)
    height = std::max(height, height_of(child));
  expr->height = height + 1;
  if (expr->height > kMaxHeight)
    tokens_.fail_at(expr->line, fmt::format("an expression of more than {} levels", kMaxHeight));
  return expr;
}

ExprPtr ExpressionParser::expression(bool with_condition) {
  const Nesting nesting(depth_, tokens_);
  return with_condition ? condition() : disjunction();
}

ExprPtr ExpressionParser::condition() {
  auto line = tokens_.line();
  auto value = disjunction();
  while (tokens_.skip_name("if")) {
    const Nesting nesting(depth_, tokens_);
    auto expr = node(ExprKind::Condition, line);
    ++conditional;
    auto question = disjunction();
    ExprPtr other;
    if (tokens_.skip_name("else")) other = condition();
    --conditional;
    expr->children.push_back(std::move(question));
    expr->children.push_back(std::move(value));
    expr->children.push_back(std::move(other));
    value = finished(std::move(expr));
    line = tokens_.line();
  }
  return value;
}

ExprPtr ExpressionParser::disjunction() {
  auto value = conjunction();
  while (tokens_.now().is_name("or")) {
    auto expr = node(ExprKind::Or, tokens_.take().line);
    expr->children.push_back(std::move(value));
    expr->children.push_back(conjunction());
    value = finished(std::move(expr));
  }
  return value;
}

ExprPtr ExpressionParser::conjunction() {
  auto value = negation();
  while (tokens_.now().is_name("and")) {
    auto expr = node(ExprKind::And, tokens_.take().line);
    expr->children.push_back(std::move(value));
    expr->children.push_back(negation());
    value = finished(std::move(expr));
  }
  return value;
}

ExprPtr ExpressionParser::negation() {
  if (!tokens_.now().is_name("not")) return compared();
  const Nesting nesting(depth_, tokens_);
  auto expr = node(ExprKind::Not, tokens_.take().line);
  expr->children.push_back(negation());
  return finished(std::move(expr));
}

ExprPtr ExpressionParser::compared() {
  auto expr = node(ExprKind::Compare, tokens_.line());
  expr->children.push_back(sum());
  while (true) {
    if (const auto* found = operator_now(tokens_, kComparisons)) {
      tokens_.take();
      expr->operators.push_back(*found);
    } else if (tokens_.skip_name("in")) {
      expr->operators.push_back(Operator::In);
    } else if (tokens_.now().is_name("not") && tokens_.next().is_name("in")) {
      tokens_.take();
      tokens_.take();
      expr->operators.push_back(Operator::NotIn);
    } else {
      break;
    }
    expr->children.push_back(sum());
  }
  if (expr->operators.empty()) return std::move(expr->children[0]);
  return finished(std::move(expr));
}

ExprPtr ExpressionParser::sum() {
  auto value = concatenated();
  while (const auto* found = operator_now(tokens_, kSums)) {
    auto expr = node(ExprKind::Arithmetic, tokens_.take().line);
    expr->operators = {*found};
    expr->children.push_back(std::move(value));
    expr->children.push_back(concatenated());
    value = finished(std::move(expr));
  }
  return value;
}

ExprPtr ExpressionParser::concatenated() {
  auto expr = node(ExprKind::Concat, tokens_.line());
  expr->children.push_back(product());
  while (tokens_.skip_sign("~"))
    expr->children.push_back(product());
  if (expr->children.size() == 1) return std::move(expr->children[0]);
  return finished(std::move(expr));
}

ExprPtr ExpressionParser::product() {
  auto value = power();
  while (const auto* found = operator_now(tokens_, kProducts)) {
    auto expr = node(ExprKind::Arithmetic, tokens_.take().line);
    expr->operators = {*found};
    expr->children.push_back(std::move(value));
    expr->children.push_back(power());
    value = finished(std::move(expr));
  }
  return value;
}

ExprPtr ExpressionParser::power() {
  auto value = signed_value(true);
  while (const auto* found = operator_now(tokens_, kPowers)) {
    auto expr = node(ExprKind::Arithmetic, tokens_.take().line);
    expr->operators = {*found};
    expr->children.push_back(std::move(value));
    expr->children.push_back(signed_value(true));
    value = finished(std::move(expr));
  }
  return value;
}

ExprPtr ExpressionParser::signed_value(bool with_filter) {
  ExprPtr value;
  if (tokens_.now().is_sign("-") || tokens_.now().is_sign("+")) {
    const Nesting nesting(depth_, tokens_);
    const auto& token = tokens_.take();
    value = node(token.text == "-" ? ExprKind::Negative : ExprKind::Positive, token.line);
    value->children.push_back(signed_value(false));
    value = finished(std::move(value));
  } else {
    value = primary();
  }
  value = postfix(std::move(value));
  return with_filter ? filtered(std::move(value)) : std::move(value);
}

bool ExpressionParser::tuple_ends(std::string_view end) const {
  const auto& now = tokens_.now();
  return now.kind == TokenKind::VariableEnd || now.kind == TokenKind::BlockEnd ||
         now.is_sign(")") || (!end.empty() && now.is_name(end));
}

ExprPtr ExpressionParser::tuple(bool with_condition, std::string_view end, bool in_parentheses) {
  auto expr = node(ExprKind::Tuple, tokens_.line());
  bool is_tuple = false;
  while (true) {
    if (is_tuple) tokens_.expect_sign(",");
    if (tuple_ends(end)) break;
    expr->children.push_back(expression(with_condition));
    if (!tokens_.now().is_sign(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !expr->children.empty()) return std::move(expr->children[0]);
  if (!is_tuple && !in_parentheses)
    tokens_.fail_here(fmt::format("expected an expression, found {}", tokens_.describe_now()));
  return finished(std::move(expr));
}

Target ExpressionParser::single_target(bool with_namespace) {
  if (tokens_.skip_sign("(")) {
    const Nesting nesting(depth_, tokens_);
    auto inner = target(false);
    tokens_.expect_sign(")");
    return inner;
  }
  Target found;
  found.name = tokens_.expect(TokenKind::Name, "a name to assign to").text;
  for (const char* fixed : {"true", "false", "none", "True", "False", "None"})
    if (found.name == fixed) tokens_.fail_here(fmt::format("cannot assign to '{}'", fixed));
  if (with_namespace && tokens_.skip_sign("."))
    found.attribute = tokens_.expect(TokenKind::Name, "an attribute's name").text;
  return found;
}

Target ExpressionParser::target(bool with_namespace, std::string_view end) {
  auto first = single_target(with_namespace);
  if (!tokens_.now().is_sign(",")) return first;
  Target all;
  all.is_tuple = true;
  all.parts.push_back(std::move(first));
  while (tokens_.skip_sign(",")) {
    if (tuple_ends(end) || tokens_.now().is_sign("=")) break;
    all.parts.push_back(single_target(with_namespace));
  }
  return all;
}

}  // namespace aha::jinja
