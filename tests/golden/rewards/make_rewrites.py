"""Writes pairs of answers that mean the same, and pairs that do not, out of the gold answers of MATH and GSM8K.

    python make_rewrites.py --math MATH.jsonl... --gsm8k GSM8K.jsonl... [--every N] > math_rewrites.jsonl

MATH rows have `answer`, GSM8K rows an `answer` that ends in "#### N". Needs sympy 1.14 and lark 1.3 (SymPy's LaTeX reader). The labels hold by
construction: numbers are rewritten with Python's fractions, expressions read by SymPy's Lark grammar, rearranged by SymPy and checked at a
point with 30 digits, and collections are permuted. A gold that none of these reads gets only other wrappings. Each row: gold, prediction,
kind, expected (1 or 0). --every N keeps each N-th row; math_rewrites.jsonl was made with MATH's and GSM8K's training sets and --every 97.
"""
import argparse
import json
import random
import re
import signal
import warnings
from fractions import Fraction

import sympy
from sympy.parsing.latex import parse_latex

warnings.filterwarnings("ignore")
TIME_LIMIT_S = 2  # of one gold: some of SymPy's rewriting does not end
WRAPPERS = {
    "dollars": "${}$", "box": "So the answer is \\boxed{{{}}}.", "display": "Thus\n\\[x = \\boxed{{{}}}.\\]",
    "final": "The final answer is ${}$. I hope it is correct.", "tag": "<think>maybe 7</think> <answer> {} </answer>",
    "sentence": "We add both sides. The answer is ${}$.", "two boxes": "First \\boxed{{1}} came out, which is wrong: it is \\boxed{{{}}}",
}


def number(gold):
    """The value of a plain numeral, fraction or mixed number, or nothing."""
    plain = gold.replace(",\\!", "").replace("{,}", "").replace("\\$", "")
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+", plain):
        plain = plain.replace(",", "")
    if re.fullmatch(r"-?\d+(\.\d+)?", plain):
        return Fraction(plain)
    if match := re.fullmatch(r"(-?)\\[dt]?frac\{(\d+)\}\{(\d+)\}", plain):
        return Fraction(int(match[1] + match[2]), int(match[3]))
    if match := re.fullmatch(r"(-?)(\d+)\\[dt]?frac\{(\d+)\}\{(\d+)\}", plain):
        return (-1 if match[1] else 1) * (int(match[2]) + Fraction(int(match[3]), int(match[4])))
    return None


def ratio(value, times=1):
    sign = "-" if value < 0 else ""
    return f"{sign}\\frac{{{abs(value.numerator) * times}}}{{{value.denominator * times}}}"


def decimal(value):
    """The finite decimal, or nothing."""
    for places in range(9):
        if (value * 10**places).denominator == 1:
            scaled = abs(value * 10**places).numerator
            digits = str(scaled).rjust(places + 1, "0")
            return ("-" if value < 0 else "") + (digits[:-places] + "." + digits[-places:] if places else digits)
    return None


def of_number(value, rng):
    whole, below = value.denominator == 1, rng.randint(2, 30)
    yield "times one", ratio(value, below), 1
    yield "slash", f"{value.numerator * below}/{value.denominator * below}", 1
    yield "sum", f"{ratio(value - below)} + {below}" if not whole else f"{value - below} + {below}", 1
    yield "product", f"{ratio(value / below)} \\times {below}", 1
    if written := decimal(value):
        yield "decimal", written + ("0" if "." in written else ".0"), 1
        yield "scientific", f"{decimal(value / 1000)} \\times 10^{{3}}" if decimal(value / 1000) else written, 1
        yield "percent", f"{decimal(value * 100)}\\%", 1
        yield "unit", f"{written} \\text{{ miles}}", 1
    if whole:
        yield "thousands", f"{value.numerator:,}", 1
        yield "spaced", f"{value.numerator:,}".replace(",", "\\,"), 1
        yield "square root", f"{'-' if value < 0 else ''}\\sqrt{{{value.numerator**2}}}", 1
        yield "named", f"n = {value}", 1
    elif abs(value) > 1:
        rest = abs(value) - abs(value) // 1
        yield "mixed", f"{'-' if value < 0 else ''}{abs(value) // 1}{ratio(rest)}", 1
    yield "off by one", ratio(value + 1) if not whole else str(value + 1), 0
    yield "off by little", ratio(value + Fraction(1, 1000)), 0
    yield "longer", "1" + str(abs(value.numerator)) + (f"/{value.denominator}" if not whole else ""), 0
    yield "more of them", f"{value} \\text{{ or }} {value + 1}", 0
    if value:
        yield "negative", ratio(-value) if not whole else str(-value), 0
        yield "tenfold", ratio(value * 10) if not whole else str(value * 10), 0
        yield "wrong percent", f"{decimal(value) or ratio(value)}\\%", 0


