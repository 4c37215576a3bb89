#!/usr/bin/env python3
"""Compares aha with transformers; scripts/parity.sh says how to run it."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM
from transformers.utils import logging

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from make_golden import FAMILIES, GREEDY, fill, tiny

logging.disable_progress_bar()
TOLERANCE = 1e-4  # of a log-probability: both sides compute in f32
NEAR = 1e-3  # logits that two f32 programs may order differently
TRAIN = """
output_dir: {out}
model: {{path: {model}, save_dtype: {dtype}}}
data: {{max_prompt_length: 8, train: {{path: {data}}}}}
stages:
  - name: sft
    method: sft
    train: {{max_steps: 1, per_device_train_batch_size: 1}}
    optim: {{learning_rate: 0.0}}
    rollout: {{max_completion_length: 8}}
    eval: {{eval_steps: 0}}
"""


def run(*arguments, text=""):
    done = subprocess.run([str(a) for a in arguments], input=text, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}\n{done.stderr}")
    return done.stdout


def write_tokenizer(folder, size):
    """Byte-level BPE without merges: the id of a letter is its place."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    letters = [c for c in letters if c.isalpha() and ord(c) < 128][:size]
    tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    return letters


def logprob_gap(aha, folder, model, length, context):
    """The largest difference over random ids of this length."""
    random = torch.Generator().manual_seed(7)
    worst = 0.0
    for _ in range(3):
        ids = torch.randint(0, model.config.vocab_size, (1, length), generator=random)
        with torch.no_grad():
            log_p = torch.log_softmax(model(ids[:, :-1]).logits.double(), -1)
        wanted = log_p[0].gather(-1, ids[0, 1:, None])[:, 0]
        out = run(aha, "logprobs", "--model", folder, "--context", context,
                  text=json.dumps({"ids": ids[0].tolist()}) + "\n")
        got = torch.tensor(json.loads(out)["logprobs"], dtype=torch.float64)
        worst = max(worst, (got - wanted).abs().max().item())
    return worst


def greedy_agrees(model, prompt, completion, vocabulary):
    """Every token is transformers' best one of the tokenizer's ids, near ties apart.

    One pass over the whole: longrope chooses its factors by the length of the pass.
    """
    ids = torch.tensor([prompt + completion])
    with torch.no_grad():
        logits = model(ids[:, :-1]).logits[0, len(prompt) - 1:, :vocabulary]
    chosen = logits.gather(-1, torch.tensor(completion)[:, None])[:, 0]
    return bool((logits.max(-1).values - chosen < NEAR).all())


def compare_greedy(aha, folder, model, letters, prompt_length, context):
    prompt = [i % len(letters) for i in range(3, 3 + prompt_length)]
    text = "".join(letters[i] for i in prompt)
    out = run(aha, "generate", "--model", folder, "--context", context, "--temperature", 0,
              "--max-completion-length", GREEDY, text=json.dumps({"question": text}) + "\n")
    completion = json.loads(out.splitlines()[0])["completion_ids"]
    return greedy_agrees(model, prompt, completion, len(letters))


def saved_agrees(aha, folder, letters, work, dtype):
    """A checkpoint of a step that changes nothing loads as the same class with equal logits."""
    data = work / "rows.jsonl"
    row = {"question": letters[3] * 4, "completion": letters[5] * 4, "answer": "x"}
    data.write_text(json.dumps(row) + "\n", encoding="utf-8")
    config = work / "job.yaml"
    out = work / f"run_{dtype}"
    config.write_text(TRAIN.format(out=out, model=folder, dtype=dtype, data=data), encoding="utf-8")
    run(aha, "train", config)
    kind = getattr(torch, dtype)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=kind)
    again = AutoModelForCausalLM.from_pretrained((out / "latest").resolve(), dtype=kind)
    ids = torch.arange(3, 30)[None] % model.config.vocab_size
    with torch.no_grad():
        equal = torch.equal(again(ids).logits, model(ids).logits)
    stored = set(load_file(next((out / "latest").resolve().glob("model*.safetensors"))))
    original = set(load_file(next(folder.glob("model*.safetensors"))))
    return type(again) is type(model) and equal and stored == original


def tiny_model(name, folder):
    family, settings = FAMILIES[name]
    model = tiny(family, **settings)
    fill(model, 1)
    model.save_pretrained(folder)
    return write_tokenizer(folder, 30)  # fewer than the rows of the embedding


def compare_family(aha, name, work):
    folder = work / "model"
    folder.mkdir()
    letters = tiny_model(name, folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    longrope = "longrope" in name
    cases = [("short", 60, 4, 0), ("long", 140, 76, 160)] if longrope else [("", 140, 4, 0)]
    for suffix, length, prompt, context in cases:
        gap = logprob_gap(aha, folder, model, length, context)
        same = compare_greedy(aha, folder, model, letters, prompt, context)
        yield f"{name} {suffix}".strip(), gap, {"greedy": same}
    saved = {dtype: saved_agrees(aha, folder, letters, work, dtype)
             for dtype in ("float32", "bfloat16", "float16")}
    yield f"{name} saved", 0.0, saved


def compare_folder(aha, folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    yield str(folder), logprob_gap(aha, folder, model, 64, 0), {}


def main():
    aha, folders = sys.argv[1], [pathlib.Path(f) for f in sys.argv[2:]]
    broken = False
    print(f"{'model':28} {'max |d log p|':>14}  also equal")

    def show(rows):
        nonlocal broken
        for name, gap, checks in rows:
            bad = not gap <= TOLERANCE or not all(checks.values())
            broken = broken or bad
            words = ", ".join(f"{k} {'yes' if v else 'NO'}" for k, v in checks.items())
            print(f"{name:28} {gap:14.1e}  {words}{'   <- beyond' if bad else ''}", flush=True)

    for name in FAMILIES:
        with tempfile.TemporaryDirectory() as work:
            show(compare_family(aha, name, pathlib.Path(work)))
    for folder in folders:
        show(compare_folder(aha, folder))
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
