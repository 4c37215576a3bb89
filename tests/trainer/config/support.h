#pragma once
#include <string>
#include <vector>

#include "trainer/config/load.h"
#include "trainer/core/error.h"

namespace aha_test {

/// A configuration that is right, of six lines; tests add to it from line 7 on.
inline const std::string kSound =
    "output_dir: runs/x\n"
    "model: {path: m}\n"
    "data: {train: {path: d.jsonl}}\n"
    "reward: {functions: [{name: numeric}]}\n"
    "\n"
    "\n";

/// The message, or "" when the text is read without one.
inline std::string error_of(const std::string& text,
                            const std::vector<std::string>& overrides = {}) {
  try {
    aha::parse_config(text, "c.yaml", overrides);
  } catch (const aha::UserError& error) {
    return error.what();
  }
  return "";
}

/// The message when `text` stands after kSound.
inline std::string error_after(const std::string& text,
                               const std::vector<std::string>& overrides = {}) {
  return error_of(kSound + text, overrides);
}

}  // namespace aha_test
