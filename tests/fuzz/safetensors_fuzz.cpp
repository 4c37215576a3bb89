// A weights file: once its header is accepted, every tensor can be read.
#include <vector>

#include "tests/fuzz/fuzz_input.h"
#include "trainer/core/error.h"
#include "trainer/model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const aha_fuzz::MemoryFile bytes(aha_fuzz::text_of(data, size));
  try {
    const aha::SafetensorsFile file(bytes.path());
    for (const auto& [name, tensor] : file.tensors()) {
      aha_fuzz::require(tensor.begin <= size);
      const auto elements = static_cast<std::size_t>(tensor.size);
      if (tensor.dtype == "I64") {
        std::vector<std::int64_t> values(elements);
        file.read(name, values);
      } else if (tensor.dtype == "F32" || tensor.dtype == "BF16" || tensor.dtype == "F16") {
        std::vector<float> values(elements);
        file.read(name, values);
      }
    }
  } catch (const aha::UserError&) {  // NOLINT(bugprone-empty-catch): most inputs are no such file
  }
  return 0;
}
