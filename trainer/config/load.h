#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "trainer/config/rules.h"
#include "trainer/config/schema.h"

namespace aha {

/// Rules of a stage that know more than this module does.
using StageRules = std::function<std::vector<BrokenRule>(const StageConfig&)>;

/// Reads a configuration file, applies `overrides` ("a.b=value", value is YAML; "stages.NAME.a.b=value"
/// wins over "a.b=value", which wins over the file), fills presets, checks every rule, and `more` on each
/// stage. Throws one UserError with a line per independent mistake: "file:line:col: what, and what
/// would be right".
Config load_config(const std::filesystem::path& path,
                   const std::vector<std::string>& overrides = {}, const StageRules& more = {});

/// The same from text; `name` stands for the file in messages.
Config parse_config(const std::string& text, const std::string& name,
                    const std::vector<std::string>& overrides = {}, const StageRules& more = {});

}  // namespace aha
