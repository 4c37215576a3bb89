#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace aha {

/// `aha report`'s page on runs (trainer/report): the text of one HTML file. Token texts come from the
/// tokenizer of each run's `latest` checkpoint; without one the page says so. UserError when a path
/// is no run.
std::string report_page(const std::vector<std::string>& runs);

}  // namespace aha
