#include <fmt/format.h>

#include <algorithm>

#include "trainer/config/dump.h"
#include "trainer/config/flat_keys.h"
#include "trainer/config/presets.h"
#include "trainer/config/yaml_fields.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

bool is_section(const FlatKey& flat) {
  return flat.type.empty();
}

bool is_inside(const FlatKey& flat, const std::string& section) {
  return flat.path.starts_with(section + ".");
}

std::string type_text(const FlatKey& flat) {
  return flat.key.allowed.empty()
             ? flat.type + allowed_text(flat.key)
             : "one of " + fmt::format("{}", fmt::join(flat.key.allowed, ", "));
}

std::string key_line(const FlatKey& flat) {
  if (is_section(flat)) return fmt::format("{:<42} {}\n", flat.path, flat.key.meaning);
  return fmt::format("{:<42} {}\n{:<42}   {}; default {}\n", flat.path, flat.key.meaning, "",
                     type_text(flat), flat.value);
}

/// What each preset makes of the defaults.
std::string preset_lines() {
  std::string text;
  for (const auto& name : preset_names()) {
    StageConfig stage;
    const auto before = flat_sections(stage);
    stage.objective.preset = name;
    apply_preset(stage.objective, {});
    const auto after = flat_sections(stage);
    std::string filled;
    for (std::size_t i = 0; i < after.size(); ++i)
      if (after[i].value != before[i].value && after[i].key.name != "preset")
        filled +=
            fmt::format("{}{}: {}", filled.empty() ? "" : ", ", after[i].key.name, after[i].value);
    text += fmt::format("  {:<13} {}\n", name, filled.empty() ? "the defaults below" : filled);
  }
  return text;
}

std::string explained_leaf(const FlatKey& flat) {
  std::string text = fmt::format("{}\n  {}\n  {}; default {}\n", flat.path, flat.key.meaning,
                                 type_text(flat), flat.value);
  if (!flat.key.trl.empty()) text += fmt::format("  TRL's name: {}\n", flat.key.trl);
  if (!flat.key.alias.empty()) text += fmt::format("  also read as {}\n", flat.key.alias);
  if (flat.key.free) text += "  may change when a run is resumed\n";
  if (flat.path == "objective.preset") text += preset_lines();
  return text;
}

std::string explained_section(const FlatKey& section) {
  std::string text = fmt::format("{}: {}\n", section.path, section.key.meaning);
  for (const auto& flat : all_keys())
    if (is_inside(flat, section.path)) text += key_line(flat);
  if (section.path == "reward" || section.path == "reward.functions")
    text += fmt::format("{:<42} an option of that reward\n", "reward.functions.(any other key)");
  return text;
}

std::string overview() {
  std::string text =
      "Top level of a configuration file (aha config SECTION lists the keys of one):\n";
  for (const auto& flat : all_keys())
    if (flat.path.find('.') == std::string::npos) text += key_line(flat);
  return text;
}

std::vector<std::string> words_of(const std::string& key) {
  std::vector<std::string> words(1);
  for (const char c : key) {
    if (c == '.')
      words.emplace_back();
    else
      words.back() += c;
  }
  return words;
}

/// The path under which a key is described: "stages.grpo.rollout.top_p" is rollout.top_p,
/// "data.eval.held_out.count" is data.eval.NAME.count, "reward.functions.0.weight" has no number.
std::string described_path(const std::string& key) {
  auto words = words_of(key);
  if (words.size() > 2 && words[0] == "stages") words.erase(words.begin(), words.begin() + 2);
  if (words.size() > 2 && words[0] == "data" && words[1] == "eval") words[2] = "NAME";
  const auto is_number = [](const std::string& word) {
    return !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
  };
  if (words.size() > 2 && words[0] == "reward" && is_number(words[2]))
    words.erase(words.begin() + 2);
  return fmt::format("{}", fmt::join(words, "."));
}

[[noreturn]] void fail_unknown(const std::string& key) {
  const auto homes = keys_named(words_of(key).back());
  if (!homes.empty()) fail("unknown key '{}'; there is {}", key, join_list(homes));
  std::vector<std::string> paths;
  for (const auto& flat : all_keys())
    paths.push_back(flat.path);
  const auto near = nearest(key, paths);
  if (near.empty()) fail("unknown key '{}'; aha config lists all sections", key);
  fail("unknown key '{}', the nearest is '{}'", key, near);
}

}  // namespace

std::string explain_key(const std::string& key) {
  if (key.empty()) return overview();
  const auto path = described_path(key);
  for (const auto& flat : all_keys()) {
    const bool alias =
        !flat.key.alias.empty() && path.ends_with("." + flat.key.alias) &&
        flat.path == path.substr(0, path.size() - flat.key.alias.size()) + flat.key.name;
    if (flat.path == path || alias)
      return is_section(flat) ? explained_section(flat) : explained_leaf(flat);
  }
  fail_unknown(key);
}

}  // namespace aha
