"""Writes regex_sets.json beside this file: of every character, whether it is in a set as the regular expressions of
Hugging Face's `tokenizers` (Oniguruma) have it.

  python regex_sets.py      # needs tokenizers
"""
import json
import pathlib
import platform

import tokenizers
from tokenizers import Regex, pre_tokenizers

#: those of a row are the same set
SETS = [
    [r"\w", r"\p{Word}", r"[^\W]|\w"],
    [r"[\w]", r"[[:word:]]", r"[\p{Word}]", r"[^[:^word:]]"],
    [r"[^\w\s]"],
    [r"[[:alnum:]]", r"\p{Alnum}", r"[[:alpha:][:digit:]]"],
    [r"[[:alpha:]]", r"\p{Alpha}", r"\p{Alphabetic}"],
    [r"[[:upper:]]", r"\p{Uppercase}"],
    [r"[[:lower:]]", r"\p{Lowercase}"],
    [r"[[:punct:]]", r"[\p{P}\p{S}]"],
    [r"\d", r"[[:digit:]]", r"\p{Nd}"],
    [r"\s", r"[[:space:]]", r"[^\S]"],
    [r"\p{Han}"], [r"\p{Hiragana}"], [r"\p{Katakana}"], [r"\p{Cyrillic}"],
    [r"\p{L}", r"[[:alpha:]&&\p{Letter}]"], [r"\p{N}"], [r"\p{Lm}"],
]
TEXT = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)


def ranges(pattern):
    """"61-7a aa", in hexadecimal: what is left when the matches are removed is not in the set."""
    inside = bytearray(b"\1" * len(TEXT))
    for _, (begin, end) in pre_tokenizers.Split(Regex(pattern), "removed").pre_tokenize_str(TEXT):
        inside[begin:end] = bytes(end - begin)
    found = []
    for character, is_in in zip(TEXT, inside):
        code_point = ord(character)
        if is_in and found and found[-1][1] == code_point - 1:
            found[-1][1] = code_point
        elif is_in:
            found.append([code_point, code_point])
    return " ".join(f"{a:x}" if a == b else f"{a:x}-{b:x}" for a, b in found)


def main():
    sets = []
    for patterns in SETS:
        matches = [ranges(pattern) for pattern in patterns]
        for pattern, one in zip(patterns, matches):
            assert one == matches[0], (patterns[0], pattern)
        sets.append({"patterns": patterns, "matches": matches[0]})
    golden = {"made_by": {"python": platform.python_version(), "tokenizers": tokenizers.__version__}, "sets": sets}
    pathlib.Path(__file__).with_name("regex_sets.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
