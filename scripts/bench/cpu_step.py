"""Times one GRPO step in TRL and in aha, in turns. Run it through cpu_step.sh.

Both sides: the same weights (one folder), the same prompts in the same order, G = 16, 72 forced tokens,
temperature 1, beta 0, one update a rollout, AdamW, f32, all cores, the repetition penalty over 3-grams as
the reward (it differs between completions, so every advantage is at work). TRL runs without gradient
checkpointing and with OMP_WAIT_POLICY=passive: its fastest setting on a shared machine.
"""
import argparse, json, os, random, statistics, subprocess, sys, tempfile, time

SHAPES = {"2x96": (96, 2, 3, 256), "4x72": (72, 4, 3, 192)}
WORDS = [str(i) for i in range(100)] + ["+", "-", "*", "|", "wait", "=>", "<eos>", "<pad>", "ok", "no"]
EOS, PAD = WORDS.index("<eos>"), WORDS.index("<pad>")
P, G, T = 16, 16, 72


def prompts(count):
    rng = random.Random(1)
    return [" ".join(str(rng.randint(0, 99)) for _ in range(5)) + " |" for _ in range(count)]


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
            now["tokens"] = sum(map(len, result[0] if len(result[0]) == P * G else result[1]))
            return result

        def _prepare_inputs(self, *a, **k):
            start = clock()
            result = super()._prepare_inputs(*a, **k)
            now["prepare"] = clock() - start
            return result

    class Clock(TrainerCallback):
        def on_step_begin(self, *a, **k):
            now.clear(), now.update(start=clock())

        def on_step_end(self, *a, **k):
            total = clock() - now["start"]
            rows.append({"generation": now["generation"], "training": total - now["prepare"], "total": total, "tokens": now["tokens"]})

    def repetition(completion_ids=None, **kwargs):
        out = []
        for ids in completion_ids:
            grams = [tuple(ids[i:i + 3]) for i in range(len(ids) - 2)]
            out.append(-(1 - len(set(grams)) / len(grams)) if grams else 0.0)
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


def spawn_trl(folder, steps, warm):
    env = dict(os.environ, OMP_WAIT_POLICY="passive", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", WANDB_DISABLED="true")
    done = subprocess.run([sys.executable, __file__, "--child", folder, "--steps", str(steps), "--warm", str(warm)],
                          env=env, capture_output=True, text=True)
    if done.returncode:
        sys.exit("TRL failed:\n" + done.stderr[-3000:])
    return [json.loads(line[4:]) for line in done.stdout.splitlines() if line.startswith("ROW ")]


def run_aha(binary, folder, work, steps, warm):
    config = f"""
seed: 0
output_dir: {work}/run
model: {{path: {folder}}}
data:
  max_prompt_length: 8
  question_field: question
  train: {{path: {work}/prompts.jsonl}}
  shuffle_dataset: false
rollout: {{num_generations: {G}, max_completion_length: {T}, ignore_eos: true}}
reward:
  functions: [{{name: trl.repetition_penalty_reward, ngram_size: 3, max_penalty: -1.0}}]
objective: {{preset: dapo}}
optim: {{learning_rate: 5.0e-4}}
train: {{max_steps: {steps + warm}, prompts_per_step: {P}, max_tokens_per_micro_batch: 2048}}
log: {{log_completions: false, tensorboard: false}}
"""
    path = f"{work}/aha.yaml"
    with open(path, "w") as file:
        file.write(config)
    subprocess.run(["rm", "-rf", f"{work}/run"], check=True)
    done = subprocess.run([binary, "train", path], capture_output=True, text=True)
    if done.returncode:
        sys.exit("aha failed:\n" + done.stderr[-3000:])
    rows = [json.loads(line) for line in open(f"{work}/run/metrics.jsonl")]
    rows = [r for r in rows if r["step"] > warm]
    for r in rows:
        assert r["completions/mean_length"] == T, "every completion is 72 tokens long"
    return [{"generation": r["timing_s/rollout"], "training": r["timing_s/train"], "total": r["step_time"], "tokens": P * G * T} for r in rows]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--aha")
    parser.add_argument("--kernels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--warm", type=int, default=2)
    parser.add_argument("--shape", choices=SHAPES, default="4x72")
    parser.add_argument("--child")
    args = parser.parse_args()
    if args.child:
        return run_trl(args.child, args.steps, args.warm)
    with tempfile.TemporaryDirectory() as work:
        folder = f"{work}/model"
        parameters = write_model(folder, args.shape)
        with open(f"{work}/prompts.jsonl", "w") as file:
            for text in prompts(P * (args.steps + args.warm)):
                file.write(json.dumps({"question": text}) + "\n")
        trl, aha = [], []
        for number in range(args.rounds):
            print(f"round {number + 1} of {args.rounds}: TRL, then aha, {args.steps} steps each ...", file=sys.stderr, flush=True)
            trl += spawn_trl(folder, args.steps, args.warm)
            aha += run_aha(args.aha, folder, work, args.steps, args.warm)
        tokens = P * G * T
        assert all(r["tokens"] == tokens for r in trl), "every completion is 72 tokens long"
        peak = None
        if args.kernels:
            out = subprocess.run([args.kernels, "--peak"], capture_output=True, text=True).stdout.split()
            peak = float(out[-1]) if out else None
        flop = {"generation": 2 * parameters * tokens, "training": 6 * parameters * tokens, "total": 8 * parameters * tokens}
        print(f"Llama {args.shape}, {parameters:,} parameters, {P} x {G} x {T} = {tokens:,} tokens a step, {os.cpu_count()} cores, {len(aha)} steps each")
        print(f"{'':12} {'TRL s':>8} {'aha s':>8} {'ratio':>7} {'aha tok/s':>10} {'GFLOP/s':>8}" + (f" {'of peak':>8}" if peak else ""))
        for key in ("generation", "training", "total"):
            a = statistics.median(r[key] for r in trl)
            b = statistics.median(r[key] for r in aha)
            line = f"{key:12} {a:8.3f} {b:8.3f} {a / b:6.1f}x {tokens / b:10,.0f} {flop[key] / b / 1e9:8.1f}"
            print(line + (f" {flop[key] / b / 1e9 / peak:8.0%}" if peak else ""))
        if peak:
            print(f"measured FMA peak of all cores: {peak:.0f} GFLOP/s; floor (8 N FLOP a token): {flop['total'] / peak / 1e9:.3f} s")


if __name__ == "__main__":
    main()
