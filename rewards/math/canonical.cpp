#include "rewards/math/canonical.h"

#include <algorithm>
#include <map>

#include "rewards/math/meaning.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

using Renamed = std::map<std::string, std::string>;

std::string spelled(const Tree& tree, Ref ref, const Renamed& renamed);

std::vector<std::string> all(const Tree& tree, const Node& node, const Renamed& renamed) {
  std::vector<std::string> parts;
  parts.reserve(node.items.size());
  for (const auto item : node.items)
    parts.push_back(spelled(tree, item, renamed));
  return parts;
}

std::string joined(const std::string& head, const std::vector<std::string>& parts) {
  auto text = head + "(";
  for (const auto& part : parts)
    text += part + ",";
  return text + ")";
}

/// A sum or product: its numbers as one, the rest sorted.
std::string folded(const Tree& tree, const Node& node, const Renamed& renamed) {
  const bool sum = node.kind == Kind::Sum;
  Fraction number = sum ? 0 : 1;
  std::vector<std::string> parts;
  std::vector<std::string> matrices;  // their order counts in a product
  for (const auto item : node.items) {
    if (!sum && is_matrix(tree, item))
      matrices.push_back(spelled(tree, item, renamed));
    else if (tree[item].kind != Kind::Number)
      parts.push_back(spelled(tree, item, renamed));
    else if (sum)
      number += tree[item].value;
    else
      number *= tree[item].value;
  }
  std::sort(parts.begin(), parts.end());
  parts.insert(parts.end(), matrices.begin(), matrices.end());
  if (number != (sum ? 0 : 1) || parts.empty()) parts.push_back(number.str());
  return parts.size() == 1 ? parts[0] : joined(sum ? "+" : "*", parts);
}

std::string spelled(const Tree& tree, Ref ref, const Renamed& renamed) {
  const auto& node = tree[ref];
  switch (node.kind) {
    case Kind::Number:
      return node.value.str();
    case Kind::Constant:
      return "$" + node.name;
    case Kind::Text:
      return "'" + plain_words(node.name) + "'";
    case Kind::Symbol: {
      const auto found = renamed.find(node.name);
      return found == renamed.end() ? node.name : found->second;
    }
    case Kind::Sum:
    case Kind::Product:
      return folded(tree, node, renamed);
    case Kind::Remarked:
      return joined("'" + node.name + "'", all(tree, node, renamed));
    case Kind::Set:
    case Kind::List: {
      auto parts = all(tree, node, renamed);
      std::sort(parts.begin(), parts.end());
      parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
      return joined("set" + node.name, parts);
    }
    case Kind::Series: {
      auto inner = renamed;
      inner[tree[node.items[0]].name] = "#" + std::to_string(renamed.size());
      return joined(node.name,
                    {spelled(tree, node.items[1], renamed), spelled(tree, node.items[2], renamed),
                     spelled(tree, node.items[3], inner)});
    }
    case Kind::BaseNumber:
      return joined("base" + node.value.str(), all(tree, node, renamed));
    case Kind::Matrix:
      return joined("matrix" + std::to_string(node.columns), all(tree, node, renamed));
    case Kind::Power:
      return joined("^", all(tree, node, renamed));
    case Kind::Percent:
      return joined("%", all(tree, node, renamed));
    case Kind::Apply:
      return joined("apply", all(tree, node, renamed));
    case Kind::SetOperation: {
      auto parts = all(tree, node, renamed);
      if (node.name != "minus") std::sort(parts.begin(), parts.end());
      return joined(node.name, parts);
    }
    case Kind::PlusMinus:
    case Kind::Function:
    case Kind::Tuple:
    case Kind::Relation:
      return joined(node.name, all(tree, node, renamed));
  }
  return {};
}

void collect(const Tree& tree, Ref ref, std::set<std::string>& found, Renamed& bound) {
  const auto& node = tree[ref];
  if (is_unknown(tree, ref)) {
    if (node.kind != Kind::Symbol || !bound.contains(node.name)) found.insert(canonical(tree, ref));
    return;
  }
  if (node.kind == Kind::Series) {
    const auto [place, fresh] = bound.emplace(tree[node.items[0]].name, "");
    for (const auto item : node.items)
      collect(tree, item, found, bound);
    if (fresh) bound.erase(place);
    return;
  }
  for (const auto item : node.items)
    collect(tree, item, found, bound);
}

std::string_view letters_at(std::string_view text, std::size_t at) {
  auto end = at;
  while (end < text.size() && is_letter(text[end]))
    ++end;
  return text.substr(at, end - at);
}

/// One or two letters are names, whose case counts: p, AB.
bool is_name(std::string_view run) {
  constexpr std::string_view kWords[] = {"a",  "am", "an", "as", "at", "be", "by", "do", "if",
                                         "in", "is", "it", "no", "of", "on", "or", "so", "to"};
  return run.size() < 3 && !holds(kWords, run.size() == 1 ? std::string(run) : lower(run));
}

/// "an" of an ellipse; the A of "A and C" is a name.
bool is_article(std::string_view run, std::string_view after, bool first) {
  if (run.size() > 3 || after.empty() || !is_space(after[0])) return false;
  const auto word = first ? lower(run) : std::string(run);
  if (word != "a" && word != "an" && word != "the") return false;
  after = trimmed(after);
  const auto next = letters_at(after, 0);
  return next.size() > 2 && lower(next) != "and";
}

}  // namespace

std::string canonical(const Tree& tree, Ref ref) {
  return spelled(tree, ref, {});
}

bool is_unknown(const Tree& tree, Ref ref) {
  const auto& node = tree[ref];
  return node.kind == Kind::Symbol || node.kind == Kind::Apply ||
         (node.kind == Kind::Function &&
          (node.name == "int" || node.name == "lim" || node.name == "derivative" ||
           node.name == "norm" || node.name == "cross" || node.name == "dim" ||
           node.name == "ker"));
}

std::set<std::string> unknowns(const Tree& tree, Ref ref) {
  std::set<std::string> found;
  Renamed bound;
  collect(tree, ref, found, bound);
  return found;
}

std::string plain_words(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (const auto run = letters_at(text, at); !run.empty()) {
      at += run.size();
      if (is_article(run, text.substr(at), plain.empty())) continue;
      plain += is_name(run) ? std::string(run) : lower(run);
    } else if (is_space(c) || c == '~') {
      while (at < text.size() && (is_space(text[at]) || text[at] == '~'))
        ++at;
      const char after = at < text.size() ? text[at] : '\0';
      if (!plain.empty() && is_digit(plain.back()) && is_digit(after)) plain += ' ';
    } else {
      const bool command = c == '\\';
      const bool full_stop = c == '.' && !is_digit(next);
      if (!command && !full_stop && c != '*' && c != '$') plain += c;
      at += command && next != '\0' && !(next >= 'a' && next <= 'z') ? 2 : 1;
    }
  }
  return plain;
}

}  // namespace aha::math
