#include "rewards/latex_commands.h"

#include <algorithm>

namespace aha {
namespace {

/// In the order of their bytes.
// clang-format off
constexpr std::string_view kCommands[] = {
    "Bbb", "Big", "Bigg", "Biggl", "Biggr", "Bigl", "Bigm", "Bigr", "Box", "Delta", "Diamond", "Downarrow", "Gamma",
    "Huge", "Im", "LARGE", "Lambda", "Large", "Leftarrow", "Leftrightarrow", "Longleftarrow", "Longleftrightarrow",
    "Longrightarrow", "Omega", "Phi", "Pi", "Pr", "Psi", "Re", "Rightarrow", "Sigma", "Theta", "Uparrow", "Upsilon",
    "Vdash", "Vert", "Xi", "above", "acute", "aleph", "alpha", "amalg", "angle", "approx", "approxeq", "arccos",
    "arcsin", "arctan", "arg", "ast", "asymp", "atop", "backprime", "backslash", "bar", "bcancel", "because", "begin",
    "beta", "beth", "bf", "big", "bigcap", "bigcup", "bigg", "biggl", "biggr", "bigl", "bigm", "bigoplus",
    "bigotimes", "bigr", "bigsqcup", "bigstar", "bigvee", "bigwedge", "binom", "blacksquare", "blacktriangle", "bm",
    "bmod", "boldsymbol", "bot", "boxed", "breve", "bullet", "cal", "cancel", "cap", "cbrt", "cdot", "cdotp", "cdots",
    "centering", "cfrac", "check", "checkmark", "chi", "choose", "circ", "cline", "colon", "coloneqq", "color",
    "colorbox", "complement", "cong", "coprod", "copyright", "cos", "cosh", "cot", "coth", "cr", "csc", "cup",
    "dagger", "dashv", "dbinom", "ddagger", "dddot", "ddot", "ddots", "deg", "degree", "delta", "det", "dfrac",
    "diamond", "digamma", "dim", "displaystyle", "div", "dollar", "dot", "doteq", "dots", "dotsb", "dotsc", "dotsi",
    "dotsm", "dotso", "downarrow", "ell", "emph", "emptyset", "end", "enspace", "ensuremath", "epsilon", "eqref",
    "equiv", "eta", "eth", "euro", "exists", "exp", "fbox", "flat", "footnotesize", "forall", "frac", "frak",
    "framebox", "gamma", "gcd", "ge", "geq", "geqq", "geqslant", "gets", "gg", "ggg", "grave", "gt", "hat", "hbar",
    "hbox", "hfill", "hline", "hom", "hookleftarrow", "hookrightarrow", "hphantom", "hslash", "hspace", "huge", "iff",
    "iiint", "iint", "imath", "impliedby", "implies", "in", "indent", "inf", "infty", "injlim", "int", "intertext",
    "iota", "it", "item", "jmath", "kappa", "ker", "lVert", "label", "lambda", "land", "langle", "large", "lbrace",
    "lbrack", "lceil", "lcm", "ldotp", "ldots", "le", "leadsto", "left", "leftarrow", "leftharpoonup",
    "leftrightarrow", "leq", "leqq", "leqslant", "lfloor", "lg", "lgroup", "lim", "liminf", "limits", "limsup",
    "linebreak", "ll", "lll", "ln", "lnot", "log", "longleftarrow", "longleftrightarrow", "longmapsto",
    "longrightarrow", "lor", "lozenge", "lt", "ltimes", "lvert", "mapsto", "mathbb", "mathbf", "mathbin", "mathcal",
    "mathfrak", "mathit", "mathnormal", "mathop", "mathord", "mathrel", "mathring", "mathrm", "mathscr", "mathsf",
    "mathstrut", "mathtt", "max", "mbox", "measuredangle", "medspace", "mho", "mid", "middle", "min", "mod", "models",
    "mp", "mu", "multicolumn", "nabla", "natural", "ne", "nearrow", "neg", "negthinspace", "neq", "newline",
    "nexists", "ngeq", "ngtr", "ni", "nleq", "nless", "nmid", "noindent", "nolimits", "nonumber", "normalsize", "not",
    "notag", "notin", "nparallel", "nsubseteq", "nu", "nwarrow", "odot", "oint", "omega", "omicron", "ominus",
    "operatorname", "oplus", "oslash", "otimes", "over", "overbrace", "overleftarrow", "overline", "overrightarrow",
    "overset", "par", "parallel", "partial", "percent", "perp", "phantom", "phi", "pi", "pm", "pmod", "pod", "pounds",
    "prec", "preceq", "prime", "prod", "projlim", "propto", "psi", "qquad", "quad", "rVert", "raisebox", "rangle",
    "rbrace", "rbrack", "rceil", "ref", "rfloor", "rgroup", "rho", "right", "rightarrow", "rightharpoonup",
    "rightleftharpoons", "rightsquigarrow", "rm", "root", "rtimes", "rule", "rvert", "sc", "scriptscriptstyle",
    "scriptsize", "scriptstyle", "searrow", "sec", "setminus", "sf", "sharp", "sigma", "sim", "simeq", "sin", "sinh",
    "small", "smallsetminus", "smash", "sout", "space", "sphericalangle", "sqcap", "sqcup", "sqrt", "sqsubseteq",
    "square", "stackrel", "star", "strut", "subset", "subseteq", "subsetneq", "substack", "succ", "succeq", "sum",
    "sup", "supset", "supseteq", "supsetneq", "surd", "swarrow", "tag", "tan", "tanh", "tau", "tbinom", "text",
    "textbf", "textcolor", "textdegree", "textdollar", "textit", "textmd", "textnormal", "textpercent", "textrm",
    "textsc", "textsf", "textstyle", "texttt", "textup", "tfrac", "therefore", "theta", "thickspace", "thinspace",
    "tilde", "times", "tiny", "to", "top", "triangle", "triangleq", "tt", "underbrace", "underline", "underset",
    "uparrow", "updownarrow", "uplus", "upsilon", "varDelta", "varGamma", "varepsilon", "varkappa", "varnothing",
    "varphi", "varpi", "varrho", "varsigma", "vartheta", "vdash", "vdots", "vec", "vee", "vert", "vfill", "vphantom",
    "vspace", "wedge", "widehat", "widetilde", "wp", "wr", "xcancel", "xi", "xleftarrow", "xrightarrow", "zeta",
};
// clang-format on
static_assert(std::is_sorted(std::begin(kCommands), std::end(kCommands)));

}  // namespace

bool is_latex_command(std::string_view name) {
  return std::binary_search(std::begin(kCommands), std::end(kCommands), name);
}

}  // namespace aha
