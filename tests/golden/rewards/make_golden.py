"""Writes the golden values of the rewards: what Python's re, fractions and decimal and TRL's own reward functions give.

    python make_golden.py        # needs trl 1.16; writes formats.json, shaping.json, expressions.json, numbers.json beside it

The regular expressions are the published ones (open-r1, TRL, Mini-R1, nano-aha-moment, oat-zero, NeMo-RL).
"""
import ast
import json
import platform
import random
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import trl
from trl.rewards import get_repetition_penalty_reward, get_soft_overlong_punishment, think_format_reward

HERE = Path(__file__).parent
VERSIONS = {"python": platform.python_version(), "trl": trl.__version__}

OPEN_R1 = r"^<think>\n.*?\n</think>\n<answer>\n.*?\n</answer>$"
MINI_R1 = r"^<think>([^<]*(?:<(?!/?think>)[^<]*)*)<\/think>\n<answer>([\s\S]*?)<\/answer>$"
NANO_AHA_ALLOWED = r"^[\d+\-*/().\s]+$"
THINK_ANSWER = r"\s*<think>(.*\S.*)</think>\s*<answer>(.*\S.*)</answer>\s*"


def open_r1_format(text):
    return 1.0 if re.match(OPEN_R1, text, re.DOTALL | re.MULTILINE) else 0.0


def open_r1_tag_count(text):
    return sum(0.25 for tag in ("<think>\n", "\n</think>\n", "\n<answer>\n", "\n</answer>") if text.count(tag) == 1)


def trl_think(text):
    return think_format_reward([[{"content": text}]])[0]


def nemo_rl(text):
    think = 0.25 if re.search(r"<think>[\s\S]*</think>", text) else 0.0
    return think + (0.75 if re.search(r"<answer>[\s\S]*</answer>", text) else 0.0)


def mini_r1(text):
    return 1.0 if re.search(MINI_R1, text, re.DOTALL) else 0.0


def nano_aha(text):
    match = re.search(MINI_R1, text, re.DOTALL)
    if match is None:
        return 0.0
    return 1.0 if re.match(NANO_AHA_ALLOWED, match.group(2).strip()) else 0.5


def oat(text):
    return 1.0 if "</think> <answer>" in text and "</answer>" in text else 0.0


def think_answer(text):
    once = all(text.count(tag) == 1 for tag in ("<think>", "</think>", "<answer>", "</answer>"))
    return 1.0 if once and re.fullmatch(THINK_ANSWER, text, re.DOTALL) else 0.0


def hash_answer(text):
    number = r"[ \t\n\r\v\f]*[-\u2212]?\$?\.?[0-9]"
    return 1.0 if text.count("####") == 1 and re.match(number, text.partition("####")[2]) else 0.0


VARIANTS = {
    "think_answer": think_answer,
    "hash_answer": hash_answer,
    "open-r1.format_reward": open_r1_format,
    "open-r1.tag_count_reward": open_r1_tag_count,
    "trl.think_format_reward": trl_think,
    "nemo_rl.format_reward": nemo_rl,
    "mini-r1.format_reward": mini_r1,
    "nano-aha.format_reward": nano_aha,
    "oat.answer_tag_format": oat,
}

SHAPES = [
    "<think>\nwait, 3\n</think>\n<answer>\n42\n</answer>",
    "<think>so 3 < 4</think>\n<answer>(1 + 2) / 3</answer>",
    "<think> hm </think> <answer> 7 </answer>",
    "<think>\n\n</think>\n<answer>\n\n</answer>",
    "<think></think><answer></answer>",
    "<answer>1</answer><think>2</think>",
    "text",
    "",
]
PIECES = ["<think>", "</think>", "<answer>", "</answer>", "\n", "\n\n", " ", "\t", "<", ">", "</", "x", "42", "1 + 2", "(3*4)",
          "<think>\n", "\n</think>\n", "\n<answer>\n", "\n</answer>", "</think>\n<answer>", "</think> <answer>", "caf\u00e9",
          "<Think>", "< think>", "<|im_end|>", "\\boxed{1}"]

HASHES = ["2 + 3 = 5\n#### 5\nThe answer is: 5", "#### 1 #### 2", "####\n-7", "#### $1,000.50", "#### \u2212.5", "#### x 5", "####", "##### 5",
          "#### - 5", "#### +5", "########", "5 ####", "so\n#### 12 apples", "####12", "###### 3"]


def varied(random_):
    text = random_.choice(SHAPES)
    for _ in range(random_.choice([0, 0, 1, 1, 1, 2, 3, 6])):
        at = random_.randint(0, len(text))
        kind = random_.random()
        if kind < 0.5:
            text = text[:at] + random_.choice(PIECES) + text[at:]
        elif kind < 0.75:
            text = text[:at] + text[at + random_.randint(1, 9):]
        elif kind < 0.9:
            piece = random_.choice(PIECES)
            text = text.replace(piece, random_.choice(PIECES), 1)
        else:
            text = text + random_.choice(PIECES)
    return text


def formats():
    random_ = random.Random(1)
    texts = dict.fromkeys(SHAPES)
    while len(texts) < 1200:
        texts[varied(random_)] = None
    texts.update(dict.fromkeys(HASHES))
    names = list(VARIANTS)
    return {"variants": names, "rows": [[text, *(VARIANTS[name](text) for name in names)] for text in texts]}


