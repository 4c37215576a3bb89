#!/usr/bin/env python3
"""Writes the golden numbers of tests/trainer/metrics: python make_golden.py (in this folder).

reduce.json       TRL's own nanstd and TRL's formulas in torch (float64) on random scored groups; pass@k by
                  exact counting of subsets; majority by collections.Counter
reflection.json   Python's re, on random texts and on the corner cases
tensorboard.json  bytes written by the tensorboard package
Needs numpy, torch, trl, tensorboard.
"""
import io
import itertools
import json
import math
import platform
import random
import re
from collections import Counter
from fractions import Fraction
from importlib.metadata import version

import numpy as np
import torch
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
from trl.trainer.utils import nanstd


def versions(*packages):
    return {name: version(name) for name in packages}


def write(name, value):
    with open(name, "w") as file:
        json.dump(value, file, indent=1, allow_nan=False)
        file.write("\n")


def null(value):
    value = float(value)
    return None if math.isnan(value) else value


def random_case(rng, groups, generations, unjudged):
    """A batch in our terms: per completion length, truncated, two rewards, answer, prompt length."""
    weights = [1.0, 0.5]
    batch = []
    for g in range(groups):
        prompt_length = rng.randint(1, 20)
        rows = []
        for _ in range(generations):
            none = rng.random() < unjudged
            right = rng.random() < (0.0, 0.4, 1.0)[g % 3]
            rows.append({
                "length": rng.randint(1, 64),
                "truncated": rng.random() < 0.3,
                "parts": [None, None] if none else [float(right), round(-rng.random(), 3) if g % 3 == 1 else 0.0],
                "answer": "7" if right else rng.choice(["", "5", "6", "8"]),
            })
        batch.append({"prompt_length": prompt_length, "completions": rows})
    return {"weights": weights, "groups": batch}


def trl_metrics(case, generations):
    """The lines of GRPOTrainer._generate and ._generate_and_score_completions that log these."""
    rows = [row for group in case["groups"] for row in group["completions"]]
    lengths = torch.tensor([row["length"] for row in rows], dtype=torch.float64)
    truncated = torch.tensor([row["truncated"] for row in rows])
    terminated = lengths[~truncated]
    if len(terminated) == 0:
        terminated = torch.zeros(1, dtype=torch.float64)
    per_func = torch.tensor([[math.nan if p is None else p for p in row["parts"]] for row in rows],
                            dtype=torch.float64)
    unscorable = torch.isnan(per_func).all(dim=1)
    rewards = (per_func * torch.tensor(case["weights"], dtype=torch.float64).unsqueeze(0)).nansum(dim=1)
    rewards[unscorable] = torch.nan
    if generations > 1:
        std = nanstd(rewards.view(-1, generations), dim=1).repeat_interleave(generations, dim=0)
    else:
        std = torch.zeros_like(rewards)
    is_std_zero = torch.isclose(std, torch.zeros_like(std))
    out = {
        "completions/mean_length": lengths.mean(),
        "completions/min_length": lengths.min(),
        "completions/max_length": lengths.max(),
        "completions/clipped_ratio": truncated.double().mean(),
        "completions/mean_terminated_length": terminated.mean(),
        "completions/min_terminated_length": terminated.min(),
        "completions/max_terminated_length": terminated.max(),
        "reward": torch.nanmean(rewards),
        "reward_std": nanstd(rewards),
        "frac_reward_zero_std": is_std_zero.double().mean(),
        "unjudged_ratio": unscorable.double().mean(),
    }
    for i, name in enumerate(["first", "second"]):
        out[f"rewards/{name}/mean"] = torch.nanmean(per_func[:, i])
        out[f"rewards/{name}/std"] = nanstd(per_func[:, i])
    prompt_lengths = torch.tensor([g["prompt_length"] for g in case["groups"] for _ in g["completions"]])
    tokens = (prompt_lengths.sum() + lengths.sum()).item()
    return {key: null(value) for key, value in out.items()}, tokens


def accuracy_values(case, ks):
    out, groups = {}, []
    for group in case["groups"]:
        groups.append([None if r["parts"][0] is None else r["parts"][0] > 0.5 for r in group["completions"]])
    judged = np.array([c for g in groups for c in g if c is not None], dtype=float)
    out["accuracy"] = null(judged.mean())
    lengths = [(r["length"], c) for g, cs in zip(case["groups"], groups) for r, c in zip(g["completions"], cs)]
    for name, want in (("correct", True), ("wrong", False)):
        some = [length for length, c in lengths if c is want]
        out[f"completions/mean_length_{name}"] = null(np.mean(some)) if some else None
    # The ratio estimator, with numpy: p = sum y / sum m, var = P/(P-1) sum (y - p m)^2 / (sum m)^2.
    y = np.array([sum(bool(c) for c in g if c is not None) for g in groups if any(c is not None for c in g)], float)
    m = np.array([sum(c is not None for c in g) for g in groups if any(c is not None for c in g)], float)
    p = y.sum() / m.sum()
    stderr = math.sqrt(len(m) * np.var(y - p * m, ddof=1) / m.sum() ** 2) if len(m) > 1 else None
    for k in ks:
        chances, majority = [], []
        for group, cs in zip(case["groups"], groups):
            known = [c for c in cs if c is not None]
            if len(known) >= k:
                subsets = list(itertools.combinations(known, k))
                chances.append(Fraction(sum(any(s) for s in subsets), len(subsets)))
            if len(cs) >= k and known:
                votes = [(r["answer"], bool(c)) for r, c in zip(group["completions"][:k], cs[:k])
                         if c is not None and r["answer"]]
                top = Counter(a for a, _ in votes).most_common(1)
                majority.append(bool(top) and dict(reversed(votes))[top[0][0]])
        out[f"pass@{k}"] = float(sum(chances) / len(chances)) if chances else None
        out[f"maj@{k}"] = float(np.mean(majority)) if majority else None
    return out, stderr


