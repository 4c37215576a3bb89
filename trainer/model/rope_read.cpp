#include "trainer/model/rope_read.h"

#include <algorithm>
#include <array>
#include <span>

namespace aha {
namespace {

using Kind = RopeScaling::Kind;

/// A rope_type with the keys that it has besides those that all have.
struct RopeType {
  std::string_view name;
  Kind kind;
  std::span<const std::string_view> keys;
};

constexpr std::array<std::string_view, 1> kLinearKeys{"factor"};
constexpr std::array<std::string_view, 4> kLlama3Keys{
    "factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"};
constexpr std::array<std::string_view, 5> kLongRopeKeys{"factor", "short_factor", "long_factor",
                                                        "attention_factor",
                                                        "original_max_position_embeddings"};
constexpr std::array<std::string_view, 4> kCommonKeys{"rope_type", "type", "rope_theta",
                                                      "partial_rotary_factor"};
constexpr std::array<RopeType, 4> kTypes{{{"default", Kind::None, {}},
                                          {"linear", Kind::Linear, kLinearKeys},
                                          {"llama3", Kind::Llama3, kLlama3Keys},
                                          {"longrope", Kind::LongRope, kLongRopeKeys}}};

bool contains(std::span<const std::string_view> keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

const RopeType* find_type(std::string_view name, bool phi3) {
  // transformers reads these two in early Phi-3 files so
  if (phi3 && (name == "su" || name == "yarn")) name = "longrope";
  for (const auto& type : kTypes)
    if (type.name == name && (!phi3 || type.kind == Kind::None || type.kind == Kind::LongRope))
      return &type;
  return nullptr;
}

/// The type that an object names; null, and a problem, when it is none of ours.
const RopeType* read_type(const ConfigReader& rope, bool phi3) {
  const char* key = rope.has("rope_type") ? "rope_type" : "type";
  const auto* value = rope.find(key);
  if (value == nullptr) return &kTypes.front();
  const auto* type =
      value->is_string() ? find_type(value->get_ref<const std::string&>(), phi3) : nullptr;
  if (type == nullptr)
    rope.wrong(key, phi3 ? "\"default\" or \"longrope\""
                         : "\"default\", \"linear\", \"llama3\" or \"longrope\"");
  else if (rope.has("type") && *rope.find("type") != *value)
    rope.wrong("type", shown(*value) + " as 'rope_type' says");
  return type;
}

void read_numbers(const ConfigReader& rope, const char* key, std::vector<double>& out) {
  const auto* value = rope.find(key);
  if (value == nullptr) return rope.missing(key, "a list of numbers");
  if (!value->is_array() || !std::all_of(value->begin(), value->end(),
                                         [](const Json& entry) { return entry.is_number(); }))
    return rope.wrong(key, "a list of numbers");
  out = value->get<std::vector<double>>();
}

void read_optional(const ConfigReader& rope, const char* key, std::optional<double>& out) {
  if (!rope.has(key)) return;
  double value = 0;
  rope.number(key, value);
  out = value;
}

void read_needed(const ConfigReader& rope, const char* key, double& out) {
  if (rope.has(key))
    rope.number(key, out);
  else
    rope.missing(key, "a number");
}

/// phi3 has its original context at the top and 4096 where nothing is said; elsewhere it stands in
/// the object.
void read_original(const ConfigReader& in, const ConfigReader& rope, const ModelConfig& c,
                   RopeScaling& s) {
  constexpr const char* kKey = "original_max_position_embeddings";
  s.original_positions = c.model_type == "phi3" ? 4096 : c.max_position_embeddings;
  in.integer(kKey, s.original_positions);
  const auto outer = s.original_positions;
  rope.integer(kKey, s.original_positions);
  if (outer != s.original_positions && (in.has(kKey) || c.model_type == "phi3"))
    rope.wrong(kKey, fmt::format("{}: the value beside the object{} is the one that counts", outer,
                                 in.has(kKey) ? "" : ", 4096 where there is none,"));
}

RopeScaling read_scaling(const ConfigReader& in, const ConfigReader& rope, const ModelConfig& c) {
  RopeScaling s;
  const auto* type = read_type(rope, c.model_type == "phi3");
  if (type == nullptr) return s;
  for (const auto& [key, value] : rope.object().items())
    if (!value.is_null() && !contains(kCommonKeys, key) && !contains(type->keys, key))
      rope.unknown(key, value, fmt::format("rope_type \"{}\" has no such key", type->name));
  s.kind = type->kind;
  if (s.kind == Kind::None) return s;
  read_optional(rope, "factor", s.factor);
  if (s.kind != Kind::LongRope && !rope.has("factor")) rope.missing("factor", "a number");
  if (s.kind == Kind::Llama3) {
    read_needed(rope, "low_freq_factor", s.low_freq_factor);
    read_needed(rope, "high_freq_factor", s.high_freq_factor);
  }
  if (s.kind == Kind::LongRope) {
    read_numbers(rope, "short_factor", s.short_factor);
    read_numbers(rope, "long_factor", s.long_factor);
    read_optional(rope, "attention_factor", s.attention_factor);
  }
  if (s.kind != Kind::Linear) read_original(in, rope, c, s);
  return s;
}

/// The objects that hold scalings, or may.
constexpr std::array<const char*, 2> kObjects{"rope_scaling", "rope_parameters"};

/// A number that stands at the top, inside one of the objects, or both.
void read_everywhere(const ConfigReader& in, ModelProblems& problems, const char* key,
                     double& out) {
  in.number(key, out);
  for (const char* object : kObjects) {
    const auto* inner = in.find(object);
    if (inner == nullptr || !inner->is_object()) continue;
    const ConfigReader rope(*inner, problems, std::string(object) + ".");
    const double outer = out;
    rope.number(key, out);
    if (in.has(key) && outer != out)
      problems.add("'{}.{}' is {} but '{}' is {}, expected the same", object, key, out, key, outer);
  }
}

}  // namespace

std::string_view rope_type_name(Kind kind) {
  return std::find_if(kTypes.begin(), kTypes.end(),
                      [&](const RopeType& type) { return type.kind == kind; })
      ->name;
}

void read_rope(const ConfigReader& in, ModelProblems& problems, ModelConfig& c) {
  read_everywhere(in, problems, "rope_theta", c.rope_theta);
  read_everywhere(in, problems, "partial_rotary_factor", c.partial_rotary_factor);
  if (c.model_type != "phi3" && c.partial_rotary_factor != 1.0)
    problems.add("'partial_rotary_factor' is {}, expected 1.0", c.partial_rotary_factor);
  const char* before = nullptr;
  for (const char* key : kObjects) {
    const auto* value = in.find(key);
    if (value == nullptr) continue;
    if (!value->is_object()) {
      in.wrong(key, "an object or null");
      continue;
    }
    auto scaling = read_scaling(in, ConfigReader(*value, problems, std::string(key) + "."), c);
    if (before != nullptr && scaling != c.rope_scaling)
      in.wrong(key, fmt::format("the same scaling as in '{}'", before));
    c.rope_scaling = std::move(scaling);
    before = key;
  }
}

}  // namespace aha
