#pragma once
#include <map>
#include <string>
#include <vector>

#include "trainer/config/schema.h"

namespace aha {

/// The whole configuration with every default and preset filled in, as YAML that load_config reads back to
/// the same values. Base sections hold the first stage's values, stages what differs.
std::string resolved_yaml(const Config& config);

/// `aha config KEY`: type, default, allowed values and meaning; a section lists its keys; empty lists the
/// sections. UserError with the nearest key for an unknown one.
std::string explain_key(const std::string& key);

/// Every key that is not free to change (see changed_keys) with its value, as YAML: what a checkpoint
/// notes of its run, the same on every machine.
std::map<std::string, std::string> settled_values(const Config& config);

/// A key whose value differs between two configurations.
struct ChangedKey {
  std::string key;  ///< "stages.grpo.train.max_steps", or "seed"
  std::string before;
  std::string after;
  bool free = false;  ///< may change between the parts of one run without making its past untrue
};

/// All differences. Free are: output_dir, log.*, checkpoint.*, comm.*, train.threads, reward.threads,
/// reward.timeout_s, eval.* cadence, train.max_steps (more steps) and model.path (only read at the start).
std::vector<ChangedKey> changed_keys(const Config& before, const Config& after);

/// The same against what a checkpoint noted, where the keys that are free are not known any more.
std::vector<ChangedKey> changed_keys(const std::map<std::string, std::string>& settled,
                                     const Config& after);

}  // namespace aha
