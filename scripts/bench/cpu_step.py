"""Times one GRPO step in TRL, generation by a hand-written torch loop, and one GRPO step in aha, in turns.
Run it through cpu_step.sh.

All sides: the same weights (one folder), the same prompts in the same order, G = 16, 72 forced tokens, all
cores, and what sides.py says. Default micro-batches on our side, all 256 completions in one on TRL's. TRL runs
without gradient checkpointing; both torch sides with OMP_WAIT_POLICY=passive, their fastest setting on a shared
machine.
"""
import argparse
import os
import random
import statistics
import sys
import tempfile
import time

from sides import aha_steps, child, measured, run_child, trl_steps

SHAPES = {"2x96": (96, 2, 3, 256), "4x72": (72, 4, 3, 192)}  # width, layers, heads, MLP width
WORDS = [str(i) for i in range(100)] + ["+", "-", "*", "|", "wait", "=>", "<eos>", "<pad>", "ok", "no"]
EOS, PAD = WORDS.index("<eos>"), WORDS.index("<pad>")
P, G, T, PROMPT = 16, 16, 72, 6
TOKENS = P * G * T


def prompts(count):
    rng = random.Random(1)
    return [" ".join(str(rng.randint(0, 99)) for _ in range(PROMPT - 1)) + " |" for _ in range(count)]


def write_model(folder, shape):
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    hidden, layers, heads, wide = SHAPES[shape]
    t = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="<pad>"))
    t.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=t, eos_token="<eos>", pad_token="<pad>", padding_side="left").save_pretrained(folder)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(WORDS), hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=heads, intermediate_size=wide, max_position_embeddings=128, tie_word_embeddings=False,
        bos_token_id=None, eos_token_id=EOS, pad_token_id=PAD, rope_theta=10000.0))
    model.save_pretrained(folder)
    return sum(p.numel() for p in model.parameters())


def hand_steps(folder, job):
    """A row a rollout and way to attend."""
    import torch
    from hand_loop import HandLoop
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(os.cpu_count())
    loop = HandLoop(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32))
    for products in (False, True):
        for step in range(job["steps"] + job["warm"]):
            ids = torch.tensor([[WORDS.index(w) for w in text.split()] for text in job["prompts"][P * step : P * (step + 1)]])
            start = time.perf_counter()
            out = loop.generate(ids.repeat_interleave(G, 0), T, (EOS, PAD), products)
            seconds = time.perf_counter() - start
            assert out.shape == (P * G, T)
            if step >= job["warm"]:
                yield {"products": products, "generation": seconds}


def report(args, parameters, trl, hand, aha, peaks):
    middle = lambda rows, key: statistics.median(r[key] for r in rows)
    flop = {"generation": 2 * parameters * TOKENS, "training": 6 * parameters * TOKENS, "total": 8 * parameters * TOKENS}
    peak = statistics.median(peaks) if peaks else None
    print(f"Llama {args.shape}, {parameters:,} parameters, {P} x {G} x {T} = {TOKENS:,} tokens a step, {args.threads} threads, {len(aha)} steps each, medians")
    if peak:
        print(f"floor: 8 N FLOP a token = {flop['total'] / 1e12:.3f} TFLOP; {flop['total'] / peak / 1e9:.3f} s at the measured GEMM peak of {peak:.0f} GFLOP/s")
    print(f"{'':12} {'TRL s':>8} {'hand s':>8} {'aha s':>8} {'x TRL':>7} {'x hand':>7} {'aha tok/s':>10} {'GFLOP/s':>8}" + (f" {'of peak':>8}" if peak else ""))
    for key in ("generation", "training", "total"):
        b = middle(aha, key)
        theirs = middle(trl, key) if trl else float("nan")
        loop = min(middle([r for r in hand if r["products"] == way], key) for way in (False, True)) if hand and key == "generation" else float("nan")
        line = f"{key:12} {theirs:8.3f} {loop:8.3f} {b:8.3f} {theirs / b:6.1f}x {loop / b:6.1f}x {TOKENS / b:10,.0f} {flop[key] / b / 1e9:8.1f}"
        print((line + (f" {flop[key] / b / 1e9 / peak:8.0%}" if peak else "")).replace("   nanx", "      -").replace("     nan", "       -"))
    if hand:
        ways = {way: TOKENS / middle([r for r in hand if r["products"] == way], "generation") for way in (False, True)}
        print(f"hand loop: {ways[False]:,.0f} tok/s by scaled_dot_product_attention, {ways[True]:,.0f} by two batched products")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--aha")
    parser.add_argument("--kernels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--warm", type=int, default=2)
    parser.add_argument("--shape", choices=SHAPES, default="4x72")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of aha")
    parser.add_argument("--only-aha", action="store_true", help="leave the peers out")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = f"{work}/model"
        parameters = write_model(folder, args.shape)
        job = {"prompts": prompts(P * (args.steps + args.warm)), "P": P, "G": G, "T": T, "prompt_tokens": PROMPT, "learning_rate": 5e-4,
               "per_device": P * G, "avoid": [EOS, PAD], "steps": args.steps, "warm": args.warm}
        trl, hand, aha, peaks = [], [], [], []
        for number in range(args.rounds):
            print(f"round {number + 1} of {args.rounds}, {args.steps} steps each ...", file=sys.stderr, flush=True)
            if not args.only_aha:
                trl += child(__file__, "TRL", folder, job)
                hand += child(__file__, "hand loop", folder, job)
            aha += aha_steps(args.aha, folder, job, args.threads)
            peaks += [peak for peak in [measured(args.kernels, "--peak")] if peak]
        report(args, parameters, trl, hand, aha, peaks)


if __name__ == "__main__":
    run_child({"TRL": trl_steps, "hand loop": hand_steps}) or main()
