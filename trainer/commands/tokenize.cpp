#include <iostream>
#include <memory>

#include "data/tokenizer/tokenizer.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/shared.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

struct Arguments {
  std::string model;
  std::string file = "-";
  bool decode = false;
  bool add_special_tokens = false;
};

std::vector<TokenId> ids_of(const Json& row, const std::string& where) {
  try {
    return row.at("ids").get<std::vector<TokenId>>();
  } catch (const Json::exception&) {
    fail("{}: 'ids' is missing or no list of whole numbers", where);
  }
}

std::vector<TokenId> encoded(const Tokenizer& tokenizer, const Json& row, const std::string& where,
                             bool add_special_tokens) {
  if (row.contains("messages"))
    fail("{}: 'messages' need a chat template, which this version does not render; give 'text'",
         where);
  const auto text = row.find("text");
  if (text == row.end() || !text->is_string()) fail("{}: 'text' is missing or no text", where);
  auto ids = tokenizer.encode(text->get_ref<const std::string&>());
  if (add_special_tokens)
    if (const auto bos = tokenizer.bos_id()) ids.insert(ids.begin(), *bos);
  return ids;
}

int tokenize(const Arguments& a) {
  const auto tokenizer = load_tokenizer(a.model);
  for_each_row(a.file, [&](Json&& row, const std::string& where) {
    OrderedJson out = OrderedJson::parse(dump_line(row));
    if (a.decode)
      out["text"] = tokenizer->decode(ids_of(row, where));
    else
      out["ids"] = encoded(*tokenizer, row, where, a.add_special_tokens);
    std::cout << dump_line(out) << '\n';
  });
  return 0;
}

}  // namespace

void add_tokenize(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("tokenize", "{\"text\"} to \"ids\", or back with --decode");
  auto a = std::make_shared<Arguments>();
  command->add_option("--model", a->model, "folder that holds tokenizer.json")->required();
  command->add_option("file", a->file, "JSONL; - is standard input")->capture_default_str();
  command->add_flag("--decode", a->decode, "{\"ids\"} to \"text\", special tokens kept");
  command->add_flag("--add-special-tokens", a->add_special_tokens, "put the bos id first, if there is one");
  command->callback([&action, a] { action = [a] { return tokenize(*a); }; });
}

}  // namespace aha
