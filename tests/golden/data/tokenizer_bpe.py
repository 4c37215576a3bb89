"""Writes tokenizer_bpe.json and tokenizer_qwen.json beside this file: what Hugging Face's `tokenizers` makes of
texts with BPE tokenizers of every kind of component.

tokenizer_bpe.json: tiny tokenizers trained here on data/samples/gsm8k_train.jsonl (MIT, OpenAI) and the lines
below. `bases` are tokenizer.json files, a case is a base with some keys replaced (null stays null).
tokenizer_qwen.json: Qwen3's tokenizer (Apache-2.0) cut down to the tokens that the given vectors use, and
numbered anew; the vectors' texts are GSM8K's (MIT), MATH's (MIT), transformers.js' tests (Apache-2.0).

  python tokenizer_bpe.py                                            # needs tokenizers
  python tokenizer_bpe.py --qwen tokenizer.json.gz vectors.jsonl     # the second file
  python tokenizer_bpe.py --fuzz 5000 FOLDER                         # folders for a comparison by hand
"""
import gzip
import json
import pathlib
import platform
import random
import sys
import unicodedata

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
MADE_BY = {"python": platform.python_version(), "tokenizers": tokenizers.__version__}

LINES = [
    "Don't you think they'll say it's what WE'VE seen, I'd ask; we're sure I'm right.",
    "def f(x):\n    return x ** 2\n\n\tif x > 0:  # comment\r\n        print('x')\n",
    "Žluťoučký kůň úpěl ďábelské ódy. Straße, naïve café, São Paulo, Ελληνικά, Русский язык.",
    "你好，世界。これは日本語のテストです。한국어 문장입니다. مرحبا بالعالم हिन्दी भाषा ไทย",
    "🙂 👩‍👩‍👧‍👦 🇩🇪 ✨ x² ½ ٣٤ Ⅷ 100 2024 3.14159 1,000,000",
    "<think> 2 + 2 = 4 </think> <answer> 4 </answer>",
]

EDGE = [
    "", " ", "  ", "\n", " \n \n\n  x", "a", "   a", "a   ", "\t\ta b\r\n\r\nc", "I'M I'm I'LL we'Ve 'S 'ſ 'T", "123456789 1 22 4444",
    "x1y22z333", "e\u0301 \u00e9 \u1e9b\u0323 \ufb01 \u2126 \u212b \u0130 \u03a3\u03c2", "q\u0307\u0323 q\u0323\u0307", "\uac00\u1100\u1161 \u1112\u1161\u11ab",
    "\u00a0nbsp\u00a0\u3000wide\u2028line\u2029para\u0085nel\u180emvs\u200bzw\ufeffbom", "\x00\x01\x1f\x7f", "👩‍👩‍👧‍👦🇩🇪✌🏽", "\U0001F9D1\u200d\U0001F4BB",
    "<s>", "<s>a</s>", " <s> a </s> ", "<|end|>  x <|end|>\n<|end|>", "  <|left|>  x", "a<|word|>b <|word|> c", "x <think>y</think>", "ABC Abc aBC ÀÉ",
    "caf\u00e9s cafe\u0301s", "don't-stop_believing... (now!) [ok] {yes} @home #1 $5 %x ^y &z *a+b=c|d~e`f", "foo.bar/baz\\qux:quux;corge,grault?garply!",
    "▁meta ▁▁ space▁", "Ġbyte Ċ level", "<0x41> <0xE4>", "a" * 70, "ab" * 60, "  " * 40, "é" * 50, "word " * 30, "\U0010ffff\U00100000\ue000\ufffd\uffff",
    "नमस्ते दुनिया", "ภาษาไทย", "שלום עולם", "\u0301\u0301a", "a\u0301\u0301\u0301", "٠١٢ ²³ ⅓ ⅻ 〇 一二三", "x\u2009y\u202fz", "\r\r\n\r", "_a_ __init__ a_b",
    "the the The THE tHe", "Natalia sold clips to 48 of her friends in April.", "A robe takes 2 bolts of blue fiber and half that much white fiber.\n#### 3",
]

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace("{1,3}", "")
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
O200K = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
DEEPSEEK = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
KIMI = r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"
#: what Oniguruma reads otherwise than PCRE2
ONIG = [r"\w+", r"\W+", r"\b", r"\B.", r"\h+", r"\H+", r"\s+", r"\S+", r"[\s\S]{2}", r"[^\S ]+", r"\d+", r"[[:alpha:]]+", r"[[:punct:]]+", r"[[:space:]]+", r"[^[:digit:]]+",
        r"\p{^L}+", r"\P{L}+", r"\p{Letter}+", r"\p{Upper}+", r"\p{Han}+", r"\p{Greek}+", r"\p{Hiragana}+", r"[\P{L}a]+", r"a{,2}b", r"(?:ab){1,2}+", r"a{2}?", r"^.", r".$",
        r"(?m:e.)", r"x(?i)y|Z", r"[a-e&&[^c]]+", r"[a[x-z]]+", r"[^a[x-z]]+", r"[\x61-\x65\u0066]+", r"\u00e9", r"\x{4f60}", r"\v|\t", r"(?<=a)b", r"(?<!a)b", r"(?>a+)b", r"(?<n>o)\k<n>",
        r"(o)\1", r"", r"x*", r"[]a]+", r"[a\-z]+", r"[-a]+", r"\R", r"[^\r\n]+", r"(?i:straSSE|É|k)", r"\{|\}|{", r"\p{L}\p{M}*", r"\A.|.\z", r"\.|\/"]


