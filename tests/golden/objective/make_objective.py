#!/usr/bin/env python3
"""Writes objective.json: advantages by NumPy and losses by PyTorch autograd, in float64, from the papers' formulas.

Run in this folder: python make_objective.py (needs numpy, torch, trl). The loss formulas are first compared with TRL's
own trainer where it has them. Inputs are rounded to float32 first, so that both sides read the same
numbers. Written without a look at the C++ sources' structure: whole padded batches, boolean masks, autograd.
"""
import json
from importlib.metadata import version

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(20240521)
f32 = lambda x: np.asarray(x, np.float32).astype(np.float64)


# --- advantages ------------------------------------------------------------------------------------------------------

def make_groups():
    """Rewards with spread, one flat group, unjudged completions, one group with a single judged completion."""
    totals = [[1.0, 0.0, 0.5, 1.5], [0.3, 0.3, 0.3, 0.3], [None, 2.0, -1.0, 0.25], [None, None, 0.7, None],
              [0.0, 0.0, 0.0, 1.0], [0.1, 0.2, None, 0.9]]
    groups = []
    for g, row in enumerate(totals):
        completions = []
        for total in row:
            length = int(rng.integers(1, 7))
            sampled = [1] * length
            if length > 3:
                sampled[1] = 0  # a given token in the middle
            parts = None
            if total is not None:
                second = 0.25 if g == 1 else float(f32(rng.uniform(0, 1)))
                parts = [total - 0.5 * second, second]
            completions.append({"total": total, "sampled": sampled, "parts": parts,
                                "log_ratio_ref": f32(rng.normal(0, 0.3, length)).tolist()})
        groups.append({"ordinal": 10 + g, "completions": completions})
    return groups


def estimate(name, groups, beta, scale="group", ddof=1, eps=1e-4):
    shape = (len(groups), len(groups[0]["completions"]))
    cell = lambda f: np.array([[f(c) for c in g["completions"]] for g in groups], float)
    r = cell(lambda c: np.nan if c["total"] is None else c["total"])
    lengths = cell(lambda c: sum(c["sampled"]))
    k1 = cell(lambda c: np.dot(c["sampled"], c["log_ratio_ref"]))
    judged = ~np.isnan(r)
    n = judged.sum(1, keepdims=True)

    def row_mean(x):
        return np.nansum(x, 1, keepdims=True) / np.maximum(n, 1)

    def row_std(x):
        return np.sqrt(np.nansum((x - row_mean(x)) ** 2, 1, keepdims=True) / np.maximum(n - ddof, 1))

    def over_batch(x, keep):
        values = x[keep]
        return values.mean(), values.std(ddof=ddof)

    def tokens_whitened(x, keep):
        w = np.where(keep, lengths, 0).astype(int)
        repeated = np.repeat(x.ravel(), w.ravel())  # every token carries its completion's value
        return (x - repeated.mean()) / np.sqrt(repeated.var(ddof=ddof) + 1e-8)

    tokens = None
    if name == "reinforce_pp" and beta != 0:
        returns = []
        for g in groups:
            for c in g["completions"]:
                if c["total"] is None:
                    continue
                s = np.array(c["sampled"], bool)
                reward = -beta * np.array(c["log_ratio_ref"])[s]
                reward[-1] += c["total"]
                returns.append(np.cumsum(reward[::-1])[::-1])
        flat = np.concatenate(returns)
        mean, scale_ = flat.mean(), np.sqrt(flat.var(ddof=ddof) + 1e-8)
        tokens, values, it = [], np.zeros(shape), iter(returns)
        for i, g in enumerate(groups):
            tokens.append([])
            for j, c in enumerate(g["completions"]):
                out = np.zeros(len(c["sampled"]))
                if c["total"] is not None:
                    out[np.array(c["sampled"], bool)] = (next(it) - mean) / scale_
                    values[i, j] = out.sum() / sum(c["sampled"])
                tokens[-1].append(out.tolist())
        return values.tolist(), tokens

    r = r - beta * k1
    centred = r - row_mean(r)
    if name == "group_norm":
        std = {"group": row_std(r), "batch": over_batch(r, judged)[1], "none": 1 - eps}[scale]
        a = centred / (std + eps)
    elif name == "rloo":
        a = np.full(shape, np.nan)
        for i, j in np.ndindex(shape):
            others = [r[i, k] for k in range(shape[1]) if k != j and judged[i, k]]
            if judged[i, j]:
                a[i, j] = r[i, j] - np.mean(others) if others else 0
        if scale == "batch":
            mean, std = over_batch(a, judged & (n > 1))
            a = np.where(np.abs(a) < 1e-12, 0, (a - mean) / (std + eps))
    elif name == "reinforce_pp":
        a = tokens_whitened(r, judged)
    elif name == "reinforce_pp_baseline":
        keep = judged & (n > 1)
        a = np.where(keep, tokens_whitened(centred, keep), 0)
    elif name == "gdpo":
        a = np.zeros(shape)
        for k, weight in enumerate((1.0, 0.5)):
            part = cell(lambda c: np.nan if c["parts"] is None else c["parts"][k])
            a = a + weight * (part - row_mean(part)) / (row_std(part) + eps)
        mean, std = over_batch(a, judged & (n > 1))
        a = np.where(np.abs(a) < 1e-12, 0, (a - mean) / (std + eps))
    elif name == "opo":
        a = r - np.nansum(lengths * r, 1, keepdims=True) / np.sum(lengths * judged, 1, keepdims=True)
    elif name == "max_rl":
        m = row_mean(r)
        a = np.where(m > 0, centred / np.where(m > 0, m, 1), 0)
    return np.where(judged, a, 0).tolist(), None


