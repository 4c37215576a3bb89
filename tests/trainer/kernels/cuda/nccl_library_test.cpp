#include "trainer/kernels/cuda/nccl_library.h"

#include <filesystem>

#include "tests/support/catch.h"

using aha::cuda::NcclLibrary;
using aha::cuda::open_nccl;
using aha_test::contains;

TEST_CASE(
    "nccl library: one that is missing, old or not whole is named, with what would be right") {
  NcclLibrary library{};
  CHECK_THAT(open_nccl("libnccl_of_nobody.so.2", library), contains("libnccl_of_nobody.so.2") &&
                                                               contains("LD_LIBRARY_PATH") &&
                                                               contains("nvidia-nccl-cu13"));
  CHECK_THAT(open_nccl(AHA_NCCL_OLD, library), contains("is NCCL 2.13.4, and 2.14.0 or later"));
  CHECK_THAT(open_nccl(AHA_NCCL_PART, library), contains("lacks functions of NCCL"));
}

TEST_CASE("nccl library: versions are read as NCCL codes them") {
  CHECK(aha::cuda::nccl_version_text(NCCL_VERSION(2, 28, 9)) == "2.28.9");
  CHECK(aha::cuda::nccl_version_text(NCCL_VERSION(2, 8, 3)) == "2.8.3");
}

TEST_CASE("nccl library: LibTorch's own has all that is called") {
  if (!std::filesystem::exists(AHA_NCCL_WHEEL)) {
    WARN("skipped: " AHA_NCCL_WHEEL " is not there");
    return;
  }
  NcclLibrary library{};
  CHECK(open_nccl(AHA_NCCL_WHEEL, library) == "");
  CHECK(std::string(library.GetErrorString(ncclRemoteError)).find("remote") != std::string::npos);
}
