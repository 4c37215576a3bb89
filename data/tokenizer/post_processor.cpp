#include "data/tokenizer/post_processor.h"

#include "data/tokenizer/added_tokens.h"
#include "data/tokenizer/tokenizer_files.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr const char* kKnown =
    "TemplateProcessing, ByteLevel, BertProcessing, RobertaProcessing or Sequence";

std::vector<TokenId> special_ids(const Component& special) {
  std::vector<TokenId> ids;
  const auto list = special.member("ids");
  for (std::size_t i = 0; i < special.list_size("ids"); ++i)
    ids.push_back(token_id(list.json()[i], list.where()));
  if (ids.empty()) special.refuse("has no ids");
  return ids;
}

/// `cls` and `sep`: a list of a token and its id.
std::vector<TokenId> pair_ids(const Component& pair) {
  if (!pair.json().is_array() || pair.json().size() != 2)
    pair.refuse("expected a token and its id, found " + brief(pair.json()));
  return {token_id(pair.json()[1], pair.where())};
}

}  // namespace

PostProcessor::PostProcessor(const Component& component) {
  if (!component.is_null()) add(component);
}

void PostProcessor::add(const Component& component) {
  const auto type = component.type();
  if (type == "Sequence") {
    const auto list = component.member("processors");
    for (std::size_t i = 0; i < component.list_size("processors"); ++i)
      add(list.element(i));
  } else if (type == "TemplateProcessing") {
    read_template(component);
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    set({pair_ids(component.member("cls")), {}, pair_ids(component.member("sep"))}, component);
  } else if (type != "ByteLevel") {  // which moves offsets alone
    component.refuse_type("post_processor", kKnown);
  }
}

void PostProcessor::set(std::vector<Piece> pieces, const Component& component) {
  if (has_pieces_) component.refuse("a second component that adds tokens is not supported");
  pieces_ = std::move(pieces);
  has_pieces_ = true;
}

void PostProcessor::read_template(const Component& component) {
  std::vector<Piece> pieces;
  const auto single = component.member("single");
  const auto specials = component.member("special_tokens");
  for (std::size_t i = 0; i < component.list_size("single"); ++i) {
    const auto piece = single.element(i);
    if (!piece.member("SpecialToken").is_null()) {
      const auto name = piece.member("SpecialToken").text("id");
      const auto special = specials.member(name.c_str());
      if (special.is_null()) piece.refuse("'" + name + "' is not in special_tokens");
      pieces.push_back(special_ids(special));
    } else if (piece.member("Sequence").text("id") == "A") {
      pieces.emplace_back();
    } else {
      piece.refuse("the template for a single text has a second one");
    }
  }
  set(std::move(pieces), component);
}

void PostProcessor::check_ids(std::int64_t size, const std::string& where) const {
  for (const auto& piece : pieces_)
    for (const auto id : piece)
      if (id >= size)
        fail("{}: post_processor adds id {}, expected one below {}, the size of the vocabulary",
             where, id, size);
}

std::vector<TokenId> PostProcessor::apply(const std::vector<TokenId>& ids) const {
  if (!has_pieces_) return ids;
  std::vector<TokenId> all;
  for (const auto& piece : pieces_) {
    const auto& added = piece.empty() ? ids : piece;
    all.insert(all.end(), added.begin(), added.end());
  }
  return all;
}

}  // namespace aha