def expression(gold):
    """What SymPy's Lark grammar reads; pi, e and i are constants where nothing else stands for them."""
    if re.search(r"[A-Z_=<>!,:]|\\text|\\in|\\%|\\cdots|\\ldots|\\circ|\\begin|\\cup|\\pm", gold):
        return None
    text = re.sub(r"\\[dt]frac", r"\\frac", gold).replace("\\left", "").replace("\\right", "")
    text = re.sub(r"\\(sqrt|frac)(\d)", r"\\\1{\2}", text).replace("\\pi", " z ")
    if "z" in gold:
        return None
    tree = parse_latex(text, backend="lark")
    if not isinstance(tree, sympy.Expr):
        return None
    names = {"z": sympy.pi, "e": sympy.E, "i": sympy.I}
    return tree.subs({sympy.Symbol(name): value for name, value in names.items()})


def same_at_a_point(a, b):
    letters = sorted(a.free_symbols | b.free_symbols, key=str)
    point = {letter: sympy.Rational(17 + 6 * i, 13) for i, letter in enumerate(letters)}
    difference = sympy.N((a - b).subs(point), 30)
    return bool(abs(difference) < sympy.Float("1e-20"))


def of_expression(tree):
    forms = {"as read": lambda e: e, "expanded": sympy.expand, "factored": sympy.factor, "joined": sympy.together, "apart": sympy.apart,
             "denominator": sympy.radsimp, "cancelled": sympy.cancel}
    for kind, form in forms.items():
        try:
            made = form(tree)
        except (sympy.PolynomialError, NotImplementedError):
            continue
        if same_at_a_point(tree, made):
            yield kind, sympy.latex(made), 1
    yield "plain text", str(tree).replace("**", "^"), 1
    yield "half of double", f"\\frac{{{sympy.latex(sympy.expand(2 * tree))}}}{{2}}", 1
    for kind, made in (("plus one", tree + 1), ("double", 2 * tree), ("negative", -tree), ("square", tree**2), ("upside down", 1 / tree)):
        if not same_at_a_point(tree, made):
            yield kind, sympy.latex(made), 0


def of_collection(gold, rng):
    match = re.fullmatch(r"(\\\{|[(\[])?\s*([^()\[\]{}]+(?:\{[^{}]*\}[^()\[\]{}]*)*?)(\\\}|[)\]])?", gold)
    if not match or "," not in match[2] or "text" in gold or ",\\!" in gold or re.search(r"\{[^{}]*,", gold):
        return
    opening, closing = match[1] or "", match[3] or ""
    items = [item.strip() for item in match[2].split(",")]
    if len(set(items)) != len(items) or not all(items) or (not opening and re.fullmatch(r"\d{1,3}(,\d{3})*", gold)):
        return
    turned = items[1:] + items[:1]
    joined = ", ".join(turned)
    if opening == "\\{" and closing == "\\}":
        yield "set turned", f"\\{{{joined}\\}}", 1
        yield "set less", f"\\{{{', '.join(items[1:])}\\}}", 0
    elif not opening and not closing:
        yield "list turned", joined, 1
        yield "list with and", " and ".join(turned) if len(items) == 2 else joined, 1
        yield "list less", ", ".join(items[1:]), 0
        yield "list more", ", ".join([*items, str(rng.randint(1000, 2000))]), 0
    elif opening == "(" and closing == ")":
        yield "tuple spaced", "\\left( " + " , ".join(items) + " \\right)", 1
        yield "tuple turned", f"({joined})", 0
        yield "tuple less", f"({', '.join(items[1:])})" if len(items) > 2 else items[1], 0
    if len(items) == 2 and opening in "([" and opening and closing:
        other = {"(": "[", "[": "(", ")": "]", "]": ")"}
        yield "other bracket", f"{opening}{', '.join(items)}{other[closing]}", 0


