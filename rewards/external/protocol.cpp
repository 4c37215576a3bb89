#include "rewards/external/protocol.h"

#include <algorithm>

#include "rewards/row_fields.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr const char* kProtocol = "aha-scorer";
constexpr std::int64_t kVersion = 1;
constexpr std::string_view kNoNumbers[] = {"NaN", "Infinity", "-Infinity"};

/// Python's json writes NaN, Infinity and -Infinity, which are no JSON: as texts, so that the answer can be read.
std::string with_texts_for_nan(std::string_view text) {
  std::string result;
  bool in_text = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto rest = text.substr(at);
    const auto* const word =
        std::find_if(std::begin(kNoNumbers), std::end(kNoNumbers),
                     [&](std::string_view w) { return !in_text && rest.starts_with(w); });
    if (word != std::end(kNoNumbers)) {
      result += '"' + std::string(*word) + '"';
      at += word->size() - 1;
      continue;
    }
    if (in_text && text[at] == '\\')
      result += text[at++];
    else if (text[at] == '"')
      in_text = !in_text;
    if (at < text.size()) result += text[at];
  }
  return result;
}

Json object_of(std::string_view text) {
  auto json = parse_json(with_texts_for_nan(text), "the answer '" + clipped(text) + "'");
  if (!json.is_object()) fail("the answer '{}' is no JSON object", clipped(text));
  return json;
}

std::optional<double> score_of(const Json& answer, RewardPart& part) {
  const auto score = answer.find("score");
  if (score == answer.end()) {
    part.reason = "an answer without a score";
    return std::nullopt;
  }
  if (score->is_boolean()) return score->get<bool>() ? 1.0 : 0.0;
  if (score->is_number()) return score->get<double>();
  if (!score->is_null())
    part.reason = "the score is " + clipped(dump_line(*score)) + ", expected a number or null";
  else if (part.reason.empty())
    part.reason = "the scorer cannot judge it";
  return std::nullopt;
}

}  // namespace

std::string greeting() {
  return dump_line(OrderedJson{{"protocol", kProtocol}, {"version", kVersion}});
}

std::optional<std::string> greeting_problem(std::string_view answer) {
  try {
    const auto json = object_of(answer);
    const auto version = whole_field(json, "version");
    if (text_field(json, "protocol") != kProtocol || !version)
      return fmt::format("it answered '{}', expected {}", clipped(answer), greeting());
    if (*version != kVersion)
      return fmt::format("it speaks version {} of the protocol, expected {}", *version, kVersion);
    return std::nullopt;
  } catch (const UserError&) {
    return fmt::format("it answered '{}', expected {}", clipped(answer), greeting());
  }
}

std::string request_text(std::string_view id, const Attempt& attempt) {
  OrderedJson request;
  request["id"] = id;
  request["prompt"] = attempt.prompt;
  request["completion"] = attempt.completion;
  request["row"] = attempt.row;
  return dump_line(request);
}

ScorerAnswer read_answer(std::string_view text) {
  const auto json = object_of(text);
  ScorerAnswer answer{text_field(json, "id"), {std::nullopt, "", "", 1}};
  if (const auto breakdown = json.find("breakdown"); breakdown != json.end()) {
    answer.part.extracted = clipped(text_field(*breakdown, "extracted").value_or(""));
    if (const auto reason = text_field(*breakdown, "reason"))
      answer.part.reason = clipped(*reason);
    else if (breakdown->is_string())
      answer.part.reason = clipped(breakdown->get_ref<const std::string&>());
    else if (!breakdown->is_null())
      answer.part.reason = clipped(dump_line(*breakdown));
  }
  answer.part.score = score_of(json, answer.part);
  return answer;
}

}  // namespace aha
