#include "data/prompt.h"

#include <algorithm>
#include <array>

#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::string_view kThink = "<think>";
constexpr std::string_view kSpace = " \t\r\n";

constexpr std::string_view kR1Zero =
    "A conversation between User and Assistant. The user asks a question, and the Assistant solves "
    "it. The assistant first thinks about the reasoning process in the mind and then provides the "
    "user with the answer. The reasoning process and answer are enclosed within <think> </think> "
    "and "
    "<answer> </answer> tags, respectively, i.e., <think> reasoning process here </think> <answer> "
    "answer here </answer>. User: ";
constexpr std::string_view kR1ZeroEnd = ". Assistant:";

const std::vector<std::string>& template_names() {
  static const std::vector<std::string> names = {"raw", "r1_zero", "r1_zero_think", "chat"};
  return names;
}

std::vector<std::string> field_names(const OrderedJson& row) {
  std::vector<std::string> names;
  for (const auto& [name, value] : row.items())
    names.push_back(name);
  if (names.size() > 12) names.resize(12);
  return names;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// The "<think>" that ends a text, with the white space after it; empty when it does not.
std::string open_think(std::string_view text) {
  const auto end = text.find_last_not_of(kSpace);
  if (end == std::string_view::npos || !text.substr(0, end + 1).ends_with(kThink)) return "";
  return std::string(text.substr(end + 1 - kThink.size()));
}

/// What the tokenizer puts before a text.
std::vector<TokenId> begin_ids(const Tokenizer& tokenizer) {
  constexpr TokenId kText = -1;
  auto ids = tokenizer.with_special_tokens({kText});
  ids.erase(std::find(ids.begin(), ids.end(), kText), ids.end());
  return ids;
}

}  // namespace

std::string field_text(const OrderedJson& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return dump_line(value);
  std::string text = "[";
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (i > 0) text += ", ";
    text += dump_line(value[i]);
  }
  return text + "]";
}

PromptTemplate::PromptTemplate(const std::string& name_or_text, const std::string& question_field) {
  const auto& names = template_names();
  if (name_or_text == "raw") {
    parts_ = {{"", question_field}};
  } else if (std::find(names.begin(), names.end(), name_or_text) != names.end()) {
    parts_ = {{std::string(kR1Zero), question_field}, {std::string(kR1ZeroEnd), ""}};
    if (name_or_text == "r1_zero_think") parts_.back().literal += " <think>";
  } else {
    parse(name_or_text);
  }
  for (const auto& part : parts_)
    if (!part.field.empty() &&
        std::find(fields_.begin(), fields_.end(), part.field) == fields_.end())
      fields_.push_back(part.field);
  if (fields_.empty()) {
    const auto near = nearest(name_or_text, names);
    fail("data.prompt_template: '{}' is no template ({}) and has no {{field}} in it{}",
         name_or_text, join_list(names),
         near.empty() ? "" : fmt::format("; the nearest is '{}'", near));
  }
  if (parts_.back().field.empty()) prefill_ = open_think(parts_.back().literal);
}

PromptTemplate::PromptTemplate(ChatPrompt chat, const std::string& question_field)
    : parts_{{"", question_field}}, fields_{question_field}, chat_(std::move(chat)) {}

void PromptTemplate::parse(const std::string& text) {
  Part part;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool doubled = i + 1 < text.size() && text[i + 1] == c;
    if ((c == '{' || c == '}') && doubled) {
      part.literal += c;
      ++i;
    } else if (c == '}') {
      fail("data.prompt_template: '}}' at character {} opens nothing; write '}}}}' for a brace",
           i + 1);
    } else if (c == '{') {
      const auto close = text.find_first_of("{}", i + 1);
      if (close == std::string::npos || text[close] == '{' || close == i + 1)
        fail(
            "data.prompt_template: '{{' at character {} begins no {{field}}; write '{{{{' for a "
            "brace",
            i + 1);
      part.field = text.substr(i + 1, close - i - 1);
      parts_.push_back(std::move(part));
      part = {};
      i = close;
    } else {
      part.literal += c;
    }
  }
  if (!part.literal.empty() || parts_.empty()) parts_.push_back(std::move(part));
}