def of_words(gold):
    if match := re.fullmatch(r"\\text\{\(?([A-F])\)?\}", gold):
        yield "letter", match[1], 1
        yield "letter in brackets", f"({match[1]})", 1
        yield "bold letter", f"\\textbf{{{match[1]}}}", 1
        yield "other letter", f"\\text{{({'ABCDEF'[('ABCDEF'.index(match[1]) + 1) % 6]})}}", 0
    if match := re.fullmatch(r"(\\begin\{pmatrix\})(.*)\\end\{pmatrix\}", gold, re.DOTALL):
        yield "other brackets", f"\\begin{{bmatrix}}{match[2]}\\end{{bmatrix}}", 1
        rows = [row.split("&") for row in match[2].split("\\\\") if row.strip()]
        if len({len(row) for row in rows}) == 1:
            more = [[f"{cell.strip()} + 1", *row[1:]] if i == 0 else row for i, row in enumerate(rows) for cell in row[:1]]
            yield "another cell", "\\begin{pmatrix}" + "\\\\".join("&".join(row) for row in more) + "\\end{pmatrix}", 0


def rewrites(gold, rng):
    """(kind, prediction, expected), the prediction without a wrapping."""
    yield "itself", gold, 1
    yield "larger fractions", gold.replace("\\frac", "\\dfrac"), 1
    value = number(gold)
    if value is not None:
        yield from of_number(value, rng)
        return
    yield from of_collection(gold, rng)
    yield from of_words(gold)
    try:
        tree = expression(gold)
    except Exception:  # noqa: BLE001 - whatever SymPy's reader does not know
        return
    if tree is not None:
        yield from of_expression(tree)


class TooLong(Exception):
    pass


def raise_too_long(*_):
    raise TooLong


def pairs(golds, seed):
    signal.signal(signal.SIGALRM, raise_too_long)
    for place, (gold, written) in enumerate(golds):
        rng = random.Random(seed + place)
        signal.alarm(TIME_LIMIT_S)
        found = []
        try:
            for row in rewrites(gold, rng):
                found.append(row)
        except TooLong:
            pass
        except (TypeError, ValueError, RecursionError, sympy.SympifyError):
            pass
        finally:
            signal.alarm(0)
        for kind, text, expected in found:
            wrapper = rng.choice(list(WRAPPERS))
            yield {"gold": written, "prediction": WRAPPERS[wrapper].format(text), "kind": f"{kind}, {wrapper}", "expected": expected}


def golds_of(args):
    """(answer, gold as written), each once."""
    seen = {}
    for path in args.math:
        for line in open(path, encoding="utf-8"):
            if answer := json.loads(line)["answer"].strip():
                seen[answer] = answer
    for path in args.gsm8k:
        for line in open(path, encoding="utf-8"):
            answer = json.loads(line)["answer"].rpartition("#### ")[2].strip()
            seen["#### " + answer] = answer
    return [(answer, written) for written, answer in seen.items()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--math", nargs="*", default=[])
    parser.add_argument("--gsm8k", nargs="*", default=[])
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    for i, row in enumerate(pairs(golds_of(args), 7)):
        if i % args.every == 0:
            print(json.dumps(row))


main()
