#include "rewards/latex_commands.h"

#include <algorithm>

namespace aha {
namespace {

/// In the order of their bytes.
// clang-format off
constexpr std::string_view kCommands[] = {
    "Alpha", "Bbb", "Bbbk", "Beta", "Big", "Bigg", "Biggl", "Biggr", "Bigl", "Bigm", "Bigr", "Box", "Bumpeq", "Cap",
    "Cup", "Delta", "Diamond", "Doteq", "Downarrow", "Finv", "Gamma", "Huge", "Im", "LARGE", "Lambda", "Large",
    "Leftarrow", "Leftrightarrow", "Longleftarrow", "Longleftrightarrow", "Longrightarrow", "Lsh", "Mu", "Nu",
    "Omega", "Phi", "Pi", "Pr", "Psi", "Re", "Rightarrow", "Rsh", "Sigma", "Theta", "Uparrow", "Updownarrow",
    "Upsilon", "Vdash", "Vert", "Vvdash", "Xi", "above", "acute", "aleph", "allowbreak", "allowdisplaybreaks",
    "alpha", "amalg", "angle", "approx", "approxeq", "arccos", "arcctg", "arcsin", "arcsinh", "arctan", "arctg",
    "arg", "argmax", "argmin", "ast", "asymp", "atop", "backepsilon", "backprime", "backsim", "backsimeq",
    "backslash", "bar", "barwedge", "bcancel", "because", "begin", "beta", "beth", "bf", "big", "bigcap", "bigcirc",
    "bigcup", "bigg", "biggl", "biggr", "bigl", "bigm", "bigodot", "bigoplus", "bigotimes", "bigr", "bigskip",
    "bigsqcup", "bigstar", "bigtriangledown", "bigtriangleup", "biguplus", "bigvee", "bigwedge", "binom",
    "blacklozenge", "blacksquare", "blacktriangle", "blacktriangledown", "blacktriangleleft", "blacktriangleright",
    "bm", "bmod", "boldsymbol", "bot", "bowtie", "boxdot", "boxed", "boxminus", "boxplus", "boxtimes", "breve",
    "bullet", "bumpeq", "cal", "cancel", "cap", "cbrt", "cdot", "cdotp", "cdots", "celsius", "centering", "cfrac",
    "ch", "check", "checkmark", "chi", "choose", "circ", "circeq", "circlearrowright", "circledast", "circledcirc",
    "circleddash", "clearpage", "cline", "colon", "coloneqq", "color", "colorbox", "complement", "cong", "coprod",
    "copyright", "cos", "cosec", "cosh", "cot", "coth", "cr", "csc", "ctg", "cup", "curlyeqprec", "curlyvee",
    "curlywedge", "curvearrowright", "dagger", "daleth", "dashv", "dbinom", "dd", "ddagger", "ddddot", "dddot",
    "ddot", "ddots", "deg", "degree", "delta", "det", "dfrac", "diag", "diamond", "digamma", "dim", "displaystyle",
    "div", "divideontimes", "dollar", "dot", "doteq", "doteqdot", "dotfill", "dotplus", "dots", "dotsb", "dotsc",
    "dotsi", "dotsm", "dotso", "doublecap", "downarrow", "dv", "ell", "emph", "emptyset", "end", "enspace",
    "ensuremath", "enumerate", "epsilon", "eqcirc", "eqref", "equiv", "eta", "eth", "euro", "exists", "exp",
    "fallingdotseq", "fbox", "fboxsep", "flat", "footnotesize", "forall", "frac", "frak", "framebox", "frown",
    "gamma", "gcd", "ge", "genfrac", "geq", "geqq", "geqslant", "gets", "gg", "ggg", "gimel", "gneq", "gneqq",
    "grave", "gt", "gtrapprox", "gtrless", "gtrsim", "hat", "hbar", "hbox", "hdots", "hfil", "hfill", "hline", "hom",
    "hookleftarrow", "hookrightarrow", "hphantom", "hrulefill", "hskip", "hslash", "hspace", "huge", "idotsint",
    "iff", "iiiint", "iiint", "iint", "imath", "impliedby", "implies", "in", "indent", "inf", "infty", "injlim",
    "int", "intercal", "intertext", "iota", "it", "item", "jmath", "kappa", "ker", "kern", "lVert", "label", "lambda",
    "land", "langle", "large", "lbrace", "lbrack", "lceil", "lcm", "ldotp", "ldots", "le", "leadsto", "left",
    "leftarrow", "leftharpoondown", "leftharpoonup", "leftleftarrows", "leftrightarrow", "leftrightarrows", "leq",
    "leqq", "leqslant", "lessapprox", "lesseqgtr", "lessgtr", "lesssim", "lfloor", "lg", "lgroup", "lim", "liminf",
    "limits", "limsup", "linebreak", "ll", "llcorner", "lll", "ln", "lneq", "lneqq", "lnot", "log", "longleftarrow",
    "longleftrightarrow", "longmapsto", "longrightarrow", "looparrowright", "lor", "lozenge", "lparen", "lrcorner",
    "lt", "ltimes", "lvert", "mapsto", "mathbb", "mathbbm", "mathbf", "mathbin", "mathcal", "mathchoice", "mathclose",
    "mathds", "mathfrak", "mathinner", "mathit", "mathnormal", "mathop", "mathopen", "mathord", "mathpalette",
    "mathpunct", "mathrel", "mathring", "mathrm", "mathscr", "mathsf", "mathstrut", "mathtt", "max", "mbox",
    "measuredangle", "medskip", "medspace", "mho", "mid", "middle", "min", "mkern", "mod", "models", "mp", "mskip",
    "mu", "multicolumn", "multimap", "nLeftarrow", "nLeftrightarrow", "nRightarrow", "nVdash", "nabla", "natural",
    "ncong", "ne", "nearrow", "neg", "negmedspace", "negthickspace", "negthinspace", "neq", "newline", "newpage",
    "nexists", "ngeq", "ngeqslant", "ngtr", "ni", "nicefrac", "nleftarrow", "nleftrightarrow", "nleq", "nleqslant",
    "nless", "nmid", "noindent", "nolimits", "nonumber", "normalsize", "not", "notag", "notin", "nparallel", "nprec",
    "nrightarrow", "nshortmid", "nshortparallel", "nsim", "nsubseteq", "nsubseteqq", "nsucc", "nsupseteq", "nu",
    "nvDash", "nvdash", "nwarrow", "odot", "oiint", "oint", "omega", "omicron", "ominus", "operatorname", "oplus",
    "oslash", "otimes", "over", "overbrace", "overleftarrow", "overleftrightarrow", "overline", "overrightarrow",
    "overset", "pagebreak", "par", "parallel", "partial", "pdv", "percent", "perp", "phantom", "phi", "pi",
    "pitchfork", "pm", "pmod", "pod", "pounds", "prec", "preccurlyeq", "preceq", "precsim", "prime", "prod",
    "projlim", "propto", "psi", "qed", "qedhere", "qedsymbol", "qquad", "qty", "quad", "rVert", "raisebox", "rangle",
    "rbrace", "rbrack", "rceil", "ref", "rfloor", "rgroup", "rho", "right", "rightarrow", "rightarrowtail",
    "rightharpoondown", "rightharpoonup", "rightleftharpoons", "rightrightarrows", "rightsquigarrow",
    "rightthreetimes", "risingdotseq", "rm", "root", "rparen", "rtimes", "rule", "rvert", "sc", "scriptscriptstyle",
    "scriptsize", "scriptstyle", "searrow", "sec", "setminus", "sf", "sfrac", "sgn", "sh", "sharp", "shortmid",
    "shortparallel", "shoveleft", "sigma", "sim", "simeq", "sin", "sinh", "small", "smallint", "smallsetminus",
    "smallskip", "smash", "smile", "sout", "space", "sphericalangle", "sqcap", "sqcup", "sqrt", "sqsubseteq",
    "square", "stackrel", "star", "strut", "subset", "subseteq", "subseteqq", "subsetneq", "subsetneqq", "substack",
    "succ", "succcurlyeq", "succeq", "succsim", "sum", "sup", "supset", "supseteq", "supseteqq", "supsetneq",
    "supsetneqq", "surd", "swarrow", "tag", "tan", "tanh", "tau", "tbinom", "text", "textasciicircum",
    "textasciitilde", "textbackslash", "textbar", "textbf", "textcircled", "textcolor", "textdegree", "textdollar",
    "textgreater", "textit", "textless", "textmd", "textnormal", "textpercent", "textrm", "textsc", "textsf",
    "textstyle", "textsubscript", "textsuperscript", "texttt", "textup", "tfrac", "tg", "th", "therefore", "theta",
    "thetasym", "thickapprox", "thicksim", "thickspace", "thinspace", "tilde", "times", "tiny", "to", "top", "tr",
    "triangle", "triangledown", "triangleleft", "trianglelefteq", "triangleq", "triangleright", "trianglerighteq",
    "tt", "twoheadrightarrow", "ulcorner", "underbar", "underbrace", "underleftarrow", "underleftrightarrow",
    "underline", "underrightarrow", "underset", "uparrow", "updownarrow", "upharpoonleft", "upharpoonright", "uplus",
    "upsilon", "upuparrows", "urcorner", "vDash", "varDelta", "varGamma", "varepsilon", "varinjlim", "varkappa",
    "varliminf", "varlimsup", "varnothing", "varphi", "varpi", "varprojlim", "varpropto", "varrho", "varsigma",
    "vartheta", "vartriangle", "vartriangleleft", "vartriangleright", "vdash", "vdots", "vec", "vee", "veebar",
    "vert", "vfill", "vphantom", "vskip", "vspace", "wedge", "widehat", "widetilde", "wp", "wr", "xcancel", "xi",
    "xleftarrow", "xleftrightarrow", "xrightarrow", "zeta",
};
// clang-format on
static_assert(std::is_sorted(std::begin(kCommands), std::end(kCommands)));

}  // namespace

bool is_latex_command(std::string_view name) {
  return std::binary_search(std::begin(kCommands), std::end(kCommands), name);
}

}  // namespace aha
