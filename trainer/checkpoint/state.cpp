#include "trainer/checkpoint/state.h"

#include <cmath>

#include "trainer/core/error.h"

namespace aha {
namespace {

/// Reads typed values of one object. The library's own conversions are no help against a hostile
/// file: they take true for 1, cut 3.7 to 3 and wrap what is too large.
class Reader {
 public:
  Reader(const Json& json, const std::string& where) : json_(json), where_(where) {}

  const Json& at(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) fail("{}: '{}' is missing", where_, key);
    return *found;
  }

  std::int64_t count(const char* key, std::int64_t limit = kMaxCount) const {
    return count(at(key), key, limit);
  }

  std::int64_t count(const Json& value, const std::string& key, std::int64_t limit) const {
    const bool fits = value.is_number_unsigned()
                          ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(limit)
                          : value.is_number_integer() && value.get<std::int64_t>() >= 0 &&
                                value.get<std::int64_t>() <= limit;
    if (!fits) wrong(value, key, fmt::format("an integer from 0 to {}", limit));
    return value.get<std::int64_t>();
  }

  double number(const char* key) const {
    const Json& value = at(key);
    if (!value.is_number() || !std::isfinite(value.get<double>())) wrong(value, key, "a number");
    return value.get<double>();
  }

  std::string text(const char* key) const { return text(at(key), key); }

  std::string text(const Json& value, const std::string& key) const {
    if (!value.is_string()) wrong(value, key, "a text");
    return value.get<std::string>();
  }

  std::map<std::string, std::string> texts(const char* key) const {
    const Json& object = at(key);
    if (!object.is_object()) wrong(object, key, "an object");
    std::map<std::string, std::string> result;
    for (const auto& [name, value] : object.items())
      result[name] = text(value, key + ("." + name));
    return result;
  }

  [[noreturn]] void wrong(const Json& value, const std::string& key,
                          const std::string& expected) const {
    auto found = dump_line(value);
    if (found.size() > kMaxShown) found = found.substr(0, kMaxShown) + "...";
    fail("{}: '{}' is {}, expected {}", where_, key, found, expected);
  }

  static constexpr std::int64_t kMaxCount = std::int64_t{1} << 62;

 private:
  static constexpr std::size_t kMaxShown = 60;

  const Json& json_;
  const std::string& where_;
};

constexpr std::int64_t kMaxStage = 255;                           // as a random key holds it
constexpr std::int64_t kMaxCursor = (std::int64_t{1} << 48) - 1;  // likewise

}  // namespace

OrderedJson to_json(const TrainerState& s) {
  OrderedJson json{
      {"format", 1},          {"stage_index", s.stage_index}, {"stage", s.stage},
      {"step", s.step},       {"global_step", s.global_step}, {"cursor", s.cursor},
      {"updates", s.updates}, {"num_tokens", s.num_tokens},   {"entropy_coef", s.entropy_coef}};
  if (s.best_metric && std::isfinite(*s.best_metric)) json["best_metric"] = *s.best_metric;
  json["best_global_step"] = s.best_global_step;
  json["offsets"] = s.offsets;
  json["cpu_body"] = s.cpu_body;
  json["config"] = s.config;
  json["data"] = s.data;
  json["versions"] = s.versions;
  return json;
}

TrainerState state_from_json(const Json& json, const std::string& where) {
  if (!json.is_object()) fail("{}: holds no object", where);
  const Reader reader(json, where);
  if (const auto format = reader.count("format"); format != 1)
    fail("{}: 'format' is {}, this program reads 1", where, format);
  TrainerState s;
  s.stage_index = reader.count("stage_index", kMaxStage);
  s.stage = reader.text("stage");
  s.step = reader.count("step");
  s.global_step = reader.count("global_step");
  s.cursor = static_cast<std::uint64_t>(reader.count("cursor", kMaxCursor));
  s.updates = reader.count("updates");
  s.num_tokens = reader.count("num_tokens");
  s.entropy_coef = reader.number("entropy_coef");
  if (json.contains("best_metric")) s.best_metric = reader.number("best_metric");
  s.best_global_step = reader.count("best_global_step");
  const Json& offsets = reader.at("offsets");
  if (!offsets.is_object()) reader.wrong(offsets, "offsets", "an object");
  for (const auto& [file, bytes] : offsets.items())
    s.offsets[file] = reader.count(bytes, "offsets." + file, Reader::kMaxCount);
  s.cpu_body = reader.text("cpu_body");
  s.config = reader.texts("config");
  s.data = reader.text("data");
  s.versions = reader.texts("versions");
  if (s.global_step < s.step || s.global_step < s.best_global_step)
    fail("{}: 'global_step' is {}, less than 'step' {} or 'best_global_step' {}", where,
         s.global_step, s.step, s.best_global_step);
  return s;
}

}  // namespace aha
