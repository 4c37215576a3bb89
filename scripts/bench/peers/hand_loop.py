#!/usr/bin/env python3
"""The generation loop that plain torch gives: fused weights, keys and values in tensors of their final size, CUDA graphs
of a decode step for each bucket of rows and positions, sampling inside of them, no wait a token. Rows stand in the order
of their lengths, the longest first, so that the ones still running are always the first.

    hand_loop.py [--shape 0.5b] [--load nv256|fixed] [--rows 512 --prompt 128 --new 512] [--device cuda|cpu]

Weights are random. On a CPU there are no graphs.
"""
import argparse
import sys
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    print("skipped: this Python has no torch")
    sys.exit(77)

from shapes import SHAPES, add_options, load_of, tell

ROW_BUCKETS = [16, 32, 64, 96, 128, 192, 256, 384, 512, 1024]
POSITIONS_OF_A_BUCKET = 256
PREFILL_TOKENS = 16384


class Loop:
    def __init__(self, shape, rows, positions, device):
        self.s, self.device = shape, device
        self.dtype = torch.bfloat16 if device == "cuda" else torch.float32
        s = shape
        qkv = (s.heads + 2 * s.kv_heads) * s.head_dim
        weight = lambda *size: torch.randn(size, device=device, dtype=self.dtype) * 0.02
        self.embed, self.norm = weight(s.vocabulary, s.width), torch.ones(s.width, device=device, dtype=self.dtype)
        one = lambda n: torch.ones(n, device=device, dtype=self.dtype)
        self.layers = [dict(n1=one(s.width), qkv=weight(qkv, s.width), bias=weight(qkv) if s.bias else None,
                            nq=one(s.head_dim) if s.qk_norm else None, nk=one(s.head_dim) if s.qk_norm else None,
                            o=weight(s.width, s.heads * s.head_dim), n2=one(s.width),
                            gate_up=weight(2 * s.mlp, s.width), down=weight(s.width, s.mlp)) for _ in range(s.layers)]
        cache = (rows, s.kv_heads, positions, s.head_dim)
        self.keys = [torch.zeros(cache, device=device, dtype=self.dtype) for _ in self.layers]
        self.values = [torch.zeros(cache, device=device, dtype=self.dtype) for _ in self.layers]
        frequency = 1e4 ** (-torch.arange(0, s.head_dim, 2, device=device).float() / s.head_dim)
        angle = torch.arange(positions, device=device).float()[:, None] * frequency
        self.cos, self.sin = (torch.cat([f(angle)] * 2, -1).to(self.dtype) for f in (torch.cos, torch.sin))
        self.ids = torch.zeros(rows, dtype=torch.long, device=device)
        self.at = torch.zeros(rows, dtype=torch.long, device=device)
        self.row = torch.arange(rows, device=device)
        self.position = torch.arange(positions, device=device)
        self.graphs = {}

    def rotated(self, x, at):
        """x [B, T, heads, D] at positions `at` [B, T] or [T]."""
        a, b = x.chunk(2, -1)
        return x * self.cos[at].unsqueeze(-2) + torch.cat([-b, a], -1) * self.sin[at].unsqueeze(-2)

    def block(self, x, w, at, attend):
        s = self.s
        y = F.linear(F.rms_norm(x, (s.width,), w["n1"]), w["qkv"], w["bias"]).unflatten(-1, (-1, s.head_dim))
        q, k, v = y.split([s.heads, s.kv_heads, s.kv_heads], -2)
        if s.qk_norm:
            q, k = F.rms_norm(q, (s.head_dim,), w["nq"]), F.rms_norm(k, (s.head_dim,), w["nk"])
        x = x + F.linear(attend(self.rotated(q, at), self.rotated(k, at), v).flatten(-2), w["o"])
        gate, up = F.linear(F.rms_norm(x, (s.width,), w["n2"]), w["gate_up"]).chunk(2, -1)
        return x + F.linear(F.silu(gate) * up, w["down"])

    def draw(self, x, temperature=1.0):
        """The largest of logits / temperature + Gumbel noise: one draw of the softmax."""
        z = F.linear(F.rms_norm(x, (self.s.width,), self.norm), self.embed).float() / temperature
        return (z - torch.empty_like(z).exponential_().log()).argmax(-1)

    def prefill(self, prompts):
        """Batches of neighbours, padded to the longest: what is behind a prompt is overwritten before it is read."""
        first = 0
        while first < len(prompts):
            longest = prompts[first]
            end = first + 1
            while end < len(prompts) and max(longest, prompts[end]) * (end + 1 - first) <= PREFILL_TOKENS:
                longest = max(longest, prompts[end])
                end += 1
            rows = slice(first, end)
            ids = torch.randint(self.s.vocabulary, (end - first, longest), device=self.device)
            at = self.position[:longest]
            x = F.embedding(ids, self.embed)
            for i, w in enumerate(self.layers):
                def attend(q, k, v):
                    self.keys[i][rows, :, :longest] = k.transpose(1, 2)
                    self.values[i][rows, :, :longest] = v.transpose(1, 2)
                    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
                    return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True).transpose(1, 2)
                x = self.block(x, w, at, attend)
            last = torch.tensor(prompts[first:end], device=self.device)
            self.ids[rows] = self.draw(x[self.row[: end - first], last - 1])
            self.at[rows] = last
            first = end

    def step(self, rows, positions):
        """The next token of the first `rows` rows, which look at no position from `positions` on."""
        s = self.s
        at = self.at[:rows]
        x = F.embedding(self.ids[:rows], self.embed)
        hidden = (self.position[:positions] > at[:, None])[:, None, None]  # [B, 1, 1, T]
        for i, w in enumerate(self.layers):
            def attend(q, k, v):
                self.keys[i][self.row[:rows], :, at] = k.squeeze(1)
                self.values[i][self.row[:rows], :, at] = v.squeeze(1)
                q = q.squeeze(1).view(rows, s.kv_heads, -1, s.head_dim)
                scores = q @ self.keys[i][:rows, :, :positions].transpose(2, 3) * s.head_dim**-0.5
                weights = scores.masked_fill(hidden, -float("inf")).softmax(-1)
                return (weights @ self.values[i][:rows, :, :positions]).view(rows, 1, s.heads, s.head_dim)
            x = self.block(x.view(rows, 1, -1), w, at[:, None], attend)
        self.ids[:rows] = self.draw(x.view(rows, -1))
        self.at[:rows] += 1

    def run_step(self, rows, positions):
        if self.device != "cuda":
            return self.step(rows, positions)
        graph = self.graphs.get((rows, positions))
        if graph is None:
            ids, at = self.ids.clone(), self.at.clone()
            self.step(rows, positions)  # allocations and libraries are warm
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.step(rows, positions)
            self.ids.copy_(ids), self.at.copy_(at)
            self.graphs[rows, positions] = graph
        graph.replay()

    @torch.inference_mode()
    def generate(self, load):
        """Seconds of prompts and of all; `load` in descending order of outputs."""
        sync = torch.cuda.synchronize if self.device == "cuda" else lambda: None
        sync()
        start = time.perf_counter()
        self.prefill([p for p, _ in load])
        sync()
        prefill = time.perf_counter() - start
        most = self.keys[0].shape[2]
        running = len(load)
        for step in range(1, load[0][1]):
            while load[running - 1][1] <= step:
                running -= 1
            rows = min(next((b for b in ROW_BUCKETS if b >= running), len(load)), len(load))
            longest = max(p for p, _ in load[:rows]) + step
            positions = min(most, -(-longest // POSITIONS_OF_A_BUCKET) * POSITIONS_OF_A_BUCKET)
            self.at.clamp_(max=most - 1)  # rows of a bucket that have ended
            self.run_step(rows, positions)
        sync()
        return prefill, time.perf_counter() - start


def main():
    arguments = add_options(argparse.ArgumentParser(description=__doc__.splitlines()[0])).parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("skipped: torch finds no GPU")
        return 77
    load = sorted(load_of(arguments), key=lambda row: -row[1])
    loop = Loop(SHAPES[arguments.shape], len(load), max(p + n for p, n in load) + 1, arguments.device)
    loop.generate(load)  # graphs are captured
    prefill, seconds = loop.generate(load)
    tokens = sum(n for _, n in load)
    row = {"part": "hand loop", "model": arguments.shape, "load": arguments.load, "rows": len(load), "tok/s": tokens / seconds,
           "seconds": seconds, "prefill_s": prefill, "torch": torch.__version__}
    tell(arguments, row, f"hand loop (torch {torch.__version__}) {arguments.shape} {arguments.load}: {tokens / seconds:.0f} tok/s "
                         f"({tokens} tokens of {len(load)} rows in {seconds:.2f} s, prompts {prefill:.2f} s)")
    return 0


sys.exit(main())
