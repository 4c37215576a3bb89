#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace aha {

using Json = nlohmann::json;
/// Keeps the order of keys: for what is written.
using OrderedJson = nlohmann::ordered_json;

/// Parses one JSON text (nesting depth at most 200, so that hostile input cannot overflow the stack).
/// UserError "WHERE: not valid JSON: ..." on failure.
Json parse_json(std::string_view text, std::string_view where);

/// Reads and parses a whole JSON file.
Json read_json(const std::filesystem::path& path);

/// Compact text of one line; invalid UTF-8 is replaced by U+FFFD, so writing never throws.
std::string dump_line(const OrderedJson& value);
std::string dump_line(const Json& value);

}  // namespace aha
