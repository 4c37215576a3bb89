// A GGUF file: once its tables are accepted, every value and tensor can be read, and what it says of model and
// tokenizer is used or refused.
#include <vector>

#include "tests/fuzz/fuzz_input.h"
#include "trainer/core/error.h"
#include "trainer/model/gguf.h"
#include "trainer/model/gguf_model.h"
#include "trainer/model/gguf_tokenizer.h"

namespace {

template <class Action>
void used_or_refused(const Action& action) {
  try {
    action();
  } catch (const aha::UserError& error) {
    aha_fuzz::require(!std::string_view(error.what()).empty());
  }
}

void read_all(const aha::GgufFile& file, std::size_t size) {
  for (const auto& [name, tensor] : file.tensors()) {
    aha_fuzz::require(tensor.begin <= size && tensor.bytes <= size - tensor.begin);
    std::vector<float> values(static_cast<std::size_t>(tensor.size));
    file.read(name, values);
  }
  for (const auto& entry : file.metadata())
    used_or_refused([&] { file.texts(entry.first); });
}

void read_model(const aha::GgufFile& file) {
  const auto config = aha::gguf_model_config(file);
  const auto layout = aha::make_layout(config);
  aha::check_gguf_weights(file, layout);
  aha::gguf_weights(file, config, layout);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const aha_fuzz::MemoryFile bytes(aha_fuzz::text_of(data, size));
  used_or_refused([&] {
    const aha::GgufFile file(bytes.path());
    read_all(file, size);
    used_or_refused([&] { read_model(file); });
    used_or_refused([&] { aha::gguf_tokenizer_files(file); });
  });
  return 0;
}
