#include "data/tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <optional>

#include "data/tokenizer/onig_syntax.h"
#include "data/tokenizer/unicode.h"
#include "data/tokenizer/unicode_tables.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::size_t kJitStackStart = 32U << 10;
constexpr std::size_t kJitStackLimit = 64U << 20;

PCRE2_SPTR8 units(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR8>(text.data());
}

std::string error_text(int code) {
  std::array<PCRE2_UCHAR8, 256> buffer{};
  pcre2_get_error_message_8(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

/// What a match needs room for; one a thread.
struct Scratch {
  pcre2_match_data_8* data = pcre2_match_data_create_8(1, nullptr);
  pcre2_match_context_8* context = pcre2_match_context_create_8(nullptr);
  pcre2_jit_stack_8* stack = pcre2_jit_stack_create_8(kJitStackStart, kJitStackLimit, nullptr);

  Scratch() { pcre2_jit_stack_assign_8(context, nullptr, stack); }
  ~Scratch() {
    pcre2_jit_stack_free_8(stack);
    pcre2_match_context_free_8(context);
    pcre2_match_data_free_8(data);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
};

/// The first match at or after `from`.
std::optional<Span> find(const pcre2_code_8* code, bool compiled, std::string_view text,
                         std::size_t from) {
  thread_local Scratch scratch;
  int found = PCRE2_ERROR_JIT_STACKLIMIT;
  if (compiled)
    found =
        pcre2_jit_match_8(code, units(text), text.size(), from, 0, scratch.data, scratch.context);
  if (found == PCRE2_ERROR_JIT_STACKLIMIT)
    found = pcre2_match_8(code, units(text), text.size(), from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                          scratch.data, scratch.context);
  if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (found < 0) fail("a regular expression of the tokenizer gave up: {}", error_text(found));
  const auto* ends = pcre2_get_ovector_pointer_8(scratch.data);
  return Span{ends[0], ends[1]};
}

}  // namespace

Regex::Regex(std::string_view pattern, const std::string& where) {
  const auto translated = pcre2_pattern(pattern, where, false);
  const auto with_new = pcre2_pattern(pattern, where, true);
  code_ = compile(translated, pattern, where);
  with_new_ = with_new == translated ? code_ : compile(with_new, pattern, where);
}

Regex::Code Regex::compile(const std::string& translated, std::string_view pattern,
                           const std::string& where) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  // In Ruby's syntax ^ and $ stand at lines; a line ends with \n alone.
  auto* context = pcre2_compile_context_create_8(nullptr);
  pcre2_set_newline_8(context, PCRE2_NEWLINE_LF);
  auto* code = pcre2_compile_8(units(translated), translated.size(),
                               PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NO_UTF_CHECK, &error,
                               &offset, context);
  pcre2_compile_context_free_8(context);
  if (code == nullptr)
    fail("{}: cannot use the regular expression '{}': {}", where, pattern, error_text(error));
  const bool compiled = pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE) == 0;
  return {{code, pcre2_code_free_8}, compiled};
}

void Regex::find_all(std::string_view text, std::vector<Span>& matches) const {
  matches.clear();
  if (text.empty()) return;
  const auto& code = has_new_characters(text) ? with_new_ : code_;
  std::size_t from = 0;
  std::optional<std::size_t> last_end;
  while (from <= text.size()) {
    const auto match = find(code.code.get(), code.compiled, text, from);
    if (!match) return;
    if (match->begin == match->end && last_end == match->end) {
      from += from < text.size() ? character_at(text, from).size : 1;
      continue;
    }
    matches.push_back(*match);
    from = match->end;
    last_end = match->end;
  }
}

}  // namespace aha
