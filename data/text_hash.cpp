#include "data/text_hash.h"

namespace aha {

std::uint64_t text_hash(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3ULL;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53ULL;
  hash ^= hash >> 33;
  return hash;
}

std::uint64_t question_hash(const Json& row, const std::string& field) {
  const auto found = row.find(field);
  if (found == row.end()) return text_hash(dump_line(row));
  return text_hash(found->is_string() ? found->get_ref<const std::string&>() : dump_line(*found));
}

}  // namespace aha