def advantage_cases(groups):
    cases = []
    for name, scales in (("group_norm", ("group", "batch", "none")), ("rloo", ("none", "batch")),
                         ("reinforce_pp", ("group",)), ("reinforce_pp_baseline", ("group",)), ("gdpo", ("group",)),
                         ("opo", ("none",)), ("max_rl", ("none",))):
        for scale in scales:
            for ddof in (0, 1):
                for beta in (0.0, 0.1):
                    if beta and name == "gdpo":
                        continue
                    eps = 1e-6 if ddof == 0 else 1e-4
                    values, tokens = estimate(name, groups, beta, scale, ddof, eps)
                    cases.append({"objective": {"advantage_estimator": name, "scale_rewards": scale, "std_ddof": ddof,
                                                "std_epsilon": eps, "beta": beta, "kl_in": "reward"},
                                  "values": values, "tokens": tokens})
    return cases


# --- losses ----------------------------------------------------------------------------------------------------------

N, T = 9, 6
LENGTHS = [6, 1, 4, 3, 5, 2, 4, 3, 2]


def make_batch():
    """Rows of different lengths: given tokens inside, a fully masked row (7), an excluded one (4)."""
    valid = np.arange(T)[None] < np.array(LENGTHS)[:, None]
    mask = valid.copy()
    mask[0, 2] = mask[2, 1] = mask[6, 0] = False
    mask[7] = False
    lp = f32(-rng.gamma(1.5, 0.8, (N, T)))
    batch = {"old": f32(lp + rng.choice([-1.6, -0.5, -0.1, 0.0, 0.1, 0.4, 1.2], (N, T)) + rng.normal(0, 0.02, (N, T))),
             "lp": lp, "ref": f32(lp + rng.normal(0, 0.5, (N, T))), "entropy": f32(rng.gamma(2, 0.4, (N, T))),
             "old_entropy": f32(rng.gamma(2, 0.4, (N, T))), "advantage": f32(rng.normal(0, 1, N)),
             "token_advantage": f32(rng.normal(0, 1, (N, T)))}
    batch["advantage"][5] = 0.0
    excluded = np.zeros(N, bool)
    excluded[4] = True
    return batch, valid, mask, excluded


