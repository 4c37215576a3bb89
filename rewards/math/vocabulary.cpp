#include <algorithm>
#include <array>
#include <unordered_map>

#include "rewards/math/vocabulary_entry.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr Entry kCommands[] = {
    {"frac", K::Command},
    {"dfrac", K::Command, "frac"},
    {"tfrac", K::Command, "frac"},
    {"cfrac", K::Command, "frac"},
    {"nicefrac", K::Command, "frac"},
    {"sfrac", K::Command, "frac"},
    {"sqrt", K::Command},
    {"cbrt", K::Command},
    {"binom", K::Command},
    {"dbinom", K::Command, "binom"},
    {"tbinom", K::Command, "binom"},
    {"begin", K::Command},
    {"end", K::Command},
    {"sum", K::Command},
    {"prod", K::Command},
    {"int", K::Command},
    {"iint", K::Command, "int"},
    {"iiint", K::Command, "int"},
    {"oint", K::Command, "int"},
    {"lim", K::Command},
    {"pmod", K::Command},
    {"boxed", K::Wrapper},
    {"fbox", K::Wrapper},
    {"mathbf", K::Wrapper},
    {"mathit", K::Wrapper},
    {"mathcal", K::Wrapper},
    {"mathscr", K::Wrapper},
    {"mathsf", K::Wrapper},
    {"boldsymbol", K::Wrapper},
    {"bm", K::Wrapper},
    {"vec", K::Wrapper},
    {"hat", K::Command},
    {"bar", K::Command},
    {"overline", K::Command, "bar"},
    {"overrightarrow", K::Wrapper},
    {"widehat", K::Command, "hat"},
    {"tilde", K::Command},
    {"underline", K::Wrapper},
    {"ensuremath", K::Wrapper},
    {"cdot", K::Operator, "*"},
    {"times", K::Operator, "x"},
    {"ast", K::Operator, "*"},
    {"div", K::Operator, "/"},
    {"over", K::Operator, "o"},
    {"choose", K::Operator, "C"},
    {"pm", K::Operator, "p"},
    {"mp", K::Operator, "q"},
    {"bmod", K::Operator, "m"},
    {"mod", K::Operator, "m"},
    {"cr", K::Operator, "#"},
    {"le", K::Relation, "L"},
    {"leq", K::Relation, "L"},
    {"leqslant", K::Relation, "L"},
    {"ge", K::Relation, "G"},
    {"geq", K::Relation, "G"},
    {"geqslant", K::Relation, "G"},
    {"geqq", K::Relation, "G"},
    {"leqq", K::Relation, "L"},
    {"lt", K::Relation, "<"},
    {"gt", K::Relation, ">"},
    {"ne", K::Relation, "!"},
    {"neq", K::Relation, "!"},
    {"approx", K::Relation, "~"},
    {"simeq", K::Relation, "~"},
    {"cong", K::Relation, "~"},
    {"equiv", K::Relation, "c"},
    {"in", K::Relation, "e"},
    {"mid", K::Relation, "|"},
    {"to", K::Relation, "a"},
    {"rightarrow", K::Relation, "a"},
    {"longrightarrow", K::Relation, "a"},
    {"mapsto", K::Relation, "m"},
    {"leftarrow", K::Relation, "b"},
    {"leftrightarrow", K::Relation, "J"},
    {"notin", K::Relation, "n"},
    {"ni", K::Relation, "N"},
    {"subset", K::Relation, "s"},
    {"subseteq", K::Relation, "S"},
    {"subsetneq", K::Relation, "s"},
    {"supset", K::Relation, "r"},
    {"supseteq", K::Relation, "R"},
    {"propto", K::Relation, "p"},
    {"sim", K::Relation, "t"},
    {"ll", K::Relation, "k"},
    {"gg", K::Relation, "K"},
    {"colon", K::Relation, ":"},
    {"parallel", K::Relation, "P"},
    {"perp", K::Relation, "T"},
    {"implies", K::Relation, "I"},
    {"Rightarrow", K::Relation, "I"},
    {"Longrightarrow", K::Relation, "I"},
    {"iff", K::Relation, "J"},
    {"Leftrightarrow", K::Relation, "J"},
    {"cup", K::SetSign, "union"},
    {"bigcup", K::SetSign, "union"},
    {"cap", K::SetSign, "intersection"},
    {"setminus", K::SetSign, "minus"},
    {"backslash", K::SetSign, "minus"},
    {"lbrace", K::Open, "S"},
    {"rbrace", K::Close, "S"},
    {"langle", K::Open, "a"},
    {"rangle", K::Close, "a"},
    {"lfloor", K::Open, "f"},
    {"rfloor", K::Close, "f"},
    {"lceil", K::Open, "c"},
    {"rceil", K::Close, "c"},
    {"lbrack", K::Open, "["},
    {"rbrack", K::Close, "]"},
    {"lparen", K::Open, "("},
    {"rparen", K::Close, ")"},
    {"vert", K::Bar, "|"},
    {"lvert", K::Bar, "|"},
    {"rvert", K::Bar, "|"},
    {"Vert", K::Bar, "||"},
    {"lVert", K::Bar, "||"},
    {"rVert", K::Bar, "||"},
    {"circ", K::Degree},
    {"degree", K::Degree},
    {"prime", K::Prime},
    {"dots", K::Ellipsis},
    {"ldots", K::Ellipsis},
    {"cdots", K::Ellipsis},
    {"dotsc", K::Ellipsis},
    {"dotsb", K::Ellipsis},
    {"dotsm", K::Ellipsis},
    {"vdots", K::Ellipsis},
    {"ddots", K::Ellipsis},
    {"land", K::Separator},
    {"wedge", K::Separator},
    {"lor", K::Separator},
    {"vee", K::Separator},
    {"infty", K::Constant, "infinity"},
    {"pi", K::Constant},
    {"imath", K::Constant, "i"},
    {"emptyset", K::Constant, "empty"},
    {"varnothing", K::Constant, "empty"},
    {"varepsilon", K::Symbol, "epsilon"},
    {"vartheta", K::Symbol, "theta"},
    {"varphi", K::Symbol, "phi"},
    {"angle", K::Command},
    {"triangle", K::Command},
    {"tg", K::Function, "tan"},
    {"ctg", K::Function, "cot"},
    {"arctg", K::Function, "arctan"},
    {"arcctg", K::Function, "arccot"},
    {"cosec", K::Function, "csc"},
    {"forall", K::Symbol},
    {"top", K::Symbol},
    {"intercal", K::Symbol},
    {"neg", K::Symbol},
    {"lnot", K::Symbol, "neg"},
    {"exists", K::Symbol},
};

