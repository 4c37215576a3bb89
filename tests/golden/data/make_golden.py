"""Writes tokenizer.json and countdown_wait.json beside this file.

tokenizer.json: what Hugging Face's `tokenizers` (through transformers' AutoTokenizer) makes of WordLevel
tokenizers, the toy vocabulary as this project writes it among them.
countdown_wait.json: figures of traces drawn by the rules of the task in plain Python with rejection sampling,
and the text hash in Python.

  python make_golden.py      # needs transformers and tokenizers
"""
import json
import pathlib
import platform
import random
import tempfile

import tokenizers
import transformers

HERE = pathlib.Path(__file__).parent


# --- tokenizers ------------------------------------------------------------------------------------
def token(id, content, **flags):
    entry = dict(id=id, content=content, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
    entry.update(flags)
    return entry


def tokenizer_json(words, added, pre="WhitespaceSplit", unk="<unk>"):
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": None if pre is None else {"type": pre}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": {w: i for i, w in enumerate(words)}, "unk_token": unk},
    }


def dump(value):
    return json.dumps(value, indent=2) + "\n"


def folder(words, added, config, pre="WhitespaceSplit", unk="<unk>"):
    roles = {k: v for k, v in config.items() if k.endswith("_token")}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False,
              **{k: v for k, v in config.items() if not k.endswith("_token")}, **roles}
    return {"special_tokens_map.json": dump(roles), "tokenizer.json": dump(tokenizer_json(words, added, pre, unk)),
            "tokenizer_config.json": dump(config)}


def vectors(files, texts, id_lists):
    with tempfile.TemporaryDirectory() as name:
        for file, text in files.items():
            (pathlib.Path(name) / file).write_text(text)
        (pathlib.Path(name) / "config.json").write_text(json.dumps({"model_type": "llama"}))
        made = transformers.AutoTokenizer.from_pretrained(name)
    rows = []
    for text in texts:
        try:
            ids = made.encode(text, add_special_tokens=False)
        except Exception as error:  # no unk token
            rows.append({"text": text, "error": str(error)})
            continue
        rows.append({"text": text, "ids": ids, "decoded": made.decode(ids),
                     "decoded_skip": made.decode(ids, skip_special_tokens=True)})
    for ids in id_lists:
        rows.append({"ids": ids, "decoded": made.decode(ids), "decoded_skip": made.decode(ids, skip_special_tokens=True)})
    return {"eos": made.eos_token_id, "pad": made.pad_token_id, "bos": made.bos_token_id, "rows": rows}


def tokenizer_cases():
    toy = [str(n) for n in range(100)] + "+ - * | wait => <eos> <pad> ok no".split()
    parity = "0 1 | = <eos> <pad>".split()
    words = "<unk> the cat sat on mat . , don ' t é straße 猫 x_1 now <s> </s> wait ! ?".split()
    n = len(words)  # added tokens that are no words are numbered from here
    rich = [token(0, "<unk>"), token(16, "<s>"), token(17, "</s>"),
            token(n, "<think>", special=False, normalized=True), token(n + 1, "<think>er"),
            token(n + 2, "[L]", lstrip=True), token(n + 3, "[R]", rstrip=True), token(n + 4, "[B]", lstrip=True, rstrip=True),
            token(n + 5, "hm", single_word=True, special=False), token(n + 6, "two words", special=False),
            token(n + 7, "</", special=False), token(n + 8, "猫猫")]
    rich_texts = [
        "the cat sat on mat .", "the cat sat on mat.", "", "   ", "\tthe\u00a0cat\u3000sat\u2028on\n\nmat\r\n",
        "<s>the cat</s>", "<s> the <think> cat <think>er </think> sat", "the [L] cat [L]  [L]", "the [R]  cat[R] [R]",
        "the  [B]  cat", "hm hmm hm, x_hm hm_ hm! é猫hm hm\u200dx hm", "two words two  words two wordsx",
        "</s</s>", "猫猫猫 猫", "don't wait!? ,, the,cat", "é e\u0301 straße STRASSE", "x_1 x-1 ٣ ½ _", "<think><think>er<think>",
        "the\u200bcat the\u2060cat", "\U0001F408 cat\U0001F408", "a" * 300, "[L][R][B]", "\u00a0[L]\u00a0[R]\u00a0cat",
    ]
    return [
        dict(name="countdown_wait", words=toy,
             files=folder(toy, [token(106, "<eos>"), token(107, "<pad>")], {"eos_token": "<eos>", "pad_token": "<pad>"}),
             texts=["4 3 9 8 |", "9 + 4 13 - 3 10 no wait 9 - 4 5 + 3 8 ok => 9 - 4 + 3<eos>", "4<pad><pad> <eos>  9", "4 100", "", " "],
             id_lists=[[4, 106, 107, 109], [], [500, 4, 110], [107]]),
        dict(name="parity", words=parity,
             files=folder(parity, [token(4, "<eos>"), token(5, "<pad>")], {"eos_token": "<eos>", "pad_token": "<pad>"}),
             texts=["1 0 1 |", "1 1 0 = 0 <eos>", "2"], id_lists=[]),
        dict(name="split at white space, many added tokens",
             files=folder(words, rich, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}),
             texts=rich_texts, id_lists=[[0, 1, n, 16, n + 5, 99, 2]]),
        dict(name="split at words and signs, many added tokens",
             files=folder(words, rich, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, pre="Whitespace"),
             texts=rich_texts, id_lists=[]),
        dict(name="no pre-tokenizer",
             files=folder(["<unk>", "the cat", "the", " cat"], [token(0, "<unk>"), token(4, "<s>")], {"bos_token": "<s>"}, pre=None),
             texts=["the cat", "the<s> cat<s>", "the  cat", ""], id_lists=[]),
    ]