DEFAULTS = {"policy_loss": "clip", "importance_sampling_level": "token", "aggregation": "token-mean", "epsilon": 0.2,
            "epsilon_high": 0.28, "delta": None, "dual_clip": None, "is_cap_low": 0.0, "is_cap_high": 5.0,
            "gmpo_clip": 0.4, "sapo_temperature_pos": 1.0, "sapo_temperature_neg": 1.05, "beta": 0.0,
            "kl_estimator": "k3", "use_bias_correction_kl": False, "entropy_coef": 0.0, "top_entropy_quantile": 1.0}
L_MAX = 10


def loss(o, batch, mask, excluded, token_level):
    lp = torch.tensor(batch["lp"], requires_grad=True)
    entropy = torch.tensor(batch["entropy"], requires_grad=True)
    old, ref, old_entropy = (torch.tensor(batch[k]) for k in ("old", "ref", "old_entropy"))
    m = torch.tensor(mask & ~excluded[:, None]).double()
    a = torch.tensor(batch["token_advantage"]) if token_level else torch.tensor(batch["advantage"])[:, None].expand(N, T)
    n = m.sum(1, keepdim=True).clamp(min=1)
    x = (lp - old).clamp(-20, 20)
    seq_mean = ((lp - old) * m).sum(1, keepdim=True) / n
    level = o["importance_sampling_level"]
    log_r = {"token": x, "sequence": seq_mean.expand(N, T), "sequence_sum": (seq_mean * n).clamp(-20, 20).expand(N, T),
             "sequence_token": seq_mean.detach() + lp - lp.detach()}[level]
    r = log_r.exp()
    kind = o["policy_loss"]
    low, high = 1 - o["epsilon"], 1 + o["epsilon_high"]
    if kind == "clip":
        first = r if o["delta"] is None else r.clamp(max=o["delta"])
        per_token = -torch.min(first * a, r.clamp(low, high) * a)
        if o["dual_clip"] is not None:
            per_token = torch.where(a < 0, torch.min(per_token, -o["dual_clip"] * a), per_token)
        is_low, is_high = (a < 0) & (r < low), (a > 0) & (r > high)
    elif kind == "cispo":
        per_token = -r.clamp(o["is_cap_low"], o["is_cap_high"]).detach() * a * lp
        is_low, is_high = (a < 0) & (r < o["is_cap_low"]), (a > 0) & (r > o["is_cap_high"])
    elif kind == "sapo":
        tau = torch.where(a > 0, o["sapo_temperature_pos"], o["sapo_temperature_neg"])
        per_token = -torch.sigmoid(tau * (r - 1)) * 4 / tau * a
        is_low = is_high = torch.zeros_like(a, dtype=bool)
    elif kind == "gpg":
        per_token = -a * lp
        is_low = is_high = torch.zeros_like(a, dtype=bool)
    else:  # gmpo
        a_seq = (a * m).sum(1, keepdim=True) / n
        c = o["gmpo_clip"]
        sign = a_seq.sign()
        u = sign * torch.min(sign * x, sign * x.clamp(-c, c))
        per_token = (-a_seq * ((u * m).sum(1, keepdim=True) / n).exp()).expand(N, T)
        is_low, is_high = (a_seq < 0) & (x < -c), (a_seq > 0) & (x > c)

    keep = m
    if o["top_entropy_quantile"] < 1:
        threshold = np.quantile(batch["old_entropy"][m.numpy() > 0], 1 - o["top_entropy_quantile"])
        keep = m * (old_entropy >= float(np.float32(threshold)))
    d = lp - ref
    k3 = (-d).exp() + d - 1
    k2 = d ** 2 / 2
    kl = {"k1": d, "k2": k2, "k3": k3, "k3+": k2 - k2.detach() + k3.detach()}[o["kl_estimator"]]
    weighted = kl * x.exp() if o["use_bias_correction_kl"] else kl
    total = per_token * keep + o["beta"] * weighted * m
    bonus = -o["entropy_coef"] * (entropy * keep).sum() / keep.sum()

    sequences = (m.sum(1) > 0).sum()
    aggregate = {"token-mean": lambda v: v.sum() / m.sum(), "seq-mean-token-sum": lambda v: v.sum() / sequences,
                 "seq-mean-token-mean": lambda v: (v.sum(1, keepdim=True) / n).sum() / sequences,
                 "seq-mean-token-sum-norm": lambda v: v.sum() / L_MAX / sequences}[o["aggregation"]]
    value = aggregate(total) + bonus
    value.backward()
    zeros = torch.zeros_like(lp)
    return {"loss": value.item(), "entropy_loss": bonus.item(),
            "kl_sum": (kl * m).sum().item(), "entropy_sum": (entropy * m).sum().item(),
            "tokens": int(m.sum()), "sequences": int(sequences),
            "low": int((is_low * m).sum()), "high": int((is_high * m).sum()),
            "d_logprob": rounded(lp.grad if lp.grad is not None else zeros),
            "d_entropy": rounded(entropy.grad if entropy.grad is not None else zeros)}