def make_reduce():
    rng = random.Random(20)
    cases = []
    for groups, generations, unjudged in ((6, 8, 0.0), (6, 8, 0.2), (5, 4, 0.6), (7, 1, 0.0), (1, 2, 0.0), (3, 2, 0.5)):
        case = random_case(rng, groups, generations, unjudged)
        if groups == 1:
            for row in case["groups"][0]["completions"]:
                row["truncated"] = True  # none terminated
        ks = [k for k in (1, 2, 4, 8) if k <= generations]
        case["trl"], case["num_tokens"] = trl_metrics(case, generations)
        case["accuracy"], case["accuracy_stderr"] = accuracy_values(case, ks)
        case["pass_at_k"] = ks
        cases.append(case)
    table = []
    for n, c, k in ((1, 0, 1), (1, 1, 1), (5, 0, 3), (5, 1, 3), (5, 2, 3), (5, 3, 3), (8, 3, 1), (8, 3, 4), (10, 2, 10),
                    (64, 5, 16), (200, 7, 100), (2000, 3, 1000)):
        table.append([n, c, k, float(1 - Fraction(math.comb(n - c, k), math.comb(n, k)))])
    gaps = np.random.default_rng(3)
    rollout = gaps.normal(-2, 1, 200).astype(np.float32)
    training = (rollout + gaps.normal(0, 0.01, 200)).astype(np.float32)
    d = training.astype(np.float64) - rollout.astype(np.float64)
    w = np.exp(np.longdouble(d))
    gap = {"rollout": [float(v) for v in rollout], "training": [float(v) for v in training],
           "sampling/sampling_logp_difference/mean": float(np.abs(d).mean()),
           "sampling/sampling_logp_difference/max": float(np.abs(d).max()),
           "mismatch_kl": float((w - np.log(w) - 1).mean())}
    write("reduce.json", {"made_by": "make_golden.py", "versions": versions("numpy", "torch", "trl"),
                          "cases": cases, "pass_at_k": table, "gap": gap})


def make_reflection():
    lists = [["wait", "recheck", "retry", "alternatively", "however", "mistake", "verify", "check"],
             ["check again", "check", "double-check", "wait,", "think again"]]
    texts = ["", "wait", "Wait, WAIT. wait! waiting await wait_ wait1 wait", "re-check double-check check again",
             "check  \n again check again and check\tagain", "checkagain check agains", "\u201cwait\u201d\u2014wait\u2026",
             "However, I made a mistake; retry: verify.", "wait wait wait wait", "check again again", "wait,wait,"]
    rng = random.Random(5)
    pieces = ["wait", "Wait", "check", "again", "double-check", "CHECK AGAIN", "recheck", "verify", " ", "  ", ",", ".", "x",
              "_", "9", "\n", "however", "-", "\u2014"]
    texts += ["".join(rng.choice(pieces) for _ in range(rng.randint(1, 60))) for _ in range(300)]
    rows = []
    for text in texts:
        counts = []
        for words in lists:
            ordered = sorted(words, key=len, reverse=True)
            one = "|".join(
                ("(?<![A-Za-z0-9_])" if re.match("[A-Za-z0-9_]", w[0]) else "")
                + r"\s+".join(re.escape(part) for part in w.split())
                + ("(?![A-Za-z0-9_])" if re.match("[A-Za-z0-9_]", w[-1]) else "") for w in ordered)
            counts.append(len(re.findall(one, text, re.IGNORECASE | re.ASCII)))
        rows.append({"text": text, "counts": counts})
    write("reflection.json", {"made_by": "make_golden.py", "python": platform.python_version(),
                              "lists": lists, "rows": rows})


def make_tensorboard():
    def record(event):
        buffer = io.BytesIO()
        RecordWriter(buffer).write(event.SerializeToString())
        return buffer.getvalue().hex()

    events = [{"wall_time": 1700000000.25, "version": True}]
    for wall, step, values in ((1700000001.5, 0, [("reward", 0.0)]), (1700000002.0, 1, [("loss", -0.125), ("kl", 1e-8)]),
                               (0.0, 300, [("rewards/accuracy/mean", 0.5)]),
                               (1e9 + 1 / 3, 2**40 + 5, [("x" * 200, 3.4e38), ("pass@4", 1 / 3)])):
        events.append({"wall_time": wall, "step": step, "scalars": values})
    for row in events:
        if row.get("version"):
            event = event_pb2.Event(wall_time=row["wall_time"], file_version="brain.Event:2")
        else:
            values = [summary_pb2.Summary.Value(tag=t, simple_value=v) for t, v in row["scalars"]]
            event = event_pb2.Event(wall_time=row["wall_time"], step=row["step"],
                                    summary=summary_pb2.Summary(value=values))
        row["record"] = record(event)
    write("tensorboard.json", {"made_by": "make_golden.py", "versions": versions("tensorboard", "protobuf"),
                               "events": events})


make_reduce()
make_reflection()
make_tensorboard()
