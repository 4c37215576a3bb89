"""Times one GRPO step in TRL, generation by a hand-written torch loop, and one GRPO step in aha, in turns.
Run it through cpu_step.sh.

All sides: the same weights (one folder), the same prompts in the same order, G = 16, 72 forced tokens,
temperature 1, f32, all cores. TRL and aha: beta 0, one update a rollout, AdamW, the repetition penalty over
single tokens as the reward (it differs between completions, so every advantage is at work and no completion
is skipped), default micro-batches
on our side, all 256 completions in one on TRL's. TRL runs without gradient checkpointing; both torch sides
with OMP_WAIT_POLICY=passive, their fastest setting on a shared machine.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

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


def run_trl(folder, steps, warm):
    """In a child process: prints one JSON line a step."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    torch.set_num_threads(os.cpu_count())
    clock, rows, now = time.perf_counter, [], {}

    class Timed(GRPOTrainer):
        def _generate_single_turn(self, *a, **k):
            start = clock()
            result = super()._generate_single_turn(*a, **k)
            now["generation"] = clock() - start
            return result

        def _prepare_inputs(self, *a, **k):
            start = clock()
            result = super()._prepare_inputs(*a, **k)
            now["prepare"] = clock() - start
            now["tokens"] = int(result["completion_mask"].sum())
            return result

    class Clock(TrainerCallback):
        def on_step_begin(self, *a, **k):
            now.clear()
            now["start"] = clock()

        def on_step_end(self, *a, **k):
            total = clock() - now["start"]
            rows.append({"generation": now["generation"], "training": total - now["prepare"], "total": total, "tokens": now["tokens"]})

    def repetition(completion_ids=None, **kwargs):
        out = []
        for ids in completion_ids:
            out.append(-(1 - len(set(ids)) / len(ids)))
        return out

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    config = GRPOConfig(
        output_dir=tempfile.mkdtemp(), use_cpu=True, bf16=False, gradient_checkpointing=False, report_to="none",
        disable_tqdm=True, save_strategy="no", per_device_train_batch_size=P * G, gradient_accumulation_steps=1,
        num_generations=G, num_iterations=1, max_completion_length=T, learning_rate=5e-4, lr_scheduler_type="constant",
        beta=0.0, temperature=1.0, use_vllm=False, max_steps=steps + warm, logging_steps=10**6, seed=0, shuffle_dataset=False,
        generation_kwargs={"suppress_tokens": [EOS, PAD]})
    trainer = Timed(model=model, args=config, processing_class=tokenizer, reward_funcs=[repetition],
                    train_dataset=Dataset.from_dict({"prompt": prompts(P * (steps + warm))}), callbacks=[Clock()])
    trainer.train()
    for row in rows[warm:]:
        print("ROW " + json.dumps(row), flush=True)


def run_hand(folder, steps, warm):
    """In a child process: prints one JSON line a rollout and way to attend."""
    import torch
    from hand_loop import HandLoop
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(os.cpu_count())
    loop = HandLoop(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32))
    texts = prompts(P * (steps + warm))
    for products in (False, True):
        for step in range(steps + warm):
            ids = torch.tensor([[WORDS.index(w) for w in text.split()] for text in texts[P * step : P * (step + 1)]])
            start = time.perf_counter()
            out = loop.generate(ids.repeat_interleave(G, 0), T, (EOS, PAD), products)
            seconds = time.perf_counter() - start
            assert out.shape == (P * G, T)
            if step >= warm:
                print("ROW " + json.dumps({"products": products, "generation": seconds}), flush=True)


def spawn(what, folder, steps, warm):
    env = dict(os.environ, OMP_WAIT_POLICY="passive", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", WANDB_DISABLED="true")
    done = subprocess.run([sys.executable, __file__, "--child", what, "--folder", folder, "--steps", str(steps), "--warm", str(warm)],
                          env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{what} failed:\n" + done.stderr[-3000:])
    return [json.loads(line[4:]) for line in done.stdout.splitlines() if line.startswith("ROW ")]


def run_aha(binary, folder, work, steps, warm, threads):
    config = f"""
seed: 0
output_dir: {work}/run
model: {{path: {folder}}}
data:
  max_prompt_length: {PROMPT}
  question_field: question
  train: {{path: {work}/prompts.jsonl}}
  shuffle_dataset: false
rollout: {{num_generations: {G}, max_completion_length: {T}, ignore_eos: true}}
reward:
  functions: [{{name: trl.repetition_penalty_reward, ngram_size: 1, max_penalty: -1.0}}]
objective: {{preset: dapo}}
optim: {{learning_rate: 5.0e-4}}
train: {{max_steps: {steps + warm}, prompts_per_step: {P}, threads: {threads}}}
log: {{log_completions: false, tensorboard: false}}
"""
    path = f"{work}/aha.yaml"
    with open(path, "w") as file:
        file.write(config)
    subprocess.run(["rm", "-rf", f"{work}/run"], check=True)
    done = subprocess.run([binary, "train", path], capture_output=True, text=True)
    if done.returncode:
        sys.exit("aha failed:\n" + done.stderr[-3000:])
    with open(f"{work}/run/metrics.jsonl") as file:
        rows = [json.loads(line) for line in file]
    rows = [r for r in rows if "timing_s/train" in r and r["step"] > warm]
    for r in rows:
        assert r["completions/mean_length"] == T, "every completion is 72 tokens long"
    return [{"generation": r["timing_s/rollout"], "training": r["timing_s/train"], "total": r["step_time"]} for r in rows]


def measured_peak(kernels):
    """GFLOP/s of all cores; None without bench_kernels."""
    if not kernels:
        return None
    return float(subprocess.run([kernels, "--peak"], check=True, capture_output=True, text=True).stdout.split()[-1])


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
    parser.add_argument("--child", choices=("TRL", "hand loop"))
    parser.add_argument("--folder")
    args = parser.parse_args()
    if args.child:
        return {"TRL": run_trl, "hand loop": run_hand}[args.child](args.folder, args.steps, args.warm)
    with tempfile.TemporaryDirectory() as work:
        folder = f"{work}/model"
        parameters = write_model(folder, args.shape)
        with open(f"{work}/prompts.jsonl", "w") as file:
            for text in prompts(P * (args.steps + args.warm)):
                file.write(json.dumps({"question": text}) + "\n")
        trl, hand, aha, peaks = [], [], [], []
        for number in range(args.rounds):
            print(f"round {number + 1} of {args.rounds}, {args.steps} steps each ...", file=sys.stderr, flush=True)
            if not args.only_aha:
                trl += spawn("TRL", folder, args.steps, args.warm)
                hand += spawn("hand loop", folder, args.steps, args.warm)
            aha += run_aha(args.aha, folder, work, args.steps, args.warm, args.threads)
            peaks += [peak for peak in [measured_peak(args.kernels)] if peak]
        assert all(r["tokens"] == TOKENS for r in trl), "every completion is 72 tokens long"
        report(args, parameters, trl, hand, aha, peaks)


if __name__ == "__main__":
    main()
