#pragma once
#include <string>
#include <vector>

#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_eval.h"

namespace aha::jinja {

/// A macro with the scope that it was made in.
class MacroValue final : public Callable {
 public:
  MacroValue(Evaluator& evaluator, const Stmt& macro, const Scope& scope)
      : evaluator_(evaluator), macro_(macro), scope_(scope) {}
  Value call(Runtime&, Arguments& arguments) override {
    return evaluator_.call_macro(macro_, scope_, arguments);
  }
  std::optional<Value> attribute(Runtime& runtime, std::string_view name) override;
  std::string description() const override {
    return "<Macro " + (macro_.text.empty() ? std::string("'caller'") : text_repr(macro_.text)) +
           ">";
  }

 private:
  Evaluator& evaluator_;
  const Stmt& macro_;
  const Scope& scope_;
};

/// The variable `loop` inside of a for loop; callable in a recursive one.
class LoopValue final : public Callable {
 public:
  LoopValue(Evaluator& evaluator, const Stmt& stmt, Scope& outer, std::vector<Value> items,
            std::int64_t depth)
      : evaluator_(evaluator),
        stmt_(stmt),
        outer_(outer),
        items_(std::move(items)),
        depth_(depth) {}

  Value call(Runtime& runtime, Arguments& arguments) override;
  std::optional<Value> attribute(Runtime& runtime, std::string_view name) override;
  std::string description() const override;

  const std::vector<Value>& items() const { return items_; }
  void move_to(std::size_t index) { index_ = index; }
  Value cycled(Call& call) const;
  bool changed(const std::vector<Value>& values, Runtime& runtime);

 private:
  Evaluator& evaluator_;
  const Stmt& stmt_;
  Scope& outer_;
  std::vector<Value> items_;
  std::int64_t depth_;
  std::size_t index_ = 0;
  std::optional<std::vector<Value>> last_;
};

}  // namespace aha::jinja
