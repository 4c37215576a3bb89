#pragma once
#include <string_view>

namespace aha {

/// A part of the page (trainer/report/page), put into the program by embed.cmake.
struct PageFile {
  std::string_view name;
  std::string_view text;
  std::string_view sha256;  ///< of `text`, in hexadecimal
};

/// "script", "style", "body", "dygraphs_script", "dygraphs_style", "dygraphs_licence"; empty for
/// another name.
PageFile page_file(std::string_view name);

}  // namespace aha
