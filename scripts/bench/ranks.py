"""What ranks cost. Run it through ranks.sh.

Every figure is completion and prompt tokens a second over a run's grpo steps, the first two left out; rounds take the
ways in turns, medians are printed. Weak scaling: each of two ranks has the work that one run has by itself, so that two ranks
do in a step what two independent runs do together, and the three share the machine's memory alike.
"""
import argparse
import collections
import json
import os
import statistics
import subprocess
import sys
import tempfile

COUNTDOWN = ["configs/countdown_aha.yaml", "stages.warm_start.train.max_steps=100", "stages.warm_start.optim.warmup_steps=10",
             "stages.grpo.objective.entropy_coef=0.001", "data.eval={}", "log.log_completions=false"]
SMOLLM2 = ["configs/smollm2_svamp.yaml", "rollout.ignore_eos=true", "rollout.max_completion_length=48", "data.eval={}",
           "objective.entropy_coef=0.001", "checkpoint.save_steps=0", "log.log_completions=false"]


class Run:
    """One run of aha, under way."""

    def __init__(self, aha, job, ranks, steps, prompts, *settings):
        self.work = tempfile.TemporaryDirectory()
        self.folder = f"{self.work.name}/run"
        config, *more = job
        stage = "stages.grpo." if "countdown" in config else ""
        more += [f"output_dir={self.folder}", "train.threads=1", "reward.threads=1", "log.tensorboard=false",
                 f"{stage}train.max_steps={steps + 2}", f"{stage}train.prompts_per_step={prompts}", *settings]
        command = [aha, "train", config, "--nproc", str(ranks)]
        for setting in more:
            command += ["--set", setting]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def tokens_per_s(self):
        """Waits for the end. By the steps that teach, without the first two."""
        _, err = self.process.communicate()
        if self.process.returncode:
            sys.exit("aha failed:\n" + err[-2000:])
        with open(f"{self.folder}/metrics.jsonl") as file:
            rows = [row for row in map(json.loads, file) if row["stage"] == "grpo" and row["step"] > 2]
        seconds = sum(row["step_time"] for row in rows)
        return sum(row["step_time"] * row["perf/tokens_per_s"] for row in rows) / seconds

    def trace(self):
        with open(f"{self.folder}/trace_1.json") as file:
            return [event for event in json.load(file) if event["ph"] in "Xbe"]


def together(*runs):
    return [run.tokens_per_s() for run in runs]


def phases_table(events):
    """Seconds of a rank by phase: in all, in collectives, of these waiting for the last rank to come. What travels beside a phase
    is told apart; the phase `reduce` is what is then still waited for."""
    last = collections.defaultdict(float)
    for event in events:  # of the stage that teaches
        if event["name"] == "rollout":
            last[event["pid"]] = max(last[event["pid"]], event["ts"])
    first = min(event["ts"] for event in events if event["name"] == "rollout")
    ranks = len({event["pid"] for event in events})
    total, inside, waiting, beside = (collections.Counter() for _ in range(4))
    for event in events:
        if event["ts"] < first:
            continue
        if event["ph"] in "be":
            beside[event["name"]] += event["ts"] if event["ph"] == "e" else -event["ts"]
        elif event["cat"] == "phase":
            total[event["name"]] += event["dur"]
        else:
            inside[event["args"]["phase"]] += event["dur"]
            waiting[event["args"]["phase"]] += event["args"]["wait_us"]
    print(f"{'phase':12} {'s a rank':>9} {'collectives':>12} {'waiting':>9}")
    for name, microseconds in total.most_common():
        print(f"{name:12} {microseconds / ranks / 1e6:9.3f} {inside[name] / ranks / 1e6:12.3f} {waiting[name] / ranks / 1e6:9.3f}")
    for name, microseconds in beside.items():
        print(f"beside other work: {name} {microseconds / ranks / 1e6:.3f} s a rank")


def halves_of(path, prompts):
    """The first rows of a file, as one file and as two: two runs of a half each then have the prompts of two ranks."""
    with open(path) as file:
        rows = file.readlines()[:2 * prompts]
    folder = tempfile.mkdtemp()
    for name, part in (("whole", rows), ("first", rows[:prompts]), ("second", rows[prompts:])):
        with open(f"{folder}/{name}.jsonl", "w") as file:
            file.writelines(part)
    return folder


def scaling(args, name, job, steps, prompts, data=None):
    rows = collections.defaultdict(list)
    folder = data and halves_of(data, prompts)

    def start(ranks, *settings, part="first"):
        if folder:
            settings += (f"data.train.path={folder}/{'whole' if ranks == 2 else part}.jsonl",)
        return Run(args.aha, job, ranks, steps, prompts * ranks, *settings)

    for number in range(args.rounds):
        print(f"{name}: round {number + 1} of {args.rounds} ...", file=sys.stderr, flush=True)
        rows["one"] += together(start(1))
        rows["two runs"] += [sum(together(start(1), start(1, "seed=1", part="second")))]
        rows["two ranks"] += together(start(2))
        rows["strict, two ranks"] += together(start(2, "strict=true"))
        rows["strict, one"] += together(start(1, "strict=true"))
        traced = start(2, "log.trace=true")
        rows["traced, two ranks"] += together(traced)
        events = traced.trace()
    middle = {way: statistics.median(values) for way, values in rows.items()}
    print(f"\n{name}: tokens/s, {steps} steps, {args.rounds} rounds in turns, one thread a rank, {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    print(f"{'':20} {'tok/s':>9} {'of one':>8} {'of two runs':>12}   lowest - highest")
    for way, value in middle.items():
        print(f"{way:20} {value:9,.0f} {value / middle['one']:7.2f}x {value / middle['two runs']:11.1%}   {min(rows[way]):,.0f} - {max(rows[way]):,.0f}")
    print(f"strict costs {1 - middle['strict, one'] / middle['one']:.1%} of one rank and {1 - middle['strict, two ranks'] / middle['two ranks']:.1%} of two; "
          f"the trace {1 - middle['traced, two ranks'] / middle['two ranks']:.1%}")
    phases_table(events)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--aha")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20, help="of countdown")
    parser.add_argument("--model", help="folder of SmolLM2-135M")
    parser.add_argument("--model-steps", type=int, default=3)
    parser.add_argument("--only-model", action="store_true")
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--peer-rounds", type=int, default=1)
    args = parser.parse_args()
    if not args.only_model:
        scaling(args, "countdown", COUNTDOWN, args.steps, 16)
    if args.model:
        scaling(args, "SmolLM2-135M", SMOLLM2 + [f"model.path={args.model}"], args.model_steps, 2, "data/samples/svamp_train.jsonl")
    if args.peer:
        from accelerate_step import beside_trl
        beside_trl(args.aha, args.peer_rounds)


if __name__ == "__main__":
    main()
