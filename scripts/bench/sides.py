"""What the benchmarks of a GRPO step share: the step of TRL and the step of aha on one model folder, in child
processes, and the machine's floors.

A job is a dict: prompts (texts, in their order), P prompts a step, G completions each, T forced tokens,
prompt_tokens, learning_rate, per_device (completions that TRL holds at once), avoid (ids that TRL never draws),
steps (counted), warm (before them), and ranks that TRL runs on (absent: 1). Both sides: f32, temperature 1, beta 0, one update a rollout, AdamW, the
repetition penalty over single tokens as the reward (it differs between completions, so every advantage is at
work and no completion is skipped).
"""
import json
import os
import subprocess
import sys
import tempfile
import time

PASSIVE = {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": str(os.cpu_count()), "TOKENIZERS_PARALLELISM": "false",
           "HF_HUB_OFFLINE": "1", "WANDB_DISABLED": "true"}


def child(script, what, folder, job, **environment):
    """Rows that `script --child WHAT FOLDER JOB` prints, each after "ROW "."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(job, file)
        file.flush()
        done = subprocess.run([sys.executable, script, "--child", what, folder, file.name],
                              env={**os.environ, **PASSIVE, **environment}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{what} failed:\n" + done.stderr[-3000:])
    return [json.loads(line[4:]) for line in done.stdout.splitlines() if line.startswith("ROW ")]


def run_child(sides):
    """True when this process is such a child and has done its work."""
    if sys.argv[1:2] != ["--child"]:
        return False
    what, folder, path = sys.argv[2:]
    with open(path) as file:
        job = json.load(file)
    for row in sides[what](folder, job):
        print("ROW " + json.dumps(row), flush=True)
    return True


def trl_steps(folder, job):
    import resource

    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    ranks = job.get("ranks", 1)
    torch.set_num_threads(os.cpu_count() // ranks)
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
            now["prepare"] = now.get("prepare", 0.0) + clock() - start
            return result

        def _generate_and_score_completions(self, *a, **k):
            result = super()._generate_and_score_completions(*a, **k)
            now["tokens"] = int(result["completion_mask"].sum())
            now["prompt_tokens"] = int(result["prompt_mask"].sum())
            return result

    class Clock(TrainerCallback):
        def on_step_begin(self, *a, **k):
            now.clear()
            now["start"] = clock()

        def on_step_end(self, *a, **k):
            total = clock() - now["start"]
            rows.append({"generation": now["generation"], "training": total - now["prepare"], "total": total, "tokens": now["tokens"],
                         "prompt_tokens": now["prompt_tokens"], "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2})

    def repetition(completion_ids=None, **kwargs):
        return [-(1 - len(set(ids)) / len(ids)) for ids in completion_ids]

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    parts = job["P"] * job["G"] // job["per_device"] // ranks
    config = GRPOConfig(
        output_dir=tempfile.mkdtemp(), use_cpu=True, bf16=False, gradient_checkpointing=False, report_to="none",
        disable_tqdm=True, save_strategy="no", per_device_train_batch_size=job["per_device"], gradient_accumulation_steps=parts,
        steps_per_generation=parts, num_generations=job["G"], num_iterations=1, max_completion_length=job["T"],
        learning_rate=job["learning_rate"], lr_scheduler_type="constant", beta=0.0, temperature=1.0, use_vllm=False,
        max_steps=job["steps"] + job["warm"], logging_steps=10**6, seed=0, shuffle_dataset=False,
        generation_kwargs={"suppress_tokens": job["avoid"]})
    trainer = Timed(model=model, args=config, processing_class=tokenizer, reward_funcs=[repetition],
                    train_dataset=Dataset.from_dict({"prompt": job["prompts"]}), callbacks=[Clock()])
    trainer.train()
    rows = rows[job["warm"]:]
    assert all(r["tokens"] == job["P"] * job["G"] * job["T"] // ranks for r in rows), "every completion has full length"
    assert all(r["prompt_tokens"] == job["P"] * job["G"] * job["prompt_tokens"] // ranks for r in rows), "every prompt has its tokens"
    return rows


def aha_steps(binary, folder, job, threads=0, ranks=1):
    with tempfile.TemporaryDirectory() as work:
        with open(f"{work}/prompts.jsonl", "w") as file:
            file.writelines(json.dumps({"question": text}) + "\n" for text in job["prompts"])
        with open(f"{work}/aha.yaml", "w") as file:
            file.write(f"""
seed: 0
output_dir: {work}/run
model: {{path: {os.path.abspath(folder)}, storage: {job.get("storage", "f32")}}}
data:
  max_prompt_length: {job["prompt_tokens"]}
  question_field: question
  train: {{path: {work}/prompts.jsonl}}
  shuffle_dataset: false
rollout: {{num_generations: {job["G"]}, max_completion_length: {job["T"]}, ignore_eos: true}}
reward:
  functions: [{{name: trl.repetition_penalty_reward, ngram_size: 1, max_penalty: -1.0}}]
objective: {{preset: dapo}}
optim: {{learning_rate: {job["learning_rate"]}}}
train: {{max_steps: {job["steps"] + job["warm"]}, prompts_per_step: {job["P"]}, threads: {threads}}}
log: {{log_completions: false, tensorboard: false}}
""")
        done = subprocess.run([binary, "train", f"{work}/aha.yaml", "--nproc", str(ranks)], capture_output=True, text=True)
        if done.returncode:
            sys.exit("aha failed:\n" + done.stderr[-3000:])
        with open(f"{work}/run/metrics.jsonl") as file:
            rows = [json.loads(line) for line in file]
    rows = [r for r in rows if "timing_s/train" in r and r["step"] > job["warm"]]
    assert all(r["completions/mean_length"] == job["T"] for r in rows), "every completion has full length"
    return [{"generation": r["timing_s/rollout"], "training": r["timing_s/train"], "total": r["step_time"],
             "rss": r["perf/cpu_memory_used_gb"]} for r in rows]


def measured(*command):
    """The last number that a program prints: of all cores. None without the program."""
    if not command[0]:
        return None
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])
