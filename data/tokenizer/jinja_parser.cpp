#include "data/tokenizer/jinja_parser.h"

#include <algorithm>

#include "data/tokenizer/jinja_expression_parser.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

constexpr int kMaxBlocks = 100;  ///< statements inside statements
using Names = std::vector<std::string_view>;
using StmtPtr = std::unique_ptr<Stmt>;

class Parser {
 public:
  Parser(TokenStream tokens, Heap& constants)
      : tokens_(std::move(tokens)), expressions_(tokens_, constants) {}

  Block run() {
    auto body = block({});
    if (tokens_.now().kind != TokenKind::End)
      tokens_.fail_here(fmt::format("'{}' closes nothing", tokens_.now().text));
    return body;
  }

 private:
  /// Statements up to a tag of one of `ends`, whose name is the present token then.
  Block block(const Names& ends) {
    if (++depth_ > kMaxBlocks)
      tokens_.fail_here(fmt::format("statements nested deeper than {} levels", kMaxBlocks));
    Block body;
    while (tokens_.now().kind != TokenKind::End) {
      if (tokens_.now().kind == TokenKind::Data) {
        auto stmt = begin(StmtKind::Data);
        stmt->text = tokens_.take().text;
        body.push_back(std::move(stmt));
      } else if (tokens_.now().kind == TokenKind::VariableBegin) {
        tokens_.take();
        auto stmt = begin(StmtKind::Print);
        stmt->expr = expressions_.tuple();
        tokens_.expect(TokenKind::VariableEnd, "'}}'");
        body.push_back(std::move(stmt));
      } else {
        tokens_.expect(TokenKind::BlockBegin, "a tag");
        const auto is_end = [&](std::string_view name) { return tokens_.now().is_name(name); };
        if (std::any_of(ends.begin(), ends.end(), is_end)) break;
        body.push_back(statement());
        tokens_.expect(TokenKind::BlockEnd, "'%}'");
      }
    }
    --depth_;
    return body;
  }

  /// A tag's body: '%}', then statements up to one of `ends`, whose name is taken by `took`.
  Block body_until(const Names& ends, std::string* took = nullptr) {
    const auto line = tokens_.line();
    tokens_.skip_sign(":");
    tokens_.expect(TokenKind::BlockEnd, "'%}'");
    auto body = block(ends);
    if (tokens_.now().kind == TokenKind::End)
      tokens_.fail_at(line, fmt::format("the template ends before '{}'", ends.back()));
    const auto& token = tokens_.take();
    if (took != nullptr) *took = token.text;
    return body;
  }

  StmtPtr begin(StmtKind kind) const {
    auto stmt = std::make_unique<Stmt>();
    stmt->kind = kind;
    stmt->line = tokens_.line();
    return stmt;
  }

  StmtPtr statement() {
    const auto name = tokens_.expect(TokenKind::Name, "a statement's name").text;
    if (name == "if") return if_statement();
    if (name == "for") return for_statement();
    if (name == "set") return set_statement();
    if (name == "macro") return macro();
    if (name == "call") return call_block();
    if (name == "filter") return filter_block();
    if (name == "with") return with();
    if (name == "generation") return scope();
    if (name == "print") return print();
    if (name == "break" || name == "continue") return jump(name);
    tokens_.fail_here(fmt::format("statement '{}' is not supported", name));
  }

  StmtPtr if_statement() {
    auto stmt = begin(StmtKind::If);
    std::string end;
    ++expressions_.conditional;
    do {
      auto question = expressions_.tuple(false);
      auto body = body_until({"elif", "else", "endif"}, &end);
      stmt->branches.emplace_back(std::move(question), std::move(body));
    } while (end == "elif");
    if (end == "else") stmt->other = body_until({"endif"});
    --expressions_.conditional;
    return stmt;
  }

  StmtPtr for_statement() {
    auto stmt = begin(StmtKind::For);
    stmt->target = expressions_.target(false, "in");
    tokens_.expect_name("in");
    stmt->expr = expressions_.tuple(false, "recursive");
    if (tokens_.skip_name("if")) stmt->test = expressions_.expression();
    stmt->recursive = tokens_.skip_name("recursive");
    std::string end;
    ++loops_;
    stmt->body = body_until({"else", "endfor"}, &end);
    --loops_;
    if (end == "else") stmt->other = body_until({"endfor"});
    return stmt;
  }

