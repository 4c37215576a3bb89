#pragma once
#include <fstream>
#include <string>
#include <string_view>

#include "tests/support/error_of.h"
#include "tests/support/temp_folder.h"
#include "trainer/core/file.h"

namespace aha_test {

inline std::filesystem::path written(const TempFolder& folder, const std::string& name,
                                     std::string_view bytes) {
  // not the atomic writer: waiting for the disk is no part of these tests
  std::ofstream(folder / name, std::ios::binary) << bytes;
  return folder / name;
}

}  // namespace aha_test
