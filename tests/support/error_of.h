#pragma once
#include <string>

#include "trainer/core/error.h"

namespace aha_test {

/// The message of the UserError that `action` throws; "no error" when it throws none.
template <class Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const aha::UserError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace aha_test