/// Spacing, sizes and the like.
constexpr std::string_view kSkipped[] = {
    "left",        "right",        "big",         "Big",           "bigg",
    "Bigg",        "bigl",         "bigr",        "Bigl",          "Bigr",
    "biggl",       "biggr",        "middle",      "displaystyle",  "textstyle",
    "scriptstyle", "limits",       "nolimits",    "quad",          "qquad",
    "bf",          "tiny",         "small",       "normalsize",    "large",
    "Large",       "LARGE",        "huge",        "Huge",          "rm",
    "it",          "tt",           "therefore",   "checkmark",     "blacksquare",
    "hline",       "nonumber",     "space",       "thinspace",     "medspace",
    "thickspace",  "negthinspace", "negmedspace", "negthickspace", "enspace"};

constexpr std::string_view kFunctions[] = {
    "sin",  "cos",    "tan",    "sec",    "csc",    "cot",    "sinh",   "cosh",
    "tanh", "arcsin", "arccos", "arctan", "arcsec", "arccsc", "arccot", "ln",
    "log",  "lg",     "exp",    "max",    "min",    "gcd",    "lcm",    "det",
    "arg",  "Re",     "Im",     "deg",    "dim",    "ker",    "cis"};

constexpr Entry kWords[] = {
    {"and", K::Separator},
    {"or", K::Separator},
    {"percent", K::Percent},
    {"pct", K::Percent},
    {"degrees", K::Degree},
    {"degree", K::Degree},
    {"deg", K::Degree},
    {"pi", K::Constant},
    {"infinity", K::Constant},
    {"infty", K::Constant, "infinity"},
    {"inf", K::Constant, "infinity"},
    {"oo", K::Constant, "infinity"},
    {"sqrt", K::Command},
    {"cbrt", K::Command},
    {"frac", K::Command},
    {"abs", K::Function},
    {"floor", K::Function},
    {"ceil", K::Function},
    {"asin", K::Function, "arcsin"},
    {"acos", K::Function, "arccos"},
    {"atan", K::Function, "arctan"},
    {"times", K::Operator, "*"},
    {"mod", K::Operator, "m"},
    {"union", K::SetSign},
    {"theta", K::Symbol},
    {"alpha", K::Symbol},
    {"beta", K::Symbol},
    {"gamma", K::Symbol},
    {"lambda", K::Symbol},
    {"omega", K::Symbol},
    {"phi", K::Symbol},
    {"emptyset", K::Constant, "empty"},
};

constexpr std::string_view kTextCommands[] = {
    "text",   "mbox", "textbf", "textit", "textrm",       "textnormal", "textsc", "texttt",
    "textsf", "emph", "hbox",   "mathrm", "operatorname", "textup",     "mathop", "pmb"};

constexpr std::string_view kShortUnits[] = {
    "mm", "cm",  "dm",  "km",  "in",  "ft",  "yd",  "mi",  "mg",  "kg",  "lb",  "lbs", "oz",
    "ml", "mL",  "cc",  "ms",  "sec", "min", "hr",  "hrs", "day", "mph", "kph", "sq",  "cu",
    "Hz", "kW",  "kJ",  "km",  "eV",  "mol", "atm", "rad", "deg", "yen", "usd", "USD", "am",
    "pm", "gal", "pts", "man", "men", "dog", "cat", "box", "car", "egg", "pen"};

constexpr std::string_view kLetterUnits[] = {"m", "s", "g", "h", "L"};

using Index = std::unordered_map<std::string_view, Meaning>;

void insert(Index& index, const Entry& entry) {
  index.emplace(entry.word, Meaning{entry.kind, entry.text.empty() ? entry.word : entry.text});
}

Index index_of(bool commands) {
  Index index;
  if (commands) {
    for (const auto& entry : kCommands)
      insert(index, entry);
    for (const auto name : kSkipped)
      index.emplace(name, Meaning{K::Skip, name});
  } else {
    for (const auto& entry : kWords)
      insert(index, entry);
  }
  for (const auto name : kFunctions)
    index.emplace(name, Meaning{K::Function, name});
  return index;
}

std::optional<Meaning> found_in(const Index& index, std::string_view word) {
  const auto found = index.find(word);
  if (found == index.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::optional<Meaning> command_meaning(std::string_view name) {
  static const Index index = index_of(true);
  return found_in(index, name);
}

std::optional<Meaning> word_meaning(std::string_view word) {
  static const Index index = index_of(false);
  return found_in(index, word);
}

bool is_text_command(std::string_view name) {
  return holds(kTextCommands, name);
}

bool is_short_unit(std::string_view word) {
  return holds(kShortUnits, word);
}

bool is_letter_unit(std::string_view name) {
  return holds(kLetterUnits, name);
}

}  // namespace aha::math
