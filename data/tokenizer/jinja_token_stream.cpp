#include "data/tokenizer/jinja_token_stream.h"

#include "trainer/core/error.h"

namespace aha::jinja {

const Token& TokenStream::take() {
  const auto& token = tokens_[at_];
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool TokenStream::skip_sign(std::string_view sign) {
  if (!now().is_sign(sign)) return false;
  take();
  return true;
}

bool TokenStream::skip_name(std::string_view name) {
  if (!now().is_name(name)) return false;
  take();
  return true;
}

void TokenStream::expect_sign(std::string_view sign) {
  if (!skip_sign(sign)) fail_here(fmt::format("expected '{}', found {}", sign, describe_now()));
}

void TokenStream::expect_name(std::string_view name) {
  if (!skip_name(name)) fail_here(fmt::format("expected '{}', found {}", name, describe_now()));
}

const Token& TokenStream::expect(TokenKind kind, const char* what) {
  if (now().kind != kind) fail_here(fmt::format("expected {}, found {}", what, describe_now()));
  return take();
}

void TokenStream::fail_here(const std::string& message) const {
  fail_at(line(), message);
}

void TokenStream::fail_at(int line, const std::string& message) const {
  fail("{}: line {}: {}", where_, line, message);
}

std::string TokenStream::describe_now() const {
  switch (now().kind) {
    case TokenKind::Data:
      return "text";
    case TokenKind::VariableBegin:
      return "'{{'";
    case TokenKind::VariableEnd:
      return "'}}'";
    case TokenKind::BlockBegin:
      return "'{%'";
    case TokenKind::BlockEnd:
      return "'%}'";
    case TokenKind::Text:
      return "a text";
    case TokenKind::End:
      return "the end of the template";
    default:
      return fmt::format("'{}'", now().text);
  }
}

}  // namespace aha::jinja
