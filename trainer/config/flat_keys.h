#pragma once
#include <string>
#include <vector>

#include "trainer/config/describe.h"

namespace aha {

/// One key with its path, for explanations and comparisons.
struct FlatKey {
  std::string path;  ///< "rollout.top_p"
  Key key;
  std::string type;   ///< "a number"; empty: a section
  std::string value;  ///< as YAML; empty: a section
};

/// All keys of a stage's sections with their values, in the order of the file, sections before their keys.
std::vector<FlatKey> flat_sections(const StageConfig& stage);
/// `seed`, `output_dir`, ...
std::vector<FlatKey> flat_job(const Config& config);

/// Every key that there is, with its default: those of the job, of the sections, and "stages". A set of
/// data.eval is called NAME, a reward is shown without its number.
const std::vector<FlatKey>& all_keys();

/// Paths of all keys whose last word is `name`.
std::vector<std::string> keys_named(const std::string& name);

}  // namespace aha
