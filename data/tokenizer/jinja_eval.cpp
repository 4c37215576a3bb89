#include "data/tokenizer/jinja_eval.h"

#include "data/tokenizer/jinja_builtins.h"
#include "trainer/core/error.h"

namespace aha::jinja {

void Scope::set(std::string_view name, const Value& value) {
  for (auto& [known, old] : variables)
    if (known == name) {
      old = value;
      return;
    }
  variables.emplace_back(name, value);
}

const Value* Scope::find(std::string_view name) const {
  for (const auto* scope = this; scope != nullptr; scope = scope->outer)
    for (const auto& [known, value] : scope->variables)
      if (known == name) return &value;
  return nullptr;
}

Value Evaluator::lookup(const Expr& expr, const Scope& scope) {
  runtime_.charge(1 + scope.variables.size() / 16);
  if (const auto* local = scope.find(expr.name)) return *local;
  if (const auto found = variables_.find(expr.name); found != variables_.end())
    return found->second;
  if (const auto known = global(runtime_, expr.name, date_)) return *known;
  return runtime_.undefined(fmt::format("'{}' is undefined", expr.name));
}

Arguments Evaluator::arguments(const CallArguments& from, Scope& scope) {
  Arguments all;
  for (const auto& expr : from.positional)
    all.positional.push_back(eval(*expr, scope));
  for (const auto& [name, expr] : from.named)
    all.named.emplace_back(name, eval(*expr, scope));
  if (from.more) {
    const auto more = elements(runtime_, eval(*from.more, scope));
    all.positional.insert(all.positional.end(), more.begin(), more.end());
  }
  if (from.others) {
    const auto others = eval(*from.others, scope);
    if (!is<Dict*>(others)) runtime_.fail("what follows '**' must be a mapping");
    for (const auto& [key, value] : std::get<Dict*>(others)->entries) {
      if (!is_text(key)) runtime_.fail("the keys behind '**' must be texts");
      for (const auto& [name, unused] : all.named)
        if (name == bytes_of(key))
          runtime_.fail(fmt::format("the argument '{}' is given twice", name));
      all.named.emplace_back(bytes_of(key), value);
    }
  }
  return all;
}

Value Evaluator::call_named(const Expr& expr, const Value& value, Scope& scope) {
  auto given = arguments(expr.arguments, scope);
  runtime_.line = expr.line;
  if (expr.kind == ExprKind::Test) return apply_test(runtime_, expr.name, value, given);
  return apply_filter(runtime_, expr.name, value, given);
}

Value Evaluator::eval_filters(const Expr& expr, const Value& text, Scope& scope) {
  const auto& child = expr.children[0];
  return call_named(expr, child ? eval_filters(*child, text, scope) : text, scope);
}

Value Evaluator::eval_literal(const Expr& expr, Scope& scope) {
  if (expr.kind == ExprKind::Dict) {
    auto* dict = runtime_.dict();
    for (std::size_t i = 0; i < expr.children.size(); i += 2) {
      const auto key = eval(*expr.children[i], scope);
      insert(runtime_, *dict, key, eval(*expr.children[i + 1], scope));
    }
    return dict;
  }
  std::vector<Value> items;
  for (const auto& child : expr.children)
    items.push_back(eval(*child, scope));
  if (expr.kind != ExprKind::Concat)
    return runtime_.list(std::move(items),
                         expr.kind == ExprKind::Tuple ? Flavor::Tuple : Flavor::List);
  std::string text;
  for (const auto& part : items) {
    text += to_text(runtime_, part);
    if (text.size() > runtime_.limits().output) runtime_.fail("a text is too long");
  }
  return runtime_.text(std::move(text));
}

Value Evaluator::eval_compare(const Expr& expr, Scope& scope) {
  auto left = eval(*expr.children[0], scope);
  for (std::size_t i = 0; i < expr.operators.size(); ++i) {
    const auto right = eval(*expr.children[i + 1], scope);
    runtime_.line = expr.line;
    if (!comparison(runtime_, expr.operators[i], left, right)) return false;
    left = right;
  }
  return true;
}

Value Evaluator::eval_slice(const Expr& expr, Scope& scope) {
  const auto bound = [&](std::size_t i) -> Value {
    return expr.children[i] ? eval(*expr.children[i], scope) : Value(None{});
  };
  const auto container = bound(0);
  const auto start = bound(1);
  const auto stop = bound(2);
  return slice(runtime_, container, start, stop, bound(3));
}

Value Evaluator::eval_operation(const Expr& expr, Scope& scope) {
  const auto first = eval(*expr.children[0], scope);
  switch (expr.kind) {
    case ExprKind::And:
      return truth(first) ? eval(*expr.children[1], scope) : first;
    case ExprKind::Or:
      return truth(first) ? first : eval(*expr.children[1], scope);
    case ExprKind::Not:
      return !truth(first);
    case ExprKind::Condition:
      if (truth(first)) return eval(*expr.children[1], scope);
      if (expr.children[2]) return eval(*expr.children[2], scope);
      return runtime_.undefined("an inline 'if' without 'else' is used where it is false");
    case ExprKind::Arithmetic: {
      const auto second = eval(*expr.children[1], scope);
      runtime_.line = expr.line;
      return arithmetic(runtime_, expr.operators[0], first, second);
    }
    case ExprKind::Negative:
      runtime_.line = expr.line;
      return negated(runtime_, first);
    case ExprKind::Positive:
      runtime_.line = expr.line;
      refuse_undefined(runtime_, first);
      if (!is_number(first))
        runtime_.fail(fmt::format("'+' does not work on '{}'", type_name(first)));
      return is<bool>(first) ? Value(*as_integer(first)) : first;
    case ExprKind::Attribute:
      runtime_.line = expr.line;
      return attribute(runtime_, first, expr.name);
    case ExprKind::Item: {
      const auto key = eval(*expr.children[1], scope);
      runtime_.line = expr.line;
      return item(runtime_, first, key);
    }
    case ExprKind::Call: {
      auto given = arguments(expr.arguments, scope);
      runtime_.line = expr.line;
      return call(runtime_, first, given);
    }
    default:
      return call_named(expr, first, scope);
  }
}

Value Evaluator::eval(const Expr& expr, Scope& scope) {
  const Level level(runtime_);
  runtime_.charge(1);
  switch (expr.kind) {
    case ExprKind::Constant:
      return expr.constant;
    case ExprKind::Name:
      runtime_.line = expr.line;
      return lookup(expr, scope);
    case ExprKind::Tuple:
    case ExprKind::List:
    case ExprKind::Dict:
    case ExprKind::Concat:
      runtime_.line = expr.line;
      return eval_literal(expr, scope);
    case ExprKind::Compare:
      return eval_compare(expr, scope);
    case ExprKind::Slice:
      return eval_slice(expr, scope);
    default:
      return eval_operation(expr, scope);
  }
}

}  // namespace aha::jinja
