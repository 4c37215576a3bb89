#!/usr/bin/env python3
"""generate() of transformers on random weights of a published shape: rows of equal length, sampled at temperature 1, no
row ends early.   transformers_generate.py [--shape 0.5b] [--rows 512 --prompt 128 --new 64] [--device cuda|cpu]
"""
import argparse
import sys
import time

try:
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, Qwen2Config, Qwen3Config
except ImportError as error:
    print(f"skipped: this Python has no {error.name}")
    sys.exit(77)

from shapes import SHAPES, add_options, tell


def model_of(shape, device):
    s = shape
    config = (Qwen3Config if s.qk_norm else Qwen2Config)(
        vocab_size=s.vocabulary, hidden_size=s.width, intermediate_size=s.mlp, num_hidden_layers=s.layers, num_attention_heads=s.heads,
        num_key_value_heads=s.kv_heads, head_dim=s.head_dim, max_position_embeddings=4096, tie_word_embeddings=True)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16 if device == "cuda" else torch.float32)
    return model.eval()


def main():
    arguments = add_options(argparse.ArgumentParser(description=__doc__.splitlines()[0])).parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("skipped: torch finds no GPU")
        return 77
    shape = SHAPES[arguments.shape]
    model = model_of(shape, arguments.device)
    sync = torch.cuda.synchronize if arguments.device == "cuda" else lambda: None
    ids = torch.randint(shape.vocabulary, (arguments.rows, arguments.prompt), device=arguments.device)

    def seconds(new):
        sync()
        start = time.perf_counter()
        out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
                             min_new_tokens=new, max_new_tokens=new, pad_token_id=0, eos_token_id=None)
        sync()
        assert out.shape[1] == arguments.prompt + new
        return time.perf_counter() - start

    seconds(2)
    taken = seconds(arguments.new)
    tokens = arguments.rows * arguments.new
    row = {"part": "transformers", "model": arguments.shape, "rows": arguments.rows, "new": arguments.new, "tok/s": tokens / taken,
           "seconds": taken, "transformers": transformers.__version__, "torch": torch.__version__}
    tell(arguments, row, f"transformers {transformers.__version__} {arguments.shape}: {tokens / taken:.0f} tok/s "
                         f"({arguments.rows} rows, {arguments.prompt} + {arguments.new} tokens, {taken:.2f} s)")
    return 0


sys.exit(main())
