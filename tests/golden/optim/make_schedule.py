#!/usr/bin/env python3
"""Writes schedule.json: learning rates of transformers' schedules: python make_schedule.py (in this folder).

rates[i] is what LambdaLR gives to update number i, counted from 0. Needs torch and transformers.
"""
import json
from importlib.metadata import version

import torch
import transformers.optimization as hf

RATE = 3e-3


def rates(make, count):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    scheduler = make(optimizer)
    out = []
    for _ in range(count):
        out.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return out


rows = []
for warmup, total in ((0, 10), (4, 20), (1, 1), (5, 5), (7, 100)):
    def add(kind, min_ratio, name, count, make):
        rows.append({"type": kind, "warmup": warmup, "total": total, "min_lr_ratio": min_ratio, "function": name,
                     "rates": rates(make, count)})

    add("constant", 0.0, "get_constant_schedule_with_warmup", total + 5,
        lambda o: hf.get_constant_schedule_with_warmup(o, warmup))
    add("linear", 0.0, "get_linear_schedule_with_warmup", total + 5,
        lambda o: hf.get_linear_schedule_with_warmup(o, warmup, total))
    if total > warmup:  # divides by total - warmup
        add("linear", 0.25, "get_polynomial_decay_schedule_with_warmup(power=1)", total + 5,
            lambda o: hf.get_polynomial_decay_schedule_with_warmup(o, warmup, total, lr_end=0.25 * RATE, power=1.0))
    # transformers' cosine rises again after `total`: compared up to its end.
    add("cosine", 0.0, "get_cosine_schedule_with_warmup", total + 1,
        lambda o: hf.get_cosine_schedule_with_warmup(o, warmup, total))
    add("cosine", 0.1, "get_cosine_with_min_lr_schedule_with_warmup", total + 1,
        lambda o: hf.get_cosine_with_min_lr_schedule_with_warmup(o, warmup, total, min_lr_rate=0.1))

with open("schedule.json", "w") as file:
    json.dump({"made_by": "make_schedule.py", "versions": {n: version(n) for n in ("torch", "transformers")},
               "learning_rate": RATE, "schedules": rows}, file, indent=1)
    file.write("\n")
