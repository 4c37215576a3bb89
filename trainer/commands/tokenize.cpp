#include <iostream>
#include <memory>
#include <optional>

#include "data/tokenizer/chat_template.h"
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

std::vector<TokenId> ids_of(const OrderedJson& row, const std::string& where) {
  try {
    return row.at("ids").get<std::vector<TokenId>>();
  } catch (const OrderedJson::exception&) {
    fail("{}: 'ids' is missing or no list of whole numbers", where);
  }
}

std::vector<TokenId> encoded(const Tokenizer& tokenizer, const OrderedJson& row,
                             const std::string& where, bool add_special_tokens) {
  const auto text = row.find("text");
  if (text == row.end() || !text->is_string()) fail("{}: 'text' is missing or no text", where);
  try {
    const auto ids = tokenizer.encode(text->get_ref<const std::string&>());
    return add_special_tokens ? tokenizer.with_special_tokens(ids) : ids;
  } catch (const UserError& error) {
    fail("{}: {}", where, error.what());
  }
}

/// A row with its keys in their order: a chat template prints tools and arguments as they stand.
OrderedJson ordered_row(const std::string& line, const std::string& where) {
  auto row = parse_ordered_json(line, where);
  if (!row.is_object()) fail("{}: a row is a JSON object, such as {{\"text\": \"...\"}}", where);
  return row;
}

int tokenize(const Arguments& a) {
  const auto tokenizer = load_tokenizer(a.model);
  std::optional<ChatTemplate> chat;  // read when the first conversation comes
  Input input(a.file);
  std::int64_t number = 0;
  for (std::string line; std::getline(input.stream(), line);) {
    const std::string where = fmt::format("{}:{}", input.name(), ++number);
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto row = ordered_row(line, where);
    if (a.decode) {
      row["text"] = tokenizer->decode(ids_of(row, where));
    } else {
      const bool talk = row.contains("messages");
      if (talk) {
        if (!chat) chat.emplace(load_chat_template(a.model));
        row["text"] = render_row(*chat, row, where);
      }
      // a template writes its special tokens itself: more of them would double the first
      row["ids"] = encoded(*tokenizer, row, where, a.add_special_tokens && !talk);
    }
    std::cout << dump_line(row) << '\n';
  }
  return 0;
}

}  // namespace

void add_tokenize(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "tokenize", "{\"text\"} or {\"messages\"} to \"ids\", or back with --decode");
  auto a = std::make_shared<Arguments>();
  command->add_option("--model", a->model, "folder that holds tokenizer.json")->required();
  command->add_option("file", a->file, "JSONL; - is standard input")->capture_default_str();
  command->add_flag("--decode", a->decode, "{\"ids\"} to \"text\", special tokens kept");
  command->add_flag("--add-special-tokens", a->add_special_tokens,
                    "with what the tokenizer's post_processor puts around a text");
  command->callback([&action, a] { action = [a] { return tokenize(*a); }; });
}

}  // namespace aha