def token(content, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}


ADDED = [token("<s>"), token("</s>"), token("<|end|>", rstrip=True), token("<|left|>", lstrip=True), token("<|word|>", single_word=True),
         token("<think>", special=False), token("</think>", special=False, normalized=True), token("Abc", special=False, normalized=True),
         token("  ", special=False, normalized=True), token("cafés", special=False, normalized=True, lstrip=True)]


def corpus():
    rows = (HERE / "../../../data/samples/gsm8k_train.jsonl").read_text().splitlines()
    return [json.loads(r)["question"] + "\n" + json.loads(r)["answer"] for r in rows] + LINES * 30


def trained(tokenizer, **options):
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(show_progress=False, **options))
    return json.loads(tokenizer.to_str())


def with_added(base, tokens=ADDED, first=None):
    base = json.loads(json.dumps(base))
    vocab = base["model"]["vocab"]
    added, next_id = [], len(vocab)
    for entry in (first or []) + tokens:
        known = vocab.get(entry["content"])
        added.append({"id": next_id if known is None else known, **entry})
        next_id += known is None
    base["added_tokens"] = added
    return base


def bases():
    made = {}
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    made["bytes"] = with_added(trained(t, vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    # one word a text: merges cross everything, so that every split shows
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(tokenizers.Regex(r".{1,12}"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    made["crossing"] = trained(t, vocab_size=900, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    made["crossing"]["decoder"] = json.loads(decoders.ByteLevel().__getstate__())
    # SentencePiece's kind: letters, with bytes for those that are missing
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.pre_tokenizer = pre_tokenizers.Split(tokenizers.Regex("▁[^▁]*"), "isolated")
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    base = trained(t, vocab_size=259 + 500, special_tokens=special, limit_alphabet=90)
    base["pre_tokenizer"] = None
    made["letters"] = with_added(base, ADDED, [token("<unk>")])
    return made


def bos(tokens, ids):
    return {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": t, "type_id": 0}} if t in ids else {"Sequence": {"id": "A", "type_id": 0}} for t in tokens],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for t, i in ids.items()}}


def byte_level(prefix=False, regex=False):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def sequence(key, *parts):
    return {"type": "Sequence", key: list(parts)}


def pre(*parts):
    return {"pre_tokenizer": sequence("pretokenizers", *parts)}


def case(name, base, **patch):
    return {"name": name, "base": base, "patch": patch}


def cases(made):
    ids = {t["content"]: t["id"] for t in made["bytes"]["added_tokens"]}
    letters = {t["content"]: t["id"] for t in made["letters"]["added_tokens"]}
    meta = lambda scheme, cut: {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut}
    strings = {"merges": [" ".join(m) for m in made["bytes"]["model"]["merges"]]}
    out = [
        case("gpt2, merges as strings", "bytes", model=strings),
        case("gpt2 with a space before", "bytes", pre_tokenizer=byte_level(True, True), post_processor={"type": "RobertaProcessing", "sep": ["</s>", ids["</s>"]], "cls": ["<s>", ids["<s>"]], "trim_offsets": True, "add_prefix_space": True}),
        case("llama3", "bytes", **pre(split(LLAMA3), byte_level()), model={"ignore_merges": True}, post_processor=sequence("processors", byte_level(), bos(["<s>", "A"], {"<s>": ids["<s>"]}))),
        case("qwen", "bytes", normalizer={"type": "NFC"}, **pre(split(QWEN), byte_level()), post_processor=byte_level()),
        case("cl100k", "bytes", **pre(split(CL100K, "Removed", True), byte_level())),
        case("o200k", "bytes", **pre(split(O200K), byte_level())),
        case("kimi", "bytes", **pre(split(KIMI), byte_level())),
        case("bloom", "bytes", **pre(split(BLOOM), byte_level())),
        case("smollm2", "bytes", **pre({"type": "Digits", "individual_digits": True}, byte_level(False, True))),
        case("deepseek", "bytes", **pre(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK), byte_level()), post_processor=bos(["<s>", "A", "</s>"], {"<s>": ids["<s>"], "</s>": ids["</s>"]})),
        case("falcon", "bytes", **pre({"type": "Punctuation", "behavior": "Contiguous"}, byte_level(False, True), {"type": "Digits", "individual_digits": False}, split("[0-9][0-9][0-9]"))),
        case("byte-level letters as normalizer", "bytes", normalizer={"type": "ByteLevel"}, pre_tokenizer=split("Ġ", "MergedWithNext", kind="String")),
        case("a byte without a token", "bytes", model={"vocab": {"Ġ": None}, "merges": [m for m in made["bytes"]["model"]["merges"] if "Ġ" not in m[0] + m[1]]}, added_tokens=[]),
        case("llama2", "letters", post_processor=bos(["<s>", "A"], {"<s>": letters["<s>"]})),
        case("llama2, not fused", "letters", model={"fuse_unk": False, "byte_fallback": False}),
        case("llama2, no unk", "letters", model={"unk_token": None, "byte_fallback": False}),
        case("llama2, a byte missing", "letters", model={"vocab": {"<0xE4>": None}}, added_tokens=[]),
        case("metaspace first", "letters", normalizer=None, pre_tokenizer=meta("first", False)),
        case("metaspace always, split", "letters", normalizer=None, pre_tokenizer=meta("always", True), decoder=meta("always", True)),
        case("metaspace never", "letters", normalizer=None, pre_tokenizer=meta("never", True), decoder=meta("never", True)),
        case("metaspace after white space", "letters", normalizer=None, **pre({"type": "WhitespaceSplit"}, meta("always", True)), decoder=None),
        case("words and signs", "letters", normalizer={"type": "NFKC"}, **pre({"type": "Whitespace"}, {"type": "Digits", "individual_digits": False}), decoder={"type": "ByteFallback"}),
        case("strip, lower case, replace", "letters", added_tokens=[], normalizer=sequence("normalizers", {"type": "Strip", "strip_left": True, "strip_right": False}, {"type": "Lowercase"}, {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": "▁"}, {"type": "Prepend", "prepend": "▁"})),
        case("strip right, NFD", "letters", added_tokens=[], normalizer=sequence("normalizers", {"type": "Strip", "strip_left": False, "strip_right": True}, {"type": "NFD"}), decoder=sequence("decoders", {"type": "Fuse"}, {"type": "Strip", "content": "a", "start": 2, "stop": 0})),
        case("NFKD, punctuation", "letters", normalizer={"type": "NFKD"}, pre_tokenizer={"type": "Punctuation", "behavior": "Isolated"}),
        case("prefix and suffix", "letters", normalizer=None, pre_tokenizer={"type": "WhitespaceSplit"}, decoder=None, added_tokens=[],
             model={"continuing_subword_prefix": "##", "end_of_word_suffix": "</w>", "unk_token": "<unk>", "byte_fallback": False,
                    "vocab": {**{t: None for t in made["letters"]["model"]["vocab"]}, **{t: i for i, t in enumerate(["<unk>", "t", "##h", "##e", "##e</w>", "a</w>", "th", "the</w>", "h", "##t", "a", "##s</w>", "##he</w>"])}},
                    "merges": [["t", "##h"], ["##h", "##e</w>"], ["th", "##e</w>"]]}),
    ]
    for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        for invert in (False, True):
            out.append(case(f"split {behavior}{' inverted' if invert else ''}", "crossing", **pre(split("[aeiou]| ", behavior, invert), byte_level())))
    out.append(case("split at a text", "crossing", **pre(split(" th", "MergedWithNext", kind="String"), split(".", "MergedWithPrevious", kind="String"), byte_level())))
    out += [case("regex " + pattern, "crossing", **pre(split(pattern), byte_level())) for pattern in ONIG]
    return out


def merge_patch(target, patch):
    """RFC 7396, but null at the top is a value: components may be null."""
    out = dict(target)
    for key, value in patch.items():
        if key == "model":
            model = {**out["model"], **{k: v for k, v in value.items() if k != "vocab"}}
            if "vocab" in value:
                model["vocab"] = {k: v for k, v in {**model["vocab"], **value["vocab"]}.items() if v is not None}
                free = iter(sorted(set(range(len(model["vocab"]))) - set(model["vocab"].values())))
                model["vocab"] = {k: (v if v < len(model["vocab"]) else next(free)) for k, v in model["vocab"].items()}
            out["model"] = model
        else:
            out[key] = value
    return out


ALPHABETS = ["abcdefghij ETAOIN", "0123456789 ,.", " \t\n\r\u00a0\u2003\u3000", "'\"-_.,;:!?()[]{}<>|/\\@#$%^&*+=~`", "éèüßñøåÀÉŽİıſK", "你好世界日本語のテスト", "אבגد١٢ہ", "한국어ᄒ\u1161\u11ab",
             "\u0301\u0302\u0323\u0327", "🙂👩\u200d🇩🇪✌🏽", "▁ĠĊ\u200b\ufeff\u180e\u0085\u2028", "नमस्ते\u093cไทย", "\x00\x07\x7f"]
PIECES = ["<s>", "</s>", "<|end|>", "<|left|>", "<|word|>", "<think>", "</think>", "Abc", "  ", "cafés", "'s", "'LL", "'ve", "I'm", " the", "The ", "\r\n", "   ", "<0x41>", " 12", "####"]


def random_text(rng):
    parts = []
    for _ in range(rng.randint(1, 14)):
        kind = rng.random()
        if kind < 0.25:
            parts.append(rng.choice(PIECES))
        elif kind < 0.33:
            c = rng.choice([rng.randrange(0x250), rng.randrange(0x3000), rng.randrange(0x10000), rng.randrange(0x110000)])
            parts.append(chr(c) if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) != "Cn" else "?")
        elif kind < 0.45:
            parts.append(" " + rng.choice(["Natalia", "sold", "clips", "half", "many", "of", "her", "friends"]))
        else:
            alphabet = rng.choice(ALPHABETS)
            parts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 6))))
    return "".join(parts)


def row(made, text):
    if not text.strip() and "strip_left" in repr(made.normalizer):
        return None  # the library's Strip asks for 12 GB of memory, or panics
    ids = made.encode(text, add_special_tokens=False).ids
    return {"text": text, "ids": ids, "special": made.encode(text).ids, "decoded": made.decode(ids, skip_special_tokens=False),
            "skipped": made.decode(ids, skip_special_tokens=True)}


def decode_row(made, ids):
    return {"ids": ids, "decoded": made.decode(ids, skip_special_tokens=False), "skipped": made.decode(ids, skip_special_tokens=True)}


def random_ids(rng, size):
    return [rng.randrange(size + 3) for _ in range(rng.randint(0, 12))]


def write():
    made = bases()
    out = {"made_by": MADE_BY, "bases": made, "cases": cases(made)}
    texts = EDGE + [random_text(random.Random(i)) for i in range(20)]
    out["texts"] = texts
    for i, one in enumerate(out["cases"]):
        tokenizer = Tokenizer.from_str(json.dumps(merge_patch(made[one["base"]], one["patch"])))
        one["rows"] = []
        for k, text in enumerate(texts):
            if one["name"].startswith("regex") and k % 2 == 1:
                continue
            full = row(tokenizer, text)
            if full is None:
                continue
            kept = {"text": k, "ids": full["ids"]}
            if full["special"] != full["ids"]:
                kept["special"] = full["special"]
            if not one["base"] == "crossing" and full["decoded"] != text:
                kept["decoded"] = full["decoded"]
            if not one["base"] == "crossing" and full["skipped"] != full["decoded"]:
                kept["skipped"] = full["skipped"]
            one["rows"].append(kept)
        rng = random.Random(100 + i)
        if one["base"] != "crossing":
            one["decodings"] = [decode_row(tokenizer, random_ids(rng, tokenizer.get_vocab_size())) for _ in range(12)]
        one["size"] = tokenizer.get_vocab_size()
        one["tokenizer"] = merge_patch(made[one["base"]], {k: v for k, v in one["patch"].items()})
        if "vocab" not in one["patch"].get("model", {}):
            del one["tokenizer"]  # the test puts it together itself
        else:
            one["patch"] = {}
    (HERE / "tokenizer_bpe.json").write_text(json.dumps(out, ensure_ascii=False, separators=(",", ":")) + "\n")


def fuzz(count, folder):
    made = bases()
    for i, one in enumerate(cases(made)):
        target = pathlib.Path(folder) / f"{i:03d}"
        target.mkdir(parents=True, exist_ok=True)
        text = json.dumps(merge_patch(made[one["base"]], one["patch"]))
        (target / "tokenizer.json").write_text(text)
        (target / "name").write_text(one["name"] + "\n")
        tokenizer = Tokenizer.from_str(text)
        rng = random.Random(i)
        with open(target / "rows.jsonl", "w") as rows:
            for k in range(count if one["base"] != "crossing" else count // 10):
                made_row = row(tokenizer, EDGE[k] if k < len(EDGE) else random_text(rng))
                if made_row is not None:
                    rows.write(json.dumps(made_row) + "\n")
                rows.write(json.dumps(decode_row(tokenizer, random_ids(rng, tokenizer.get_vocab_size()))) + "\n")


def write_qwen(file, vectors):
    full = json.loads(gzip.open(file).read())
    rows = [json.loads(line) for line in open(vectors, encoding="utf-8")]
    whole = Tokenizer.from_str(json.dumps(full))
    vocab, merges = full["model"]["vocab"], full["model"]["merges"]
    names = {i: t for t, i in vocab.items()}
    needed = {names[i] for r in rows for i in r["ids"] if i in names} | set(pre_tokenizers.ByteLevel.alphabet())
    makes = {}
    for a, b in merges:
        makes.setdefault(a + b, []).append((a, b))
    stack = list(needed)
    while stack:
        for pair in makes.get(stack.pop(), []):
            for part in pair:
                if part not in needed:
                    needed.add(part)
                    stack.append(part)
    small = json.loads(json.dumps({**full, "model": {**full["model"], "vocab": {}, "merges": []}}))
    kept = sorted(needed, key=vocab.get)
    small["model"]["vocab"] = {t: i for i, t in enumerate(kept)}
    small["model"]["merges"] = [m for m in merges if m[0] + m[1] in needed]
    for i, entry in enumerate(small["added_tokens"]):
        entry["id"] = len(kept) + i
    cut = Tokenizer.from_str(json.dumps(small))
    out = []
    for r in rows:
        made = cut.encode(r["text"], add_special_tokens=False)
        assert made.tokens == whole.encode(r["text"], add_special_tokens=False).tokens
        assert r["ids"] == whole.encode(r["text"], add_special_tokens=False).ids
        out.append({"text": r["text"], "ids": made.ids, **({} if r["decoded"] == r["text"] else {"decoded": r["decoded"]})})
    result = {"made_by": MADE_BY, "tokenizer": small, "rows": out}
    (HERE / "tokenizer_qwen.json").write_text(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fuzz"]:
        fuzz(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["--qwen"]:
        write_qwen(sys.argv[2], sys.argv[3])
    else:
        write()
