#!/usr/bin/env python3
"""Writes adamw.json: torch.optim.AdamW and clip_grad_norm_ in float64: python make_adamw.py (in this folder).

Two parameters, of which the second has no weight decay, as norms and biases have not. Needs torch.
"""
import json

import torch

torch.manual_seed(0)
SIZES = (37, 20)
UPDATES = 6


def run(case, start, grads):
    params = [torch.nn.Parameter(p.double().clone()) for p in start]
    optimizer = torch.optim.AdamW(
        [{"params": [params[0]], "weight_decay": case["weight_decay"]}, {"params": [params[1]], "weight_decay": 0.0}],
        lr=1.0, betas=(case["adam_beta1"], case["adam_beta2"]), eps=case["adam_epsilon"])
    norms = []
    for update, rate in enumerate(case["rates"]):
        for group in optimizer.param_groups:
            group["lr"] = rate
        for p, g in zip(params, grads[update]):
            p.grad = g.double().clone()
        bound = case["max_grad_norm"] or float("inf")
        norms.append(torch.nn.utils.clip_grad_norm_(params, bound).item())
        optimizer.step()
    flat = lambda key: sum((optimizer.state[p][key].tolist() for p in params), [])
    return {**case, "norms": norms, "values": sum((p.tolist() for p in params), []), "exp_avg": flat("exp_avg"),
            "exp_avg_sq": flat("exp_avg_sq")}


start = [torch.randn(n) for n in SIZES]
grads = [[torch.randn(n) * 10.0 ** (u % 3 - 1) for n in SIZES] for u in range(UPDATES)]
base = {"adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8, "weight_decay": 0.0, "max_grad_norm": 0.0,
        "rates": [1e-3] * UPDATES}
cases = [base, {**base, "weight_decay": 0.1}, {**base, "max_grad_norm": 1.0},
         {**base, "adam_beta2": 0.95, "weight_decay": 0.01, "max_grad_norm": 2.5, "rates": [0.0, 1e-3, 5e-3, 1e-2, 1e-3, 1e-4]},
         {**base, "adam_beta1": 0.8, "adam_epsilon": 1e-3}]
with open("adamw.json", "w") as file:
    json.dump({"made_by": "make_adamw.py", "versions": {"torch": torch.__version__}, "sizes": SIZES,
               "start": sum((p.tolist() for p in start), []),
               "grads": [sum((g.tolist() for g in update), []) for update in grads],
               "cases": [run(case, start, grads) for case in cases]}, file, indent=1)
    file.write("\n")
