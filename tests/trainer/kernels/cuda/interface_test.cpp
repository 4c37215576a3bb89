#include "trainer/kernels/cuda/interface.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/support/catch.h"

namespace {

std::string text_of(const char* path) {
  std::ifstream file(std::filesystem::path(AHA_SOURCE_DIR) / path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("cuda interface: a library of another number or another layout is refused") {
  aha::CudaHost host;
  CHECK(aha::same_interface(host));
  host.layout += 8;
  CHECK_FALSE(aha::same_interface(host));
  host = {};
  ++host.interface;
  CHECK_FALSE(aha::same_interface(host));
}

TEST_CASE(
    "cuda interface: ranks of a machine take its GPUs in turn, or the one that each is shown") {
  CHECK(aha::gpu_of(0, 1, 1) == 0);
  CHECK(aha::gpu_of(0, 1, 8) == 0);
  for (int rank = 0; rank < 4; ++rank) {
    CHECK(aha::gpu_of(rank, 4, 4) == rank);
    CHECK(aha::gpu_of(rank, 4, 8) == rank);
    CHECK(aha::gpu_of(rank, 4, 1) == 0);
    CHECK(aha::gpu_of(rank, 4, 3) < 0);  // those with a number, too: all ranks say the same
  }
}

TEST_CASE("cuda interface: the layout has every struct of the headers that it is made of") {
  const std::string interface = text_of("trainer/kernels/cuda/interface.h");
  const auto begin = interface.find("kCudaLayout =");
  const auto list = interface.substr(begin, interface.find('(', begin) - begin);
  const std::regex definition(R"(\nstruct (\w+) \{)");
  int structs = 0;
  for (const char* path : {"trainer/kernels/ops.h", "trainer/kernels/tasks.h",
                           "trainer/kernels/attention_tasks.h", "trainer/kernels/device_ops.h",
                           "trainer/kernels/memory.h", "trainer/core/device_network.h"}) {
    const std::string text = text_of(path);
    for (std::sregex_iterator i(text.begin(), text.end(), definition), end; i != end; ++i) {
      INFO((*i)[1].str());
      CHECK(std::regex_search(list, std::regex("[<\\s]" + (*i)[1].str() + "[,>]")));
      ++structs;
    }
  }
  CHECK(structs >= 24);
}
