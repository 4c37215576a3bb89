#include "data/tokenizer/jinja_loop.h"

#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

LoopValue& loop_of(const Call& call) {
  return static_cast<LoopValue&>(*std::get<Callable*>(call.self));
}

}  // namespace

std::optional<Value> MacroValue::attribute(Runtime& runtime, std::string_view name) {
  if (name == "name") return runtime.text(macro_.text);
  if (name != "arguments") return std::nullopt;
  std::vector<Value> names;
  for (const auto& parameter : macro_.parameters)
    names.push_back(runtime.text(parameter));
  return runtime.list(std::move(names), Flavor::Tuple);
}

Value LoopValue::call(Runtime& runtime, Arguments& arguments) {
  if (!stmt_.recursive) runtime.fail("only the 'loop' of a recursive loop can be called");
  if (arguments.positional.size() != 1 || !arguments.named.empty())
    runtime.fail("loop(...) takes one list");
  const Level level(runtime);
  std::string out;
  evaluator_.loop(stmt_, elements(runtime, arguments.positional[0]), depth_ + 1, outer_, out);
  return runtime.text(std::move(out));
}

Value LoopValue::cycled(Call& call) const {
  const auto& choices = call.arguments.positional;
  if (choices.empty()) call.fail("no items for cycling given");
  return choices[index_ % choices.size()];
}

bool LoopValue::changed(const std::vector<Value>& values, Runtime& runtime) {
  bool same = last_ && last_->size() == values.size();
  for (std::size_t i = 0; same && i < values.size(); ++i)
    same = equal(runtime, (*last_)[i], values[i]);
  if (!same) last_ = values;
  return !same;
}

std::optional<Value> LoopValue::attribute(Runtime& runtime, std::string_view name) {
  const auto index = static_cast<std::int64_t>(index_);
  const auto size = std::ssize(items_);
  if (name == "index0") return index;
  if (name == "index") return index + 1;
  if (name == "revindex0") return size - index - 1;
  if (name == "revindex") return size - index;
  if (name == "first") return index == 0;
  if (name == "last") return index + 1 == size;
  if (name == "length") return size;
  if (name == "depth0") return depth_;
  if (name == "depth") return depth_ + 1;
  if (name == "previtem")
    return index > 0 ? items_[index_ - 1] : runtime.undefined("there is no previous item");
  if (name == "nextitem")
    return index + 1 < size ? items_[index_ + 1] : runtime.undefined("there is no next item");
  if (name == "cycle")
    return function(
        runtime, "cycle", [](Call& call) { return loop_of(call).cycled(call); },
        static_cast<Callable*>(this));
  if (name == "changed")
    return function(
        runtime, "changed",
        [](Call& call) -> Value {
          return loop_of(call).changed(call.arguments.positional, call.runtime);
        },
        static_cast<Callable*>(this));
  return std::nullopt;
}

std::string LoopValue::description() const {
  return fmt::format("<LoopContext {}/{}>", index_ + 1, items_.size());
}

std::vector<Value> Evaluator::filtered_items(const Stmt& stmt, std::vector<Value> items,
                                             Scope& outer) {
  if (!stmt.test) return items;
  std::vector<Value> kept;
  auto* scope = runtime_.heap().make<Scope>();
  scope->outer = &outer;
  for (const auto& candidate : items) {
    scope->variables.clear();
    assign(stmt.target, candidate, *scope, false);
    if (truth(eval(*stmt.test, *scope))) kept.push_back(candidate);
  }
  return kept;
}

void Evaluator::exec_for(const Stmt& stmt, Scope& scope, std::string& out) {
  const auto iterated = eval(*stmt.expr, scope);
  loop(stmt, elements(runtime_, iterated), 0, scope, out);
}

void Evaluator::loop(const Stmt& stmt, std::vector<Value> items, std::int64_t depth, Scope& outer,
                     std::string& out) {
  items = filtered_items(stmt, std::move(items), outer);
  runtime_.charge_bytes(sizeof(LoopValue) + items.size() * sizeof(Value) + sizeof(Scope));
  auto* state = runtime_.heap().make<LoopValue>(*this, stmt, outer, std::move(items), depth);
  auto* scope = runtime_.heap().make<Scope>();
  scope->outer = &outer;
  bool completed = false;  // Jinja takes a body that `break` or `continue` left for none
  for (std::size_t i = 0; i < state->items().size(); ++i) {
    runtime_.charge(1);
    if (scope->kept) {
      runtime_.charge_bytes(sizeof(Scope));
      scope = runtime_.heap().make<Scope>();
      scope->outer = &outer;
    }
    scope->variables.clear();
    state->move_to(i);
    scope->set("loop", static_cast<Callable*>(state));
    assign(stmt.target, state->items()[i], *scope, false);
    const auto flow = exec(stmt.body, *scope, out);
    if (flow == Flow::Break) break;
    completed = completed || flow == Flow::Next;
  }
  if (completed || stmt.other.empty()) return;
  auto* other = runtime_.heap().make<Scope>();
  other->outer = &outer;
  exec(stmt.other, *other, out);
}

}  // namespace aha::jinja
