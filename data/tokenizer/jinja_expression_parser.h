#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/jinja_ast.h"
#include "data/tokenizer/jinja_token_stream.h"

namespace aha::jinja {

/// The expressions of Jinja's grammar, in the order of its precedences: condition, or, and, not,
/// comparison, + -, ~, * / // %, **, signs, then postfix, filters and tests.
class ExpressionParser {
 public:
  ExpressionParser(TokenStream& tokens, Heap& constants) : tokens_(tokens), constants_(constants) {}

  ExprPtr expression(bool with_condition = true);
  /// An expression, or a tuple without parentheses; `end`: a name that ends it.
  ExprPtr tuple(bool with_condition = true, std::string_view end = {}, bool in_parentheses = false);
  /// What a `set`, `for` or `with` assigns to.
  Target target(bool with_namespace, std::string_view end = {});
  /// |name(...)|name: a filter with no value under it; null when there is none.
  ExprPtr filters(ExprPtr value, bool inline_start);

  /// Above 0 while inside a condition, where an unknown filter or test is no error yet.
  int conditional = 0;
  /// Names read since this was last cleared.
  std::set<std::string> names;

 private:
  ExprPtr node(ExprKind kind, int line) const;
  ExprPtr constant(Value value, int line) const;
  ExprPtr finished(ExprPtr expr) const;
  ExprPtr condition();
  ExprPtr disjunction();
  ExprPtr conjunction();
  ExprPtr negation();
  ExprPtr compared();
  ExprPtr sum();
  ExprPtr concatenated();
  ExprPtr product();
  ExprPtr power();
  ExprPtr signed_value(bool with_filter);
  ExprPtr primary();
  ExprPtr number();
  ExprPtr list();
  ExprPtr dict();
  ExprPtr postfix(ExprPtr value);
  ExprPtr filtered(ExprPtr value);
  ExprPtr subscript(ExprPtr value);
  ExprPtr bracket(ExprPtr value, int line);
  ExprPtr test(ExprPtr value);
  ExprPtr called(ExprPtr callee);
  CallArguments arguments();
  void argument(CallArguments& arguments);
  Target single_target(bool with_namespace);
  bool tuple_ends(std::string_view end) const;

  TokenStream& tokens_;
  Heap& constants_;
  int depth_ = 0;
};

}  // namespace aha::jinja
