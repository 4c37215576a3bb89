#!/usr/bin/env python3
"""Converts stories260K (llama2.c format, MIT, karpathy/tinyllamas) to a Hugging Face folder.

    python scripts/convert_stories260k.py stories260K.bin reference.jsonl tests/golden/stories260K

REFERENCE.jsonl holds rows {"id", "ids", "logprobs" of ids[1:], "entropy"} computed in f64 by another
program. The converted model must reproduce them in transformers to 1e-4, else nothing is written.
Needs torch, transformers and numpy.
"""
import json
import pathlib
import sys
import tempfile

import numpy as np
import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM


class Values:
    """Reads f32 tensors one after another."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, *shape):
        size = int(np.prod(shape))
        out = self.data[self.at:self.at + size].reshape(shape)
        self.at += size
        return torch.from_numpy(out.copy())


def half_split(w, heads):
    """llama2.c rotates neighbouring pairs (2i, 2i+1), transformers pairs (i, i + D/2): reorder rows."""
    rows, columns = w.shape
    return w.view(heads, rows // heads // 2, 2, columns).transpose(1, 2).reshape(rows, columns)


def convert(raw):
    dim, hidden, layers, heads, kv_heads, vocab, positions = np.frombuffer(raw[:28], "<i4").tolist()
    assert vocab > 0, "a negative vocabulary marks an untied head: not this model"
    kv = dim // heads * kv_heads
    v = Values(np.frombuffer(raw[28:], "<f4"))
    embed = v.take(vocab, dim)
    input_norm = v.take(layers, dim)
    q, k, val = v.take(layers, dim, dim), v.take(layers, kv, dim), v.take(layers, kv, dim)
    o, post_norm = v.take(layers, dim, dim), v.take(layers, dim)
    gate, down, up = v.take(layers, hidden, dim), v.take(layers, dim, hidden), v.take(layers, hidden, dim)
    state = {"model.embed_tokens.weight": embed, "lm_head.weight": embed,
             "model.norm.weight": v.take(dim)}
    for i in range(layers):
        parts = {"input_layernorm": input_norm[i], "self_attn.q_proj": half_split(q[i], heads),
                 "self_attn.k_proj": half_split(k[i], kv_heads), "self_attn.v_proj": val[i],
                 "self_attn.o_proj": o[i], "post_attention_layernorm": post_norm[i],
                 "mlp.gate_proj": gate[i], "mlp.up_proj": up[i], "mlp.down_proj": down[i]}
        state.update({f"model.layers.{i}.{name}.weight": w for name, w in parts.items()})
    config = LlamaConfig(vocab_size=vocab, hidden_size=dim, intermediate_size=hidden,
                         num_hidden_layers=layers, num_attention_heads=heads,
                         num_key_value_heads=kv_heads, max_position_embeddings=positions,
                         rms_norm_eps=1e-5, tie_word_embeddings=True, bos_token_id=1,
                         eos_token_id=[1, 2],
                         rope_parameters={"rope_theta": 10000.0, "rope_type": "default"})
    model = LlamaForCausalLM(config)
    model.load_state_dict(state, strict=True)
    return model


def gap_to_reference(model, rows):
    """Largest difference of a log-probability or an entropy."""
    gap = 0.0
    for row in rows:
        ids = torch.tensor([row["ids"]])
        with torch.no_grad():
            log_p = torch.log_softmax(model(ids).logits[0].double(), -1)
        logprobs = log_p[:-1].gather(-1, ids[0, 1:, None])[:, 0]
        entropy = -(log_p.exp() * log_p).sum(-1)
        gap = max(gap, (logprobs - torch.tensor(row["logprobs"])).abs().max().item())
        wanted = torch.tensor(row["entropy"])
        gap = max(gap, (entropy[:len(wanted)] - wanted).abs().max().item())
    return gap


def main():
    source, reference, out = (pathlib.Path(a) for a in sys.argv[1:4])
    rows = [json.loads(line) for line in reference.read_text().splitlines()]
    model = convert(source.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        loaded = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
        gap = gap_to_reference(loaded, rows)
    print(f"transformers {transformers.__version__}: differs from the reference by at most {gap:.2e}")
    if gap > 1e-4:
        sys.exit("the converted model does not reproduce the reference: nothing is written")
    model.save_pretrained(out)
    keep = ("id", "ids", "logprobs", "entropy")
    with open(out / "reference.jsonl", "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({k: row[k] for k in keep}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