def check_with_trl(batch, mask):
    """Our formulas against TRL's own GRPOTrainer._compute_loss, on rows that count. Returns how many cases agreed."""
    from collections import defaultdict
    from types import SimpleNamespace

    from trl.trainer.grpo_trainer import GRPOTrainer

    rows = [i for i in range(N) if mask[i].any()]
    sub = {k: v[rows] for k, v in batch.items()}
    m = torch.tensor(mask[rows]).long()
    kinds = {"grpo": ("clip", "seq-mean-token-mean"), "dapo": ("clip", "token-mean"),
             "dr_grpo": ("clip", "seq-mean-token-sum-norm"), "cispo": ("cispo", "token-mean"),
             "sapo": ("sapo", "seq-mean-token-mean"), "luspo": ("clip", "seq-mean-token-sum")}
    checked = 0
    for loss_type, (kind, aggregation) in kinds.items():
        for level in ("token", "sequence"):
            for beta, corrected, q, coef, delta in ((0, False, 1.0, 0, None), (.04, False, 1.0, .01, None),
                                                    (.1, level == "token", .3, .02, 2.0)):
                if level == "sequence" and loss_type == "luspo" and not (beta or coef):
                    continue  # TRL then sums one value a sequence, not one a token
                o = {**DEFAULTS, "policy_loss": kind, "aggregation": aggregation, "importance_sampling_level": level,
                     "beta": beta, "use_bias_correction_kl": corrected, "top_entropy_quantile": q,
                     "entropy_coef": coef, "delta": delta if kind == "clip" else None, "is_cap_low": 0.0}
                lp = torch.tensor(sub["lp"], requires_grad=True)
                entropy = torch.tensor(sub["entropy"])
                trl = SimpleNamespace(
                    top_entropy_quantile=q, off_policy_mask_threshold=None, importance_sampling_level=level,
                    beta=beta, loss_type=loss_type, epsilon_low=o["epsilon"],
                    epsilon_high=o["is_cap_high"] if kind == "cispo" else o["epsilon_high"], use_vllm=False,
                    aux_loss_enabled=False, current_gradient_accumulation_steps=1, max_completion_length=L_MAX,
                    _entropy_bonus_enabled=coef != 0, use_adaptive_entropy=False, entropy_coef=coef,
                    model=SimpleNamespace(training=True),
                    args=SimpleNamespace(use_bias_correction_kl=corrected, delta=o["delta"], steps_per_generation=1,
                                         sapo_temperature_pos=1.0, sapo_temperature_neg=1.05),
                    accelerator=SimpleNamespace(num_processes=1, sync_gradients=True, gather=lambda x: x,
                                                pad_across_processes=lambda x, **_: x, reduce=lambda x, **_: x),
                    _get_per_token_logps_and_entropies=lambda *a, **k: (lp, entropy, None))
                trl._metrics = {"train": defaultdict(list)}
                trl.get_high_entropy_mask = lambda *a: GRPOTrainer.get_high_entropy_mask(trl, *a)
                empty = torch.zeros(len(rows), 0, dtype=torch.long)
                theirs = GRPOTrainer._compute_loss(trl, None, {
                    "prompt_ids": empty, "prompt_mask": empty, "completion_ids": torch.zeros_like(m),
                    "completion_mask": m, "advantages": torch.tensor(sub["advantage"]),
                    "old_per_token_logps": torch.tensor(sub["old"]), "ref_per_token_logps": torch.tensor(sub["ref"]),
                    "num_items_in_batch": m.sum()})
                theirs.backward()
                # TRL takes the entropy threshold from the present entropies, we from the rollout's.
                ours = loss(o, {**batch, "old_entropy": batch["entropy"]}, mask, np.zeros(N, bool), False)
                np.testing.assert_allclose(ours["loss"], theirs.item(), rtol=1e-9, err_msg=f"{loss_type} {o}")
                grad = [row[:n] for row, n in zip(lp.grad.tolist(), [LENGTHS[i] for i in rows])]
                for mine, their in zip([ours["d_logprob"][i] for i in rows], grad):
                    np.testing.assert_allclose(mine, their, rtol=1e-8, atol=1e-12, err_msg=f"{loss_type} {o}")
                checked += 1
    return checked


