#include <charconv>

#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_expression_parser.h"
#include "trainer/core/error.h"

namespace aha::jinja {

ExprPtr ExpressionParser::primary() {
  const auto line = tokens_.line();
  const auto& token = tokens_.now();
  switch (token.kind) {
    case TokenKind::Name: {
      const auto name = tokens_.take().text;
      if (name == "true" || name == "True") return constant(true, line);
      if (name == "false" || name == "False") return constant(false, line);
      if (name == "none" || name == "None") return constant(None{}, line);
      auto expr = node(ExprKind::Name, line);
      expr->name = name;
      names.insert(name);
      return expr;
    }
    case TokenKind::Text: {
      std::string text;
      while (tokens_.now().kind == TokenKind::Text)
        text += tokens_.take().text;
      return constant(static_cast<const Text*>(constants_.make<Text>(std::move(text))), line);
    }
    case TokenKind::Integer:
    case TokenKind::Float:
      return number();
    default:
      break;
  }
  if (tokens_.skip_sign("(")) {
    auto inner = tuple(true, {}, true);
    tokens_.expect_sign(")");
    return inner;
  }
  if (tokens_.skip_sign("[")) return list();
  if (tokens_.skip_sign("{")) return dict();
  tokens_.fail_here(fmt::format("expected an expression, found {}", tokens_.describe_now()));
}

ExprPtr ExpressionParser::number() {
  const auto& token = tokens_.take();
  std::string_view digits = token.text;
  if (token.kind == TokenKind::Float) {
    double value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec != std::errc()) tokens_.fail_at(token.line, "a float out of range: " + token.text);
    return constant(value, token.line);
  }
  int base = 10;
  if (digits.size() > 2 && digits[0] == '0') {
    const char mark = static_cast<char>(digits[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    if (base != 10) digits.remove_prefix(2);
  }
  std::int64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (read.ec != std::errc())
    tokens_.fail_at(token.line, "a whole number beyond 64 bits: " + token.text.substr(0, 40));
  return constant(value, token.line);
}

ExprPtr ExpressionParser::list() {
  auto expr = node(ExprKind::List, tokens_.line());
  while (!tokens_.now().is_sign("]")) {
    if (!expr->children.empty()) tokens_.expect_sign(",");
    if (tokens_.now().is_sign("]")) break;
    expr->children.push_back(expression());
  }
  tokens_.expect_sign("]");
  return finished(std::move(expr));
}

ExprPtr ExpressionParser::dict() {
  auto expr = node(ExprKind::Dict, tokens_.line());
  while (!tokens_.now().is_sign("}")) {
    if (!expr->children.empty()) tokens_.expect_sign(",");
    if (tokens_.now().is_sign("}")) break;
    expr->children.push_back(expression());
    tokens_.expect_sign(":");
    expr->children.push_back(expression());
  }
  tokens_.expect_sign("}");
  return finished(std::move(expr));
}

ExprPtr ExpressionParser::postfix(ExprPtr value) {
  while (true) {
    if (tokens_.now().is_sign(".") || tokens_.now().is_sign("["))
      value = subscript(std::move(value));
    else if (tokens_.now().is_sign("("))
      value = called(std::move(value));
    else
      return value;
  }
}

ExprPtr ExpressionParser::filtered(ExprPtr value) {
  while (true) {
    if (tokens_.now().is_sign("|"))
      value = filters(std::move(value), false);
    else if (tokens_.now().is_name("is"))
      value = test(std::move(value));
    else if (tokens_.now().is_sign("("))
      value = called(std::move(value));
    else
      return value;
  }
}

ExprPtr ExpressionParser::subscript(ExprPtr value) {
  const auto& token = tokens_.take();
  const auto line = token.line;
  if (token.text == "[") return bracket(std::move(value), line);
  if (tokens_.now().kind == TokenKind::Name) {
    auto expr = node(ExprKind::Attribute, line);
    expr->name = tokens_.take().text;
    expr->children.push_back(std::move(value));
    return finished(std::move(expr));
  }
  if (tokens_.now().kind != TokenKind::Integer)
    tokens_.fail_here(
        fmt::format("expected a name or a number after '.', found {}", tokens_.describe_now()));
  auto expr = node(ExprKind::Item, line);
  expr->children.push_back(std::move(value));
  expr->children.push_back(number());
  return finished(std::move(expr));
}

ExprPtr ExpressionParser::bracket(ExprPtr value, int line) {
  auto expr = node(ExprKind::Item, line);
  expr->children.push_back(std::move(value));
  if (tokens_.skip_sign("]")) {
    expr->children.push_back(node(ExprKind::Tuple, line));
    return finished(std::move(expr));
  }
  if (!tokens_.now().is_sign(":")) {
    expr->children.push_back(expression());
    if (tokens_.now().is_sign(",")) {
      auto key = node(ExprKind::Tuple, line);
      key->children.push_back(std::move(expr->children[1]));
      while (tokens_.skip_sign(",") && !tokens_.now().is_sign("]"))
        key->children.push_back(expression());
      expr->children[1] = finished(std::move(key));
    }
    if (tokens_.skip_sign("]")) return finished(std::move(expr));
  } else {
    expr->children.push_back(nullptr);
  }
  expr->kind = ExprKind::Slice;
  tokens_.expect_sign(":");
  const auto bound = [&]() -> ExprPtr {
    if (tokens_.now().is_sign(":") || tokens_.now().is_sign("]")) return nullptr;
    return expression();
  };
  expr->children.push_back(bound());
  expr->children.push_back(tokens_.skip_sign(":") ? bound() : nullptr);
  tokens_.expect_sign("]");
  return finished(std::move(expr));
}

ExprPtr ExpressionParser::called(ExprPtr callee) {
  auto expr = node(ExprKind::Call, tokens_.line());
  expr->children.push_back(std::move(callee));
  expr->arguments = arguments();
  return finished(std::move(expr));
}

void ExpressionParser::argument(CallArguments& all) {
  const auto ensure = [&](bool good) {
    if (!good) tokens_.fail_here("arguments in an order that a call does not have");
  };
  if (tokens_.skip_sign("*")) {
    ensure(!all.more && !all.others);
    all.more = expression();
  } else if (tokens_.skip_sign("**")) {
    ensure(!all.others);
    all.others = expression();
  } else if (tokens_.now().kind == TokenKind::Name && tokens_.next().is_sign("=")) {
    ensure(!all.others);
    auto name = tokens_.take().text;
    tokens_.take();
    for (const auto& [known, unused] : all.named)
      if (known == name) tokens_.fail_here(fmt::format("the argument '{}' is given twice", name));
    all.named.emplace_back(std::move(name), expression());
  } else {
    ensure(!all.more && !all.others && all.named.empty());
    all.positional.push_back(expression());
  }
}

CallArguments ExpressionParser::arguments() {
  CallArguments all;
  tokens_.expect_sign("(");
  bool first = true;
  while (!tokens_.now().is_sign(")")) {
    if (!first) tokens_.expect_sign(",");
    if (tokens_.now().is_sign(")")) break;
    argument(all);
    first = false;
  }
  tokens_.expect_sign(")");
  return all;
}

ExprPtr ExpressionParser::filters(ExprPtr value, bool inline_start) {
  while (inline_start || tokens_.now().is_sign("|")) {
    if (!inline_start) tokens_.take();
    inline_start = false;
    auto expr = node(ExprKind::Filter, tokens_.line());
    expr->name = tokens_.expect(TokenKind::Name, "a filter's name").text;
    if (conditional == 0 && find_filter(expr->name) == nullptr)
      tokens_.fail_at(expr->line, fmt::format("filter '{}' is not supported", expr->name));
    if (tokens_.now().is_sign("(")) expr->arguments = arguments();
    expr->children.push_back(std::move(value));
    value = finished(std::move(expr));
  }
  return value;
}

ExprPtr ExpressionParser::test(ExprPtr value) {
  const auto line = tokens_.take().line;
  const bool negated = tokens_.skip_name("not");
  auto expr = node(ExprKind::Test, line);
  expr->name = tokens_.expect(TokenKind::Name, "a test's name").text;
  if (conditional == 0 && find_test(expr->name) == nullptr)
    tokens_.fail_at(line, fmt::format("test '{}' is not supported", expr->name));
  expr->children.push_back(std::move(value));
  const auto& now = tokens_.now();
  const bool word = now.kind == TokenKind::Name || now.kind == TokenKind::Text ||
                    now.kind == TokenKind::Integer || now.kind == TokenKind::Float ||
                    now.is_sign("[") || now.is_sign("{");
  if (now.is_sign("(")) {
    expr->arguments = arguments();
  } else if (word && !now.is_name("else") && !now.is_name("or") && !now.is_name("and")) {
    if (now.is_name("is")) tokens_.fail_here("tests with 'is' cannot be chained");
    expr->arguments.positional.push_back(postfix(primary()));
  }
  expr = finished(std::move(expr));
  if (!negated) return expr;
  auto opposite = node(ExprKind::Not, line);
  opposite->children.push_back(std::move(expr));
  return finished(std::move(opposite));
}

}  // namespace aha::jinja
