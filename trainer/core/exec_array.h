#pragma once
#include <string>
#include <vector>

namespace aha {

/// Texts as exec takes them: a pointer to each, which lives as long as `texts` is left alone, and null.
inline std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace aha