def rounded(grad):
    return [[float(f"{v:.10g}") for v in row[:n]] for row, n in zip(grad.tolist(), LENGTHS)]


def loss_cases(batch, mask, excluded):
    kinds = [(k, level) for k in ("clip", "cispo", "sapo") for level in
             ("token", "sequence", "sequence_token", "sequence_sum")] + [("gmpo", "token"), ("gpg", "token")]
    kls = ["k1", "k2", "k3", "k3+"]
    cases = []

    def add(token_level=False, **changes):
        o = {**DEFAULTS, **changes}
        cases.append({"objective": {k: v for k, v in o.items() if v is not None}, "token_advantages": token_level,
                      **loss(o, batch, mask, excluded, token_level)})

    count = 0
    for kind, level in kinds:
        for aggregation in ("token-mean", "seq-mean-token-sum", "seq-mean-token-mean", "seq-mean-token-sum-norm"):
            common = {"policy_loss": kind, "importance_sampling_level": level, "aggregation": aggregation}
            add(**common)
            add(**common, token_level=True, beta=0.05, kl_estimator=kls[count % 4], entropy_coef=0.01 * (count % 3),
                use_bias_correction_kl=count % 5 < 2, top_entropy_quantile=(1.0, 0.2, 0.5)[count % 3])
            count += 1
    for kl in kls:
        for corrected in (False, True):
            add(beta=0.04, kl_estimator=kl, use_bias_correction_kl=corrected)
    for level in ("token", "sequence", "sequence_token"):
        add(importance_sampling_level=level, delta=2.0)
        add(importance_sampling_level=level, dual_clip=1.5)
        add(importance_sampling_level=level, epsilon=3e-4, epsilon_high=4e-4, aggregation="seq-mean-token-mean")
    add(delta=2.0, dual_clip=1.5)
    add(policy_loss="cispo", is_cap_low=0.8, is_cap_high=1.2)
    for q in (0.2, 0.33, 0.9):
        add(top_entropy_quantile=q, aggregation="seq-mean-token-mean")
    return cases


groups = make_groups()
batch, valid, mask, excluded = make_batch()
ragged = lambda x: [row[:n].tolist() for row, n in zip(x, LENGTHS)]
result = {
    "made_by": "make_objective.py",
    "versions": {n: version(n) for n in ("numpy", "torch", "trl")},
    "losses_equal_to_trl": check_with_trl(batch, mask),
    "weights": [1.0, 0.5],
    "groups": groups,
    "advantages": advantage_cases(groups),
    "max_completion_length": L_MAX,
    "samples": {**{k: ragged(batch[k]) for k in ("lp", "old", "ref", "entropy", "old_entropy", "token_advantage")},
                "mask": ragged(mask.astype(int)), "advantage": batch["advantage"].tolist(),
                "excluded": excluded.tolist()},
    "losses": loss_cases(batch, mask, excluded),
}
with open("objective.json", "w") as file:
    text = json.dumps(result, indent=None, separators=(",", ":"))
    file.write(text.replace('{"objective"', '\n{"objective"') + "\n")
