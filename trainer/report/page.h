#pragma once
#include <span>
#include <string>

#include "trainer/report/record.h"
#include "trainer/report/samples.h"

namespace aha {

/// What the page is made of.
struct PageInputs {
  std::vector<RunRecord> runs;
  std::vector<SampleSet> samples;  ///< one for each run, possibly without samples
  std::string made;                ///< when, as text
};

/// The whole report as one HTML file that needs nothing else and asks for nothing: script and style
/// are named by their hashes in a Content-Security-Policy that allows no request, data are
/// compressed JSON, and no text of a run ever becomes markup.
std::string html_page(const PageInputs& inputs);

}  // namespace aha