std::string PromptTemplate::text(const OrderedJson& row, std::string_view where) const {
  std::string text;
  for (const auto& part : parts_) {
    text += part.literal;
    if (part.field.empty()) continue;
    const auto found = row.find(part.field);
    if (found == row.end() || found->is_null()) {
      const auto names = field_names(row);
      fail("{}: the prompt template needs field '{}'; the row has {}", where, part.field,
           names.empty() ? "none" : join_list(names));
    }
    if (chat_) return chat_->text(*found, fmt::format("{}: '{}'", where, part.field));
    if (found->is_array() && !found->empty() && found->front().is_object())
      fail("{}: '{}' is a conversation, which data.prompt_template: chat renders", where,
           part.field);
    text += field_text(*found);
  }
  return text;
}

std::string PromptTemplate::prefill(std::string_view text) const {
  if (!chat_) return prefill_;
  return chat_->opens_answer() ? open_think(text) : "";
}

std::vector<TokenId> PromptTemplate::ids(const Tokenizer& tokenizer, std::string_view text) const {
  auto ids = chat_ ? std::vector<TokenId>() : begin_ids(tokenizer);
  const auto encoded = tokenizer.encode(text);
  ids.insert(ids.end(), encoded.begin(), encoded.end());
  if (ids.size() > 1 && ids[0] == ids[1] && ids[0] == tokenizer.bos_id())
    fail("the prompt begins with the begin token '{}' twice: {}", tokenizer.token_of(ids[0]),
         chat_ ? "the chat template writes one, and the question another"
               : "the tokenizer puts one before a text; leave it out of data.prompt_template");
  return ids;
}

std::string PromptTemplate::ideal(std::string_view answer, std::string_view text) const {
  const auto prefilled = prefill(text);
  const auto asks = [&](std::string_view what) { return text.find(what) != std::string::npos; };
  const bool tags = asks("<answer>");
  const bool box = asks("\\boxed");
  // a template that closes the thought itself leaves the answer alone to be written
  const auto end = trimmed(text);
  const bool think = (tags || asks(kThink)) && !end.ends_with("</think>");
  const auto mark = answer.rfind("####");
  const bool marked = mark != std::string_view::npos;
  if (!think && !tags && !box)
    return asks("####") && !marked ? fmt::format("#### {}", trimmed(answer)) : std::string(answer);

  const auto final = marked ? answer.substr(mark + 4) : answer;
  std::string boxed =
      box ? fmt::format("\\boxed{{{}}}", trimmed(final)) : std::string(trimmed(final));
  if (tags) boxed = "<answer> " + boxed + " </answer>";
  if (!think) return boxed;
  const auto opening = prefilled.empty() ? std::string(kThink) + " " : prefilled;
  const auto gap =
      std::string_view(kSpace).find(opening.back()) == std::string_view::npos ? " " : "";
  return opening + gap + "... </think> " + boxed;
}

std::vector<std::string> tag_layouts(const std::string& ideal) {
  constexpr std::string_view kThought = "</think>";
  constexpr std::string_view kAnswer = "<answer>";
  constexpr std::string_view kAnswerEnd = "</answer>";
  const std::string_view text = ideal;
  const auto thought = text.rfind(kThought);
  const auto answer = thought == std::string_view::npos ? thought : text.find(kAnswer, thought);
  const auto end = answer == std::string_view::npos ? answer : text.find(kAnswerEnd, answer);
  if (end == std::string_view::npos || !text.starts_with(kThink)) return {ideal};
  const auto inner = [&](std::size_t from, std::size_t to) {
    return std::string(trimmed(text.substr(from, to - from)));
  };
  return {ideal,
          std::string(text.substr(0, thought)) + "</think>\n" + std::string(text.substr(answer)),
          fmt::format("<think>\n{}\n</think>\n<answer>\n{}\n</answer>",
                      inner(kThink.size(), thought), inner(answer + kAnswer.size(), end))};
}

PromptTemplate open_prompt_template(const DataSection& data, const Tokenizer& tokenizer) {
  if (data.prompt_template != "chat") return {data.prompt_template, data.question_field};
  ChatPromptOptions options;
  options.system_prompt = data.system_prompt;
  options.chat = {data.chat_template_kwargs, data.chat_template_date, data.chat_template};
  return {ChatPrompt(load_chat_template(tokenizer.files()), std::move(options)),
          data.question_field};
}

}  // namespace aha
