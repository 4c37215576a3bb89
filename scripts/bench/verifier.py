"""Scores the same rows with Math-Verify and aha's reward `math`, one thread each: rows a second, the slowest hundredth, and how often
each agrees with `expected` where the rows have it.

  python verifier.py ROWS.jsonl --bench BENCH_VERIFIER [--rounds 5]
"""
import argparse
import importlib.metadata
import json
import logging
import subprocess
import time

from math_verify import parse, verify


def theirs(rows, rounds):
    best = [float("inf")] * len(rows)
    scores = [None] * len(rows)
    for _ in range(rounds):
        for i, row in enumerate(rows):
            start = time.perf_counter()
            gold = parse(row["gold"], parsing_timeout=None)
            if gold:
                prediction = parse(row["prediction"], parsing_timeout=None)
                try:
                    scores[i] = float(verify(gold, prediction, timeout_seconds=None))
                except Exception:  # noqa: BLE001 - a verifier that raises has not judged
                    scores[i] = None
            best[i] = min(best[i], (time.perf_counter() - start) * 1e6)
    return best, scores


def agreement(rows, scores):
    labelled = [(row["expected"], score) for row, score in zip(rows, scores)
                if "expected" in row and row.get("tier", "core") == "core"]
    return f"{sum(e == s for e, s in labelled)} of {len(labelled)}" if labelled else "-"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows")
    parser.add_argument("--bench", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    rows = [json.loads(line) for line in open(args.rows, encoding="utf-8")]
    ours = json.loads(subprocess.run([args.bench, args.rows, "math", str(args.rounds)], check=True, capture_output=True, text=True).stdout)
    best, scores = theirs(rows, args.rounds)
    ordered = sorted(best)
    speed = 1e6 * len(rows) / sum(best)
    print(f"{'':<14} {'rows/s':>10} {'p50 us':>10} {'p99 us':>10} {'max us':>10}  agrees (core)")
    print(f"{'math-verify':<14} {speed:>10.0f} {ordered[len(rows) // 2]:>10.0f} {ordered[int(0.99 * (len(rows) - 1))]:>10.0f} "
          f"{ordered[-1]:>10.0f}  {agreement(rows, scores)}")
    print(f"{'aha math':<14} {ours['rows_per_s']:>10.0f} {ours['p50_us']:>10.0f} {ours['p99_us']:>10.0f} {ours['max_us']:>10.0f}  "
          f"{agreement(rows, ours['scores'])}")
    same = sum(a == b for a, b in zip(scores, ours["scores"]))
    print(f"{ours['rows_per_s'] / speed:.0f} times as fast on one thread; the same verdict on {same} of {len(rows)} rows "
          f"(math-verify {importlib.metadata.version('math-verify')}, sympy {importlib.metadata.version('sympy')})")


main()
