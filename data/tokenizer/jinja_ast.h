#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_value.h"

namespace aha::jinja {

enum class ExprKind {
  Constant,    ///< constant
  Name,        ///< name
  Tuple,       ///< children
  List,        ///< children
  Dict,        ///< children: key, value, key, value, ...
  And,         ///< children: left, right
  Or,          ///< children: left, right
  Not,         ///< child
  Negative,    ///< child
  Positive,    ///< child
  Arithmetic,  ///< children: left, right; operators[0]
  Compare,     ///< children[i] operators[i] children[i + 1], all of them
  Concat,      ///< children
  Condition,   ///< children: test, then, else (may be null)
  Attribute,   ///< child; name
  Item,        ///< children: container, key
  Slice,       ///< children: container, start, stop, step (may be null)
  Call,        ///< child; arguments
  Filter,      ///< child (null: a filter block's text); name, arguments
  Test,        ///< child; name, arguments
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

/// f(a, *more, key=b, **others)
struct CallArguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> named;
  ExprPtr more;
  ExprPtr others;
};

struct Expr {
  ExprKind kind = ExprKind::Constant;
  int line = 1;
  int height = 1;  ///< longest way down: bounded by the parser, so recursion over it is
  Value constant;
  std::string name;
  std::vector<ExprPtr> children;
  std::vector<Operator> operators;
  CallArguments arguments;
};

enum class StmtKind {
  Data,         ///< text
  Print,        ///< expr
  If,           ///< branches, other
  For,          ///< target in expr (if test): body, other
  Set,          ///< target = expr
  SetBlock,     ///< target = body through the filters of expr (may be null)
  With,         ///< targets[i] = values[i]: body
  Macro,        ///< name, parameters, defaults: body
  CallBlock,    ///< expr (a Call) with parameters, defaults, body as its `caller`
  FilterBlock,  ///< body through the filters of expr
  Scope,        ///< body with variables of its own (generation)
  Break,
  Continue,
};

struct Stmt;
using Block = std::vector<std::unique_ptr<Stmt>>;

/// What is assigned to: a name, namespace.attribute, or several of them.
struct Target {
  std::string name;
  std::string attribute;  ///< empty: the name itself
  bool is_tuple = false;
  std::vector<Target> parts;  ///< of a tuple
};

struct Stmt {
  StmtKind kind = StmtKind::Data;
  int line = 1;
  std::string text;  ///< of Data; the name of a Macro
  ExprPtr expr;
  ExprPtr test;
  Target target;
  bool recursive = false;
  std::vector<std::pair<ExprPtr, Block>> branches;
  Block body;
  Block other;
  std::vector<Target> targets;
  std::vector<ExprPtr> values;
  std::vector<std::string> parameters;
  std::vector<ExprPtr> defaults;  ///< of the last parameters
  bool uses_varargs = false;      ///< the body names `varargs`, `kwargs` or `caller`
  bool uses_kwargs = false;
  bool uses_caller = false;
};

/// A parsed template: immutable, shared by any number of renderings.
struct Program {
  std::string where;
  Heap constants;
  Block body;
};

}  // namespace aha::jinja
