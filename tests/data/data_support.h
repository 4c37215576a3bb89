#pragma once
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include "tests/support/temp_folder.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"

namespace aha_test {

/// The message of the UserError that `action` throws; "no error" when it throws none.
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const aha::UserError& error) {
    return error.what();
  }
  return "no error";
}

inline std::filesystem::path written(const TempFolder& folder, const std::string& name,
                                     std::string_view bytes) {
  // not the atomic writer: waiting for the disk is no part of these tests
  std::ofstream(folder / name, std::ios::binary) << bytes;
  return folder / name;
}

}  // namespace aha_test
