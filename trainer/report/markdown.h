#pragma once
#include <span>
#include <string>

#include "trainer/report/record.h"

namespace aha {

/// The summary and the verdict as Markdown, for a pull request or an appendix. `picture` is the
/// name under which svg_curves lies beside it; empty: no picture. No text of a run becomes markup.
std::string markdown_report(std::span<const RunRecord> runs, const std::string& picture);

/// Small curves of the runs' main stages as one SVG: accuracy, length, reflective words, reward,
/// entropy, mixed groups. It shows what fits a printed page and has a light ground.
std::string svg_curves(std::span<const RunRecord> runs);

}  // namespace aha
