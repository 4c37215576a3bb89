#pragma once
#include "trainer/model/config_reader.h"
#include "trainer/model/model_config.h"

namespace aha {

/// Reads theta, the share of dimensions that turns and the scaling into `config`, from the places
/// where transformers 4 (`rope_theta`, `rope_scaling`, `partial_rotary_factor` at the top) and 5
/// (`rope_parameters`) write them. Two places must say the same. Needs the sizes read before.
void read_rope(const ConfigReader& in, ModelProblems& problems, ModelConfig& config);

}  // namespace aha