def write_tokenizers():
    cases = []
    for case in tokenizer_cases():
        cases.append({**{k: v for k, v in case.items() if k in ("name", "words", "files")},
                      **vectors(case["files"], case["texts"], case["id_lists"])})
    out = {"made_by": {"python": platform.python_version(), "tokenizers": tokenizers.__version__,
                       "transformers": transformers.__version__}, "cases": cases}
    (HERE / "tokenizer.json").write_text(json.dumps(out, indent=1) + "\n")


# --- countdown_wait --------------------------------------------------------------------------------
def attempt(rng, nums, ops):
    while True:
        a, b, c = rng.sample(nums, 3)
        first, second = rng.choice(ops), rng.choice(ops)
        r = a + b if first == "+" else a - b
        if not 0 <= r <= 99:
            continue
        t = r + c if second == "+" else r - c
        if 0 <= t <= 99:
            return a, first, b, r, second, c, t


def train_problem(rng):
    """A problem of the train class: the hash of its sorted numbers and target is no multiple of 4."""
    while True:
        nums = [rng.randint(1, 9) for _ in range(3)]
        target = attempt(rng, nums, "+-")[6]
        if text_hash(" ".join(map(str, sorted(nums))) + f" = {target}") % 4 != 0:
            return nums, target


def trace_figures(q, max_attempts, count, seed):
    rng = random.Random(seed)
    sums = dict(waits=0, attempts=0, with_wait=0, right=0, words=0, first_hit=0, target=0)
    for _ in range(count):
        nums, target = train_problem(rng)
        words, waits, k = 0, 0, 0
        while True:
            t = attempt(rng, nums, "+-")[6]
            k += 1
            words += 8
            sums["first_hit"] += k == 1 and t == target
            if t == target or k >= max_attempts or rng.random() > q:
                break
            waits += 1
            words += 1
        sums["waits"] += waits
        sums["attempts"] += k
        sums["with_wait"] += waits > 0
        sums["right"] += t == target
        sums["words"] += words + 6
        sums["target"] += target
    return {"wait_probability": q, "max_attempts": max_attempts, **{k: v / count for k, v in sums.items()}}


def text_hash(text):
    mask = (1 << 64) - 1
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001B3 & mask
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & mask
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 & mask
    return h ^ h >> 33


def write_countdown_wait():
    count = 200_000
    out = {"made_by": {"python": platform.python_version(), "traces": count},
           "figures": [trace_figures(q, m, count, 1) for q, m in ((0.15, 10), (0.5, 10), (1.0, 3))],
           "text_hash": [{"text": t, "hash": f"{text_hash(t):016x}"} for t in ("", "a", "1 2 3 = 4", "straße 猫")]}
    (HERE / "countdown_wait.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    write_tokenizers()
    write_countdown_wait()