  StmtPtr set_statement() {
    auto stmt = begin(StmtKind::Set);
    stmt->target = expressions_.target(true);
    if (tokens_.skip_sign("=")) {
      stmt->expr = expressions_.tuple();
      return stmt;
    }
    stmt->kind = StmtKind::SetBlock;
    stmt->expr = expressions_.filters(nullptr, false);
    outside_loops([&] { stmt->body = body_until({"endset"}); });
    return stmt;
  }

  StmtPtr with() {
    auto stmt = begin(StmtKind::With);
    while (tokens_.now().kind != TokenKind::BlockEnd) {
      if (!stmt->targets.empty()) tokens_.expect_sign(",");
      stmt->targets.push_back(expressions_.target(false));
      tokens_.expect_sign("=");
      stmt->values.push_back(expressions_.expression());
    }
    stmt->body = body_until({"endwith"});
    return stmt;
  }

  StmtPtr macro() {
    auto stmt = begin(StmtKind::Macro);
    stmt->text = tokens_.expect(TokenKind::Name, "the macro's name").text;
    signature(*stmt);
    function_body(*stmt, "endmacro");
    return stmt;
  }

  StmtPtr call_block() {
    auto stmt = begin(StmtKind::CallBlock);
    if (tokens_.now().is_sign("(")) signature(*stmt);
    stmt->expr = expressions_.expression();
    if (stmt->expr->kind != ExprKind::Call) tokens_.fail_at(stmt->line, "'call' wants a call");
    function_body(*stmt, "endcall");
    return stmt;
  }

  void signature(Stmt& stmt) {
    tokens_.expect_sign("(");
    while (!tokens_.now().is_sign(")")) {
      if (!stmt.parameters.empty()) tokens_.expect_sign(",");
      stmt.parameters.push_back(tokens_.expect(TokenKind::Name, "a parameter's name").text);
      if (tokens_.skip_sign("="))
        stmt.defaults.push_back(expressions_.expression());
      else if (!stmt.defaults.empty())
        tokens_.fail_here("a parameter without a default behind one that has one");
    }
    tokens_.expect_sign(")");
  }

  /// The body of a macro, which may name `varargs`, `kwargs` and `caller`.
  void function_body(Stmt& stmt, std::string_view end) {
    auto outer = std::move(expressions_.names);
    expressions_.names.clear();
    outside_loops([&] { stmt.body = body_until({end}); });
    stmt.uses_varargs = expressions_.names.count("varargs") > 0;
    stmt.uses_kwargs = expressions_.names.count("kwargs") > 0;
    stmt.uses_caller = expressions_.names.count("caller") > 0;
    expressions_.names.merge(outer);
  }

  StmtPtr filter_block() {
    auto stmt = begin(StmtKind::FilterBlock);
    stmt->expr = expressions_.filters(nullptr, true);
    stmt->body = body_until({"endfilter"});
    return stmt;
  }

  StmtPtr scope() {
    auto stmt = begin(StmtKind::Scope);
    outside_loops([&] { stmt->body = body_until({"endgeneration"}); });
    return stmt;
  }

  StmtPtr print() {
    auto stmt = begin(StmtKind::Print);
    stmt->expr = std::make_unique<Expr>();
    stmt->expr->kind = ExprKind::Concat;
    stmt->expr->line = stmt->line;
    do
      stmt->expr->children.push_back(expressions_.expression());
    while (tokens_.skip_sign(","));
    return stmt;
  }

  StmtPtr jump(const std::string& name) {
    if (loops_ == 0) tokens_.fail_here(fmt::format("'{}' outside of a loop", name));
    return begin(name == "break" ? StmtKind::Break : StmtKind::Continue);
  }

  /// `break` inside of a macro does not end the loop around the macro.
  template <class Action>
  void outside_loops(const Action& action) {
    const int loops = std::exchange(loops_, 0);
    action();
    loops_ = loops;
  }

  TokenStream tokens_;
  ExpressionParser expressions_;
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

std::unique_ptr<Program> parse(std::string_view source, const std::string& where) {
  auto program = std::make_unique<Program>();
  program->where = where;
  Parser parser(TokenStream(tokens_of(source, where), where), program->constants);
  program->body = parser.run();
  return program;
}

}  // namespace aha::jinja
