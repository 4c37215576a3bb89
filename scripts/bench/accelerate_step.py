"""One GRPO step of TRL under `accelerate launch` with two CPU processes, beside aha on two ranks: the job of cpu_step.py, one
thread a process. Called by ranks.py --peer; by itself it is one of TRL's processes."""
import json
import os
import statistics
import subprocess
import sys
import tempfile

from cpu_step import G, P, PROMPT, T, TOKENS, EOS, PAD, prompts, write_model
from sides import PASSIVE, aha_steps, trl_steps

RANKS = 2


def job_of(steps, warm=2):
    return {"prompts": prompts(P * (steps + warm)), "P": P, "G": G, "T": T, "prompt_tokens": PROMPT, "learning_rate": 5e-4,
            "per_device": P * G // RANKS, "avoid": [EOS, PAD], "steps": steps, "warm": warm, "ranks": RANKS}


def trl_on_ranks(folder, job):
    """Rows of the first process: every process does half of the completions, and a step ends when both are done."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(job, file)
        file.flush()
        done = subprocess.run([sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", str(RANKS), "--num_machines", "1",
                               "--mixed_precision", "no", "--dynamo_backend", "no", "--num_cpu_threads_per_process", "1",
                               __file__, folder, file.name],
                              env={**os.environ, **PASSIVE, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    if done.returncode:
        sys.exit("TRL under accelerate failed:\n" + done.stderr[-3000:])
    return [json.loads(line[4:]) for line in done.stdout.splitlines() if line.startswith("ROW ")]


def beside_trl(aha, rounds, steps=4):
    with tempfile.TemporaryDirectory() as work:
        write_model(f"{work}/model", "4x72")
        job = job_of(steps)
        theirs, ours = [], []
        for _ in range(rounds):
            theirs += trl_on_ranks(f"{work}/model", job)
            ours += aha_steps(aha, f"{work}/model", job, 1, RANKS)
    print(f"\n{RANKS} processes of one thread, Llama 4x72, {P} x {G} x {T} = {TOKENS:,} tokens a step, {len(ours)} steps each, medians, s")
    print(f"{'':12} {'TRL+accelerate':>15} {'aha':>8} {'ratio':>7}")
    for key in ("generation", "training", "total"):
        a, b = (statistics.median(row[key] for row in rows) for rows in (theirs, ours))
        print(f"{key:12} {a:15.3f} {b:8.3f} {a / b:6.1f}x")


if __name__ == "__main__":
    with open(sys.argv[2]) as source:
        for one in trl_steps(sys.argv[1], json.load(source)):
            if os.environ.get("RANK", "0") == "0":
                print("ROW " + json.dumps(one), flush=True)