def shaping():
    random_ = random.Random(2)
    repetition, overlong = [], []
    for _ in range(200):
        ids = [random_.randint(0, random_.choice([1, 3, 1000])) for _ in range(random_.choice([0, 1, 2, 5, 20, 60]))]
        size, penalty = random_.choice([1, 2, 3, 4, 7, 20]), random_.choice([-1.0, -0.5, -0.05, 0.0])
        value = get_repetition_penalty_reward(size, penalty)([ids])[0]
        repetition.append({"ids": ids, "ngram_size": size, "max_penalty": penalty, "score": value})
    for _ in range(300):
        limit = random_.choice([10, 100, 104, 512])
        cache = random_.choice([0, 1, limit // 5, limit // 2, limit])
        length = random_.choice([0, 1, limit - cache, limit - cache + 1, limit - 1, limit, limit + 1, random_.randint(0, 2 * limit)])
        value = get_soft_overlong_punishment(limit, cache)([[0] * max(0, length)])[0]
        overlong.append({"length": max(0, length), "max": limit, "cache": cache, "score": value})
    # DAPO: 16,384 tokens expected and 4,096 more as cache, arXiv:2503.14476 section 3.4 with eq. 13.
    dapo = []
    for length in [0, 16383, 16384, 16385, 17408, 18432, 20479, 20480, 20481, 99999]:
        value = 0 if length <= 16384 else Fraction(16384 - length, 4096) if length <= 20480 else -1
        dapo.append({"length": length, "score": float(value)})
    return {"repetition": repetition, "soft_overlong": overlong, "dapo": dapo}


def exact(node):
    if isinstance(node, ast.Expression):
        return exact(node.body)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return Fraction(node.value), [node.value]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
        value, used = exact(node.operand)
        return (-value if isinstance(node.op, ast.USub) else value), used
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)):
        (left, a), (right, b) = exact(node.left), exact(node.right)
        if isinstance(node.op, ast.Add):
            return left + right, a + b
        if isinstance(node.op, ast.Sub):
            return left - right, a + b
        if isinstance(node.op, ast.Mult):
            return left * right, a + b
        return left / right, a + b
    raise ValueError("not of the grammar")


def expression(random_, depth):
    if depth == 0 or random_.random() < 0.25:
        return str(random_.choice([0, 1, 2, 3, 7, 12, 25, 99]))
    space = random_.choice(["", " "])
    text = expression(random_, depth - 1) + space + random_.choice("+-*/") + space + expression(random_, depth - 1)
    if random_.random() < 0.5:
        text = "(" + text + ")"
    return random_.choice(["", "", "", "-", "+"]) + text


def expressions():
    random_ = random.Random(3)
    rows = []
    while len(rows) < 600:
        text = expression(random_, random_.randint(1, 4))
        if random_.random() < 0.3:
            at = random_.randint(0, len(text))
            text = text[:at] + random_.choice("0123456789+-*/()  .,=x") + text[at + random_.randint(0, 1):]
        if re.search(r"\b0[0-9]", text):  # Python reads 00 and refuses 01
            continue
        try:
            value, used = exact(ast.parse(text.strip(), mode="eval"))
            rows.append({"text": text, "value": str(value), "numbers": used})
        except (SyntaxError, ValueError, ZeroDivisionError):
            rows.append({"text": text, "value": None})
    return {"rows": rows}


def spelled(random_, number):
    """One of the ways to write a Decimal."""
    text = format(abs(number), "f")
    whole, _, fraction = text.partition(".")
    if random_.random() < 0.4:
        whole = f"{int(whole):,}"
    elif random_.random() < 0.1:
        whole = "0" * random_.randint(1, 2) + whole if len(whole) > 3 or len(whole) == 1 else whole
    if fraction or random_.random() < 0.3:
        fraction = fraction + "0" * random_.randint(0 if fraction else 1, 2)
    sign = random_.choice(["-", "\u2212"]) if number < 0 else ""
    return sign + random_.choice(["", "", "$"]) + whole + ("." + fraction if fraction else "")


SENTENCES = ["The answer is {}.", "so 12 + 5 - 3 gives {}", "1,200 people, 3.5 each:\n{}", "#### {}", "first 7\n#### {}\nand 99 more",
             "{}", "they pay {} dollars", "x = {}\n", "5 of 10, so ({})", "**{}**"]


def numbers():
    random_ = random.Random(4)
    rows = []
    for _ in range(600):
        digits = random_.choice([1, 2, 3, 5, 9, 25])
        gold = Decimal(random_.randint(0, 10**digits)).scaleb(-random_.choice([0, 0, 0, 1, 2, 4])) * random_.choice([1, 1, -1])
        near = gold + random_.choice([0, 0, 0, 1, Decimal("0.1"), Decimal("0.0001"), -2 * gold, gold * 9])
        written_gold, written = spelled(random_, gold), spelled(random_, near)
        rows.append({"gold": random_.choice(["", "work 1 2 3\n#### "]) + written_gold,
                     "text": random_.choice(SENTENCES).format(written), "right": gold == near})
    return {"rows": rows}


def write(name, content):
    lines = ["{", f'"versions": {json.dumps(VERSIONS)}']
    for key, value in content.items():
        rows = ",\n".join(json.dumps(row) for row in value)
        lines[-1] += ","
        lines.append(f'"{key}": [\n{rows}\n]')
    (HERE / name).write_text("\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write("formats.json", formats())
    write("shaping.json", shaping())
    write("expressions.json", expressions())
    write("numbers.json", numbers())
