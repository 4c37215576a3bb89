#include "trainer/report/sample_row.h"

#include <fmt/format.h>

namespace aha {
namespace {

/// Beginning and end of a text that is too long, cut at borders of characters.
std::string shown_text(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  const auto inside = [&](std::size_t i) {
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U;
  };
  std::size_t head = most / 2, tail = text.size() - most / 2;
  while (head > 0 && inside(head))
    --head;
  while (inside(tail))
    ++tail;
  std::string cut = fmt::format("{}\n[... {} bytes are left out here ...]\n{}",
                                text.substr(0, head), tail - head, text.substr(tail));
  return cut.size() < text.size() ? cut : text;
}

/// A value whose texts together are too long has each of them cut to its share; one that has too
/// much besides texts, or too many of them, is one text that says so.
Json shown_value(const Json& value, std::size_t most) {
  if (value.is_string()) return shown_text(value.get_ref<const std::string&>(), most);
  const std::size_t size = dump_line(value).size();
  if (!value.is_structured() || size <= most) return value;
  Json cut = value;
  for (auto& part : cut)
    if (part.is_string()) part = shown_text(part.get_ref<const std::string&>(), most / cut.size());
  if (dump_line(cut).size() <= 2 * most) return cut;  // texts may need escapes, and have marks
  return fmt::format("[{} bytes are left out here]", size);
}

}  // namespace

SampleRow RowMaker::make(const Candidate& candidate) const {
  const Json row = candidate.index->row(*candidate.entry);
  const SampleEntry& e = *candidate.entry;
  const auto& text = row["completion"].get_ref<const std::string&>();
  OrderedJson out{{"stage", e.stage},
                  {"step", e.step},
                  {"held_out", e.held_out},
                  {"unit", e.unit},
                  {"index", e.index}};
  out["prompt"] = 0;  // its place, later
  out["text"] = shown_text(text, limits_.one_text);
  if (text.size() > limits_.one_text) out["cut"] = text.size();
  out["words"] = words_.count(text);
  for (const char* key :
       {"length", "finish", "reward", "rewards", "accuracy", "advantage", "extracted", "source"})
    if (row.contains(key)) out[key] = shown_value(row[key], limits_.one_text);
  put_tokens(row, out);
  return {std::move(out), prompt_of(row)};
}

std::string RowMaker::prompt_of(const Json& row) const {
  const auto found = row.find("prompt");
  if (found == row.end() || !found->is_string()) return "";
  return shown_text(found->get_ref<const std::string&>(), limits_.one_text);
}

void RowMaker::put_tokens(const Json& row, OrderedJson& out) const {
  const auto ids = row.find("completion_ids");
  if (ids == row.end() || !ids->is_array()) return;
  if (!tokens_) {
    out["no_tokens"] = "There is no checkpoint (latest) whose tokenizer could tell their texts.";
    return;
  }
  if (ids->size() * 4 > limits_.one_text) {
    out["no_tokens"] =
        fmt::format("There are {} of them, too many to show one by one.", ids->size());
    return;
  }
  std::vector<TokenId> list;
  for (const auto& id : *ids) {
    if (!id.is_number_integer()) return;
    list.push_back(id.get<TokenId>());
  }
  out["tokens"] = tokens_(list);
  for (const char* key : {"logprobs", "entropies"})
    if (const auto values = row.find(key);
        values != row.end() && values->is_array() && values->size() == list.size())
      out[key] = *values;
}

}  // namespace aha
