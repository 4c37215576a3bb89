#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "data/tokenizer/jinja_ast.h"

namespace aha::jinja {

/// The variables of one block; names that are not in it are looked for in the one around it.
struct Scope : Object {
  const Scope* outer = nullptr;
  std::vector<std::pair<std::string_view, Value>> variables;
  bool kept = false;  ///< a macro was made in it, so it must not be used again

  void set(std::string_view name, const Value& value);
  const Value* find(std::string_view name) const;
};

/// Runs a program once.
class Evaluator {
 public:
  /// `variables` are the template's; `date` is strftime_now's.
  Evaluator(const Program& program, Runtime& runtime,
            std::map<std::string, Value, std::less<>> variables, std::string date);
  std::string run();

  Value eval(const Expr& expr, Scope& scope);
  /// The body of a macro with its arguments.
  Value call_macro(const Stmt& macro, const Scope& outer, Arguments& arguments);
  /// A loop over `items`, at `depth` of a recursive one; its text is appended to `out`.
  void loop(const Stmt& stmt, std::vector<Value> items, std::int64_t depth, Scope& outer,
            std::string& out);
  Runtime& runtime() { return runtime_; }

 private:
  enum class Flow { Next, Break, Continue };

  Flow exec(const Block& block, Scope& scope, std::string& out);
  Flow exec(const Stmt& stmt, Scope& scope, std::string& out);
  Flow exec_if(const Stmt& stmt, Scope& scope, std::string& out);
  Flow exec_with(const Stmt& stmt, Scope& scope, std::string& out);
  void exec_for(const Stmt& stmt, Scope& scope, std::string& out);
  void exec_set_block(const Stmt& stmt, Scope& scope);
  void exec_call_block(const Stmt& stmt, Scope& scope, std::string& out);
  Flow exec_filter_block(const Stmt& stmt, Scope& scope, std::string& out);
  void emit(std::string_view text, std::string& out);
  void assign(const Target& target, const Value& value, Scope& scope, bool may_be_attribute);
  Value macro_value(const Stmt& stmt, Scope& scope);
  void bind_parameters(const Stmt& macro, Arguments& arguments, Scope& scope);
  std::vector<Value> filtered_items(const Stmt& stmt, std::vector<Value> items, Scope& outer);

  Value lookup(const Expr& expr, const Scope& scope);
  Value eval_operation(const Expr& expr, Scope& scope);
  Value eval_literal(const Expr& expr, Scope& scope);
  Value eval_compare(const Expr& expr, Scope& scope);
  Value eval_slice(const Expr& expr, Scope& scope);
  /// The filters of a block over its text.
  Value eval_filters(const Expr& expr, const Value& text, Scope& scope);
  Value call_named(const Expr& expr, const Value& value, Scope& scope);
  Arguments arguments(const CallArguments& from, Scope& scope);

  const Program& program_;
  Runtime& runtime_;
  std::map<std::string, Value, std::less<>> variables_;
  std::string date_;
};

}  // namespace aha::jinja
