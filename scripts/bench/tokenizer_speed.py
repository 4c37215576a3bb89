"""Tokenizes the same GSM8K texts with aha's tokenizer and Hugging Face's `tokenizers`, one thread each, in turns.

  python tokenizer_speed.py --bench BENCH_TOKENIZE --model FOLDER --data train.jsonl [--rounds 5]

BENCH_TOKENIZE is the program made of bench_tokenize.cpp, FOLDER holds a tokenizer.json. Prints megabytes of text a second for both,
the best and the median of the rounds, and their ratios; ids are compared by a hash.
"""
import argparse
import hashlib
import json
import os
import statistics
import subprocess
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers  # noqa: E402


def texts_of(path):
    rows = (json.loads(line) for line in open(path, encoding="utf-8"))
    return [row["question"] + "\n" + row["answer"] for row in rows]


def theirs(tokenizer, texts, fast):
    """Seconds for all texts; `fast` leaves out offsets, as `encode_fast` of the library does."""
    encode = tokenizer.encode_batch_fast if fast else tokenizer.encode_batch
    start = time.perf_counter()
    encoded = encode(texts, add_special_tokens=False)
    seconds = time.perf_counter() - start
    digest = hashlib.md5()
    for one in encoded:
        digest.update(",".join(map(str, one.ids)).encode() + b"\n")
    return seconds, digest.hexdigest()


def ours(bench, model, data):
    made = json.loads(subprocess.run([bench, model, data], check=True, capture_output=True, text=True).stdout)
    return made["seconds"], hashlib.md5(made["ids"].encode()).hexdigest()


def main():
    parser = argparse.ArgumentParser()
    for name in ("bench", "model", "data"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    texts = texts_of(args.data)
    megabytes = sum(len(t.encode()) for t in texts) / 1e6
    tokenizer = tokenizers.Tokenizer.from_file(args.model + "/tokenizer.json")
    speeds = {"aha": [], "tokenizers": [], "tokenizers, no offsets": []}
    hashes = set()
    for _ in range(args.rounds):
        for name, run in (("aha", lambda: ours(args.bench, args.model, args.data)),
                          ("tokenizers", lambda: theirs(tokenizer, texts, False)),
                          ("tokenizers, no offsets", lambda: theirs(tokenizer, texts, True))):
            seconds, digest = run()
            hashes.add(digest)
            speeds[name].append(megabytes / seconds)
    print(f"{len(texts)} texts, {megabytes:.2f} MB, tokenizers {tokenizers.__version__}, ids {'equal' if len(hashes) == 1 else 'DIFFER'}")
    for name, values in speeds.items():
        ratios = [a / b for a, b in zip(speeds["aha"], values)]
        print(f"{name:24} best {max(values):6.2f} MB/s, median {statistics.median(values):6.2f}; aha is {statistics.median(ratios):.2f}x")


if __name__ == "__main__":
    main()
