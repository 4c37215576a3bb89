#pragma once
#include <set>
#include <string>
#include <vector>

#include "trainer/config/schema.h"

namespace aha {

/// Names of all presets.
const std::vector<std::string>& preset_names();

/// Sets what objective.preset stands for, save the leaf keys in `given`, which the user set.
void apply_preset(ObjectiveConfig& objective, const std::set<std::string>& given);

}  // namespace aha
