#include <spdlog/spdlog.h>

#include <memory>

#include "data/tokenizer/tokenizer.h"
#include "trainer/commands/commands.h"
#include "trainer/core/clock.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/text.h"
#include "trainer/model/gguf_model.h"
#include "trainer/model/gguf_tokenizer.h"
#include "trainer/model/weights.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

struct Arguments {
  std::string file;
  std::string folder;
  std::string dtype = "float32";
};

/// A folder that is filled beside its name and takes it at the end: whole or not there.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& target)
      : target_(target), partial_(target.string() + ".part") {
    fs::remove_all(partial_, ignored_);
    make_folder(partial_);
  }
  ~NewFolder() { fs::remove_all(partial_, ignored_); }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const fs::path& path() const { return partial_; }

  void commit() {
    sync_path(partial_);
    std::error_code error;
    fs::rename(partial_, target_, error);
    if (error)
      fail("{}: cannot be renamed to {}: {}", partial_.string(), target_.string(), error.message());
  }

 private:
  fs::path target_, partial_;
  std::error_code ignored_;
};

/// DIR without a final slash; UserError when something stands there.
fs::path free_place(const std::string& folder) {
  auto path = fs::absolute(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  std::error_code error;
  const bool there = fs::exists(fs::symlink_status(path, error));
  if (there && !(fs::is_directory(path, error) && fs::is_empty(path, error)))
    fail("{}: is there already, expected a new or an empty folder: remove it or name another one",
         folder);
  return path;
}

/// The files must work here before weights are written: what they are made from is another's.
std::int64_t tokens_in(const fs::path& folder, const std::string& from) {
  try {
    return load_tokenizer(folder)->vocabulary_size();
  } catch (const UserError& error) {
    fail("{}: its tokenizer cannot be used: {}", from, error.what());
  }
}

int import_gguf(const Arguments& a) {
  const auto start = Clock::now();
  const auto target = free_place(a.folder);
  const GgufFile file(a.file);
  const auto config = gguf_model_config(file);
  const auto layout = make_layout(config);
  check_gguf_weights(file, layout);
  const auto tokenizer = gguf_tokenizer_files(file);

  make_folder(target.parent_path());
  NewFolder folder(target);
  for (const auto& [name, bytes] : tokenizer)
    write_file_atomic(folder.path() / name, bytes);  // for load_tokenizer
  const auto tokens = tokens_in(folder.path(), a.file);
  check_vocabulary(tokens, config, a.file, "its model");
  save_model(folder.path(), {.config = config,
                             .layout = layout,
                             .values = gguf_weights(file, config, layout),
                             .dtype = float_type(a.dtype),
                             .others = tokenizer});
  folder.commit();
  spdlog::info("{}: {} with {} layers, {} parameters, {} tokens, written as {} to {} in {}", a.file,
               config.model_type, config.num_hidden_layers, with_commas(layout.total),
               with_commas(tokens), a.dtype, a.folder, duration_text(seconds_since(start)));
  return 0;
}

}  // namespace

void add_import_gguf(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "import-gguf", "a GGUF file to a Hugging Face folder that aha, transformers and vLLM load");
  command->footer(
      "Reads architecture llama (Llama, Mistral, SmolLM) with F32, F16, BF16, Q8_0, Q4_0, Q4_1, "
      "Q5_0, Q5_1, Q4_K and Q6_K tensors and a byte-level BPE tokenizer. Writes config.json, "
      "generation_config.json, model.safetensors, tokenizer.json, tokenizer_config.json and "
      "chat_template.jinja. Quantised weights are widened; what was lost by quantising stays lost. "
      "Memory: 4 bytes a parameter and the file. DIR is filled as DIR.part and renamed at the "
      "end.");
  auto a = std::make_shared<Arguments>();
  command->add_option("file", a->file, "the .gguf file")->required();
  command->add_option("dir", a->folder, "folder to make; one that is not empty is refused")
      ->required();
  command->add_option("--dtype", a->dtype, "of the weights; float32 loses nothing")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
  command->callback([&action, a] { action = [a] { return import_gguf(*a); }; });
}

}  // namespace aha
