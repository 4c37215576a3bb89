#include <algorithm>

#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_eval.h"
#include "data/tokenizer/jinja_loop.h"
#include "trainer/core/error.h"

namespace aha::jinja {

Evaluator::Evaluator(const Program& program, Runtime& runtime,
                     std::map<std::string, Value, std::less<>> variables, std::string date)
    : program_(program),
      runtime_(runtime),
      variables_(std::move(variables)),
      date_(std::move(date)) {}

std::string Evaluator::run() {
  std::string out;
  exec(program_.body, *runtime_.heap().make<Scope>(), out);
  return out;
}

void Evaluator::emit(std::string_view text, std::string& out) {
  runtime_.charge(1 + text.size() / 1024);
  if (out.size() + text.size() > runtime_.limits().output)
    runtime_.fail(fmt::format("the template writes more than {} bytes", runtime_.limits().output));
  out += text;
}

Evaluator::Flow Evaluator::exec(const Block& block, Scope& scope, std::string& out) {
  for (const auto& stmt : block)
    if (const auto flow = exec(*stmt, scope, out); flow != Flow::Next) return flow;
  return Flow::Next;
}

Evaluator::Flow Evaluator::exec(const Stmt& stmt, Scope& scope, std::string& out) {
  const Level level(runtime_);
  runtime_.charge(1);
  runtime_.line = stmt.line;
  switch (stmt.kind) {
    case StmtKind::Data:
      emit(stmt.text, out);
      break;
    case StmtKind::Print:
      emit(to_text(runtime_, eval(*stmt.expr, scope)), out);
      break;
    case StmtKind::If:
      return exec_if(stmt, scope, out);
    case StmtKind::For:
      exec_for(stmt, scope, out);
      break;
    case StmtKind::Set:
      assign(stmt.target, eval(*stmt.expr, scope), scope, true);
      break;
    case StmtKind::SetBlock:
      exec_set_block(stmt, scope);
      break;
    case StmtKind::With:
      return exec_with(stmt, scope, out);
    case StmtKind::Macro:
      scope.set(stmt.text, macro_value(stmt, scope));
      break;
    case StmtKind::CallBlock:
      exec_call_block(stmt, scope, out);
      break;
    case StmtKind::FilterBlock:
      return exec_filter_block(stmt, scope, out);
    case StmtKind::Scope: {
      auto* inner = runtime_.heap().make<Scope>();
      inner->outer = &scope;
      return exec(stmt.body, *inner, out);
    }
    case StmtKind::Break:
      return Flow::Break;
    case StmtKind::Continue:
      return Flow::Continue;
  }
  return Flow::Next;
}

Evaluator::Flow Evaluator::exec_if(const Stmt& stmt, Scope& scope, std::string& out) {
  for (const auto& [question, body] : stmt.branches)
    if (truth(eval(*question, scope))) return exec(body, scope, out);
  return exec(stmt.other, scope, out);
}

Evaluator::Flow Evaluator::exec_with(const Stmt& stmt, Scope& scope, std::string& out) {
  runtime_.charge_bytes(sizeof(Scope));
  auto* inner = runtime_.heap().make<Scope>();
  inner->outer = &scope;
  for (std::size_t i = 0; i < stmt.targets.size(); ++i)
    assign(stmt.targets[i], eval(*stmt.values[i], scope), *inner, false);
  return exec(stmt.body, *inner, out);
}

Evaluator::Flow Evaluator::exec_filter_block(const Stmt& stmt, Scope& scope, std::string& out) {
  runtime_.charge_bytes(sizeof(Scope));
  auto* inner = runtime_.heap().make<Scope>();
  inner->outer = &scope;
  std::string text;
  const auto flow = exec(stmt.body, *inner, text);
  emit(to_text(runtime_, eval_filters(*stmt.expr, runtime_.text(std::move(text)), scope)), out);
  return flow;
}

void Evaluator::exec_set_block(const Stmt& stmt, Scope& scope) {
  runtime_.charge_bytes(sizeof(Scope));
  auto* inner = runtime_.heap().make<Scope>();
  inner->outer = &scope;
  std::string out;
  exec(stmt.body, *inner, out);
  const auto text = runtime_.text(std::move(out));
  assign(stmt.target, stmt.expr ? eval_filters(*stmt.expr, text, *inner) : text, scope, true);
}

void Evaluator::exec_call_block(const Stmt& stmt, Scope& scope, std::string& out) {
  const auto callee = eval(*stmt.expr->children[0], scope);
  auto given = arguments(stmt.expr->arguments, scope);
  given.named.emplace_back("caller", macro_value(stmt, scope));
  runtime_.line = stmt.line;
  emit(to_text(runtime_, call(runtime_, callee, given)), out);
}

void Evaluator::assign(const Target& target, const Value& value, Scope& scope,
                       bool may_be_attribute) {
  if (target.is_tuple) {
    const auto items = elements(runtime_, value);
    if (items.size() != target.parts.size())
      runtime_.fail(fmt::format("{} values for {} names", items.size(), target.parts.size()));
    for (std::size_t i = 0; i < items.size(); ++i)
      assign(target.parts[i], items[i], scope, may_be_attribute);
  } else if (target.attribute.empty()) {
    scope.set(target.name, value);
  } else {
    const auto* found = scope.find(target.name);
    if (found == nullptr || !is<Namespace*>(*found))
      runtime_.fail(fmt::format("'{}' is no namespace, so '{}.{}' cannot be set", target.name,
                                target.name, target.attribute));
    if (target.attribute[0] == '_')
      runtime_.fail("a namespace has no attribute that begins with '_'");
    auto& attributes = std::get<Namespace*>(*found)->attributes;
    for (auto& [name, old] : attributes)
      if (name == target.attribute) {
        old = value;
        return;
      }
    attributes.emplace_back(target.attribute, value);
  }
}

Value Evaluator::macro_value(const Stmt& stmt, Scope& scope) {
  for (auto* kept = &scope; kept != nullptr && !kept->kept; kept = const_cast<Scope*>(kept->outer))
    kept->kept = true;
  runtime_.charge_bytes(sizeof(MacroValue));
  return static_cast<Callable*>(runtime_.heap().make<MacroValue>(*this, stmt, scope));
}

void Evaluator::bind_parameters(const Stmt& macro, Arguments& given, Scope& scope) {
  const auto count = macro.parameters.size();
  const auto first_default = count - macro.defaults.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto& name = macro.parameters[i];
    const auto named = std::find_if(given.named.begin(), given.named.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    if (i < given.positional.size()) {
      scope.set(name, given.positional[i]);
    } else if (named != given.named.end()) {
      scope.set(name, named->second);
      given.named.erase(named);
    } else if (i >= first_default) {
      scope.set(name, eval(*macro.defaults[i - first_default], scope));
    } else {
      scope.set(name, runtime_.undefined(fmt::format("parameter '{}' was not provided", name)));
    }
  }
}

Value Evaluator::call_macro(const Stmt& macro, const Scope& outer, Arguments& given) {
  const Level level(runtime_);
  runtime_.charge_bytes(sizeof(Scope));
  auto* scope = runtime_.heap().make<Scope>();
  scope->outer = &outer;
  const auto name = macro.text.empty() ? "caller" : macro.text;
  bind_parameters(macro, given, *scope);
  if (macro.uses_caller) {
    Value caller = runtime_.undefined("no caller: the macro is not called by a 'call' block");
    const auto found = std::find_if(given.named.begin(), given.named.end(),
                                    [](const auto& entry) { return entry.first == "caller"; });
    if (found != given.named.end()) {
      caller = found->second;
      given.named.erase(found);
    }
    const auto& parameters = macro.parameters;
    if (std::find(parameters.begin(), parameters.end(), "caller") == parameters.end())
      scope->set("caller", caller);
  }
  if (macro.uses_kwargs) {
    auto* rest = runtime_.dict();
    for (const auto& [key, value] : given.named)
      rest->entries.emplace_back(runtime_.text(key), value);
    scope->set("kwargs", rest);
  } else if (!given.named.empty()) {
    runtime_.fail(fmt::format("macro '{}' has no parameter '{}'", name, given.named[0].first));
  }
  const auto count = std::min(given.positional.size(), macro.parameters.size());
  std::vector<Value> rest(given.positional.begin() + static_cast<std::ptrdiff_t>(count),
                          given.positional.end());
  if (macro.uses_varargs)
    scope->set("varargs", runtime_.list(std::move(rest), Flavor::Tuple));
  else if (!rest.empty())
    runtime_.fail(fmt::format("macro '{}' takes at most {} arguments", name, count));
  std::string out;
  exec(macro.body, *scope, out);
  return runtime_.text(std::move(out));
}

}  // namespace aha::jinja
