#!/usr/bin/env python3
"""Writes tests/golden/model: tiny random models and what transformers says of them.

Run from the repository root with torch, transformers, safetensors and numpy installed:
    python scripts/make_golden.py [FAMILY...]
The tests never run it; the versions it ran with are inside the files it wrote.
tests/golden/model/README.md names every tensor.
"""
import json
import pathlib
import shutil
import sys

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import (AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM,
                          MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper,
                          TopPLogitsWarper)
from transformers.models.llama import modeling_llama

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/model"
N, T, V = 3, 12, 50
FAMILY_N, FAMILY_T, GREEDY = 2, 40, 64
VERSIONS = {
    "generator": "scripts/make_golden.py",
    "torch": torch.__version__.split("+")[0],
    "transformers": transformers.__version__,
    "numpy": np.__version__,
}


def rms_norm_without_cast(self, x):
    """transformers rounds to f32 inside its norm; these goldens are f64 throughout."""
    return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)


def tiny_llama(seed, **settings):
    config = LlamaConfig(vocab_size=V, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
                         num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
                         bos_token_id=1, eos_token_id=2, pad_token_id=0, attn_implementation="sdpa",
                         **settings)
    model = LlamaForCausalLM(config)
    return model, fill(model, seed)


def fill(model, seed):
    random = np.random.default_rng(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            values = random.normal(size=p.shape)
            p.copy_(torch.from_numpy(1 + 0.1 * values if "norm" in name else 0.2 * values))
    return random


def answers(model, random, N=N, T=T, prompt=4, count=20, mixed=True):
    """Every number in f64 (cos and sin of the rotary embedding are transformers' f32)."""
    model = model.double()
    ids = torch.from_numpy(random.integers(3, model.config.vocab_size, size=(N, T)))
    mask = torch.from_numpy((random.random((N, T)) < 0.6).astype(np.int64))
    mask[:, 0] = 0  # the first token is predicted by nothing
    logits = model(ids).logits
    log_p = torch.log_softmax(logits, -1)
    entropies = -(log_p.exp() * log_p).sum(-1)
    logprobs = log_p[:, :-1].gather(-1, ids[:, 1:, None])[..., 0]
    loss = -(logprobs * mask[:, 1:]).sum() / mask[:, 1:].sum()
    logprob_weights = torch.from_numpy(random.normal(size=(N, T - 1)))
    entropy_weights = torch.from_numpy(random.normal(size=(N, T - 1)))
    mix = (logprob_weights * logprobs).sum() + (entropy_weights * entropies[:, :-1]).sum()

    out = {"ids": ids, "mask": mask, "logits": logits, "logprobs": logprobs, "entropies": entropies,
           "loss": loss[None], "mix_logprob_weights": logprob_weights,
           "mix_entropy_weights": entropy_weights, "mix_loss": mix[None]}
    names, parameters = zip(*model.named_parameters())
    if not mixed:
        out = {name: value for name, value in out.items() if not name.startswith("mix")}
    for prefix, value in (("grad.", loss), ("mix_grad.", mix))[:2 if mixed else 1]:
        for name, g in zip(names, torch.autograd.grad(value, parameters, retain_graph=True)):
            out[prefix + name] = g
    out["greedy_prompt"] = ids[0, :prompt].clone()
    out["greedy"] = greedy(model, ids[:1, :prompt], count)
    return {k: v.detach().to(torch.int64 if v.dtype == torch.int64 else torch.float32).contiguous()
            for k, v in out.items()}


class TooNear(Exception):
    pass


def greedy(model, ids, count):
    start = ids.shape[1]
    with torch.no_grad():
        for _ in range(count):
            logits = model(ids).logits[0, -1]
            best = logits.topk(2).values
            if best[0] - best[1] <= 1e-3:
                raise TooNear("two tokens are too near for a test in f32: take another seed")
            ids = torch.cat([ids, logits.argmax()[None, None]], 1)
    return ids[0, start:]


def check_against_f32(folder, golden):
    """The numbers above must be those of the untouched f32 model, too."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        gap = (model(golden["ids"]).logits - golden["logits"]).abs().max()
    assert gap < 1e-5 * golden["logits"].abs().max(), gap
    print(f"{folder.name}: f32 transformers differs by at most {gap:.1e}")


def write_model(name, seed, **settings):
    model, random = tiny_llama(seed, **settings)
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    forward = modeling_llama.LlamaRMSNorm.forward
    modeling_llama.LlamaRMSNorm.forward = rms_norm_without_cast
    golden = answers(model, random)
    modeling_llama.LlamaRMSNorm.forward = forward
    save_file(golden, OUT / f"{name}_golden.safetensors", VERSIONS)
    check_against_f32(folder, golden)


def linear(count, low, high):
    return [round(float(x), 3) for x in np.linspace(low, high, count)]


ROPE = {"rope_theta": 10000.0, "rope_type": "default"}
LONG_ROPE = {"rope_theta": 10000.0, "rope_type": "longrope", "partial_rotary_factor": 0.75,
             "short_factor": linear(6, 1.0, 1.4), "long_factor": linear(6, 1.1, 3.0),
             "original_max_position_embeddings": 72}
# wavelengths of theta 100 in 8 dimensions: 6, 20, 63, 199; of the context of 32: kept below 8,
# stretched above 32
LLAMA3_ROPE = {"rope_theta": 100.0, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 32}

# name: model_type, settings
FAMILIES = {
    "llama_linear": ("llama", dict(rope_parameters={**ROPE, "rope_type": "linear", "factor": 4.0},
                                   head_dim=8)),
    "llama3": ("llama", dict(rope_parameters=LLAMA3_ROPE, head_dim=8, tie_word_embeddings=True,
                             rms_norm_eps=1e-5)),
    "qwen2": ("qwen2", dict(rope_parameters={**ROPE, "rope_theta": 1e6}, tie_word_embeddings=True)),
    "qwen3": ("qwen3", dict(rope_parameters={**ROPE, "rope_theta": 1e6}, head_dim=12)),
    "mistral": ("mistral", dict(rope_parameters=ROPE, head_dim=8, sliding_window=None,
                                rms_norm_eps=1e-5)),
    "phi3": ("phi3", dict(rope_parameters={**ROPE, "partial_rotary_factor": 0.5})),
    "phi3_longrope": ("phi3", dict(rope_parameters=LONG_ROPE, num_attention_heads=2,
                                   num_key_value_heads=1,
                                   original_max_position_embeddings=72, tie_word_embeddings=True)),
}


def tiny(family, **settings):
    """A random model of a family; GQA, all biases and norms away from their first values."""
    settings = {"vocab_size": 40, "hidden_size": 32, "intermediate_size": 24,
                "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
                "max_position_embeddings": 160, "bos_token_id": 1, "eos_token_id": 2,
                "pad_token_id": 0, "rms_norm_eps": 1e-6, "initializer_range": 0.02,
                "tie_word_embeddings": False, **settings}
    config = AutoConfig.for_model(family, **settings)
    return AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")


def family_answers(name, seed):
    """A model and its goldens by suffix; longrope has two, since lengths choose its factors."""
    family, settings = FAMILIES[name]
    model = tiny(family, **settings)
    random = fill(model, seed)
    lengths = {"": (FAMILY_T, 4)}
    if name == "phi3_longrope":
        lengths = {"_short": (FAMILY_T, 4), "_long": (80, 76)}
    norm = type(model.model.norm)
    forward = norm.forward
    norm.forward = rms_norm_without_cast
    try:
        goldens = {suffix: answers(model, random, FAMILY_N, length, prompt, GREEDY, mixed=False)
                   for suffix, (length, prompt) in lengths.items()}
    finally:
        norm.forward = forward
    return model.float(), goldens


def write_family(name, seed):
    """With the first of seed, seed + 100, ... of which no greedy step is a near tie."""
    while True:
        try:
            model, goldens = family_answers(name, seed)
            break
        except TooNear:
            seed += 100
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    for suffix, golden in goldens.items():
        save_file(golden, OUT / f"{name}{suffix}_golden.safetensors", VERSIONS)
        check_against_f32(folder, golden)


def write_sharded():
    """The tied model again, in bfloat16 and several files with an index."""
    folder = OUT / "tied_bf16_sharded"
    shutil.rmtree(folder, ignore_errors=True)
    model = LlamaForCausalLM.from_pretrained(OUT / "tied", dtype=torch.bfloat16)
    model.save_pretrained(folder, max_shard_size="15KB")
    (folder / "generation_config.json").unlink()


def write_rounding():
    """What torch makes of f32 in bfloat16, and of float16 in f32; no NaN among them."""
    random = np.random.default_rng(3)
    bits = random.integers(0, 2**32, size=2000, dtype=np.uint64).astype(np.uint32)
    ties = (random.integers(0, 0x7F80, size=500).astype(np.uint32) << 16) | 0x8000
    near = np.concatenate([ties, ties + 1, ties - 1, ties | 0x80000000])
    edges = np.array([0, 0x80000000, 1, 0x7FFF, 0x8000, 0x8001, 0x18000, 0x7F7FFFFF, 0x7F7F7FFF,
                      0x7F7F8000, 0x7F800000, 0xFF800000, 0x007FFFFF, 0x00800000], dtype=np.uint32)
    f32 = np.concatenate([edges, near, bits]).view(np.float32)
    f32 = torch.from_numpy(f32[~np.isnan(f32)].copy())
    half = np.arange(0, 2**16, 13).astype(np.uint16)
    half = np.concatenate([half, [1, 0x3FF, 0x400, 0x7BFF, 0x7C00, 0x8000, 0x8001, 0xFC00]])
    half = half.astype(np.uint16).view(np.float16)
    half = torch.from_numpy(half[~np.isnan(half)].copy())
    save_file({"f32": f32, "f32_as_bf16": f32.bfloat16(), "f16": half, "f16_as_f32": half.float()},
              OUT / "rounding.safetensors", VERSIONS)


def write_truncation():
    """Which ids temperature, top_k, top_p and min_p leave, and with which probability: the logits
    processors of `generate`, in its order."""
    random = np.random.default_rng(4)
    cases = []
    for size in (7, 40, 300):
        for temperature, top_k, top_p, min_p in (
                (1.0, 5, 1.0, 0.0), (1.0, 0, 0.9, 0.0), (1.0, 0, 1.0, 0.1), (0.7, 6, 0.8, 0.0),
                (1.5, 20, 0.95, 0.05), (0.5, 0, 0.3, 0.02), (2.0, 4, 0.999, 0.3)):
            logits = torch.from_numpy((2 * random.normal(size=(1, size))).astype(np.float32))
            scores = TemperatureLogitsWarper(temperature)(None, logits)
            if top_k > 0:
                scores = TopKLogitsWarper(top_k)(None, scores)
            if top_p < 1:
                scores = TopPLogitsWarper(top_p)(None, scores)
            if min_p > 0:
                scores = MinPLogitsWarper(min_p)(None, scores)
            p = torch.softmax(scores[0].double(), -1)
            kept = p.nonzero()[:, 0]
            cases.append({"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p,
                          "logits": logits[0].tolist(), "ids": kept.tolist(),
                          "probabilities": [round(x, 9) for x in p[kept].tolist()]})
    with open(OUT / "truncation.json", "w", encoding="utf-8") as file:
        json.dump({"versions": VERSIONS, "cases": cases}, file, separators=(",", ":"))
        file.write("\n")


def main():
    """All of it, or the families that are named."""
    OUT.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(FAMILIES):
        if len(sys.argv) == 1 or name in sys.argv[1:]:
            write_family(name, 10 + seed)
    if len(sys.argv) > 1:
        return
    write_model("tied", 1, head_dim=8, tie_word_embeddings=True, rms_norm_eps=1e-5,
                rope_parameters={"rope_theta": 10000.0, "rope_type": "default"})
    write_model("untied", 2, head_dim=16, tie_word_embeddings=False, rms_norm_eps=1e-6,
                rope_parameters={"rope_theta": 500000.0, "rope_type": "default"})
    write_sharded()
    write_rounding()
    write_truncation()


if __name__ == "__main__":
    main()
