"""Times decoding and one GRPO step of SmolLM2-135M (or another Llama-type folder with tied float32 weights) in
aha and in its peers, in turns, against the floors of the machine. Run it through smollm2.sh.

Decoding: prompts of 100 tokens (GSM8K), all different, 128 forced tokens, greedy, key/value cache, f32, all cores,
loading not counted. Seconds until the first token (prefill) and of the other 127 apart. Peers: transformers
`generate` (eager, static batch without padding), llama.cpp with an F32 GGUF of the same weights at batch 1.
A GRPO step: 4 prompts x 8 completions, 100 + 128 forced tokens, what sides.py says; aha with its default
micro-batches, TRL with 8 completions at once (accumulated over 4) and without gradient checkpointing, which is
its faster setting. Torch sides with OMP_WAIT_POLICY=passive and as many threads as cores.

Floors: a decode step reads all weights and the rows' keys and values once, and does 2 N FLOP a row; it takes at
least the longer of the two at the measured bandwidth and GEMM peak. A GRPO step: 2 N FLOP a token of sampling, 6 N
of training, a prompt computed once for its group, the head on completion tokens only. Attention's and the
optimizer's arithmetic is not in it.
"""
import argparse
import importlib.metadata
import importlib.util
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from sides import aha_steps, child, measured, run_child, trl_steps

PROMPT, T, P, G = 100, 128, 4, 8
KEYS = ("generation", "training", "total")


class Model:
    """What the floors need of a folder."""

    def __init__(self, folder):
        with open(f"{folder}/model.safetensors", "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        sizes = {name: (t["data_offsets"][1] - t["data_offsets"][0]) // 4 for name, t in header.items() if name != "__metadata__"}
        assert all(t["dtype"] == "F32" for name, t in header.items() if name != "__metadata__"), "float32 weights"
        with open(f"{folder}/config.json") as file:
            c = json.load(file)
        assert c["tie_word_embeddings"], "tied weights"
        self.eos = c["eos_token_id"]
        self.parameters = sum(sizes.values())
        self.head = sizes["model.embed_tokens.weight"]
        self.body = self.parameters - self.head
        self.kv_bytes = 4 * 2 * c["num_hidden_layers"] * c["num_key_value_heads"] * c["head_dim"]

    def decode_floor(self, batch, floors, storage):
        """Least seconds of the steps after the first token, and what sets them."""
        read = ((4 if storage == "f32" else 2) * self.parameters + batch * (PROMPT + T / 2) * self.kv_bytes) / floors.bandwidth / 1e9
        work = 2 * self.parameters * batch / floors.peak / 1e9
        return (T - 1) * max(read, work), "memory" if read > work else "GEMM"

    def prefill_flop(self, batch):
        return 2 * batch * (self.body * PROMPT + self.head)

    def step_flop(self):
        generation = 2 * (self.body * P * (PROMPT + G * T) + self.head * P * G * T)
        return {"generation": generation, "training": 3 * generation, "total": 4 * generation}


class Floors:
    """The most that was measured of the machine: first, and again in every round."""

    def __init__(self, args, model):
        self.bandwidth = self.peak = 0.0
        self.commands = (args.bandwidth, str(4 * model.parameters // 10**6)), (args.kernels, "--peak")
        self.measure()
        self.say()

    def measure(self):
        self.bandwidth = max(self.bandwidth, measured(*self.commands[0]))
        self.peak = max(self.peak, measured(*self.commands[1]))

    def say(self):
        print(f"floors: {self.bandwidth:.1f} GB/s read from {self.commands[0][1]} MB, {self.peak:.0f} GFLOP/s GEMM peak", flush=True)


def prompts(folder, count):
    """Texts of GSM8K that are exactly PROMPT tokens."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    with open("data/samples/gsm8k_train.jsonl") as file:
        rows = [json.loads(line) for line in file]
    ids = tokenizer.encode("\n\n".join(row["question"] + "\n" + row["answer"] for row in rows)).ids
    texts = [tokenizer.decode(ids[i : i + PROMPT]) for i in range(0, len(ids) - PROMPT, PROMPT)]
    texts = [text for text in texts if len(tokenizer.encode(text).ids) == PROMPT]
    assert len(texts) >= count
    return texts[:count]


def transformers_decode(folder, job):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LogitsProcessor, LogitsProcessorList

    class FirstToken(LogitsProcessor):
        at = None

        def __call__(self, ids, scores):
            self.at = self.at or time.perf_counter()
            return scores

    torch.set_num_threads(os.cpu_count())
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model.generation_config.eos_token_id = None
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for batch in job["batches"]:
        inputs = tokenizer(job["prompts"][:batch], return_tensors="pt")
        assert inputs["input_ids"].shape == (batch, PROMPT)
        for new in (4, T):
            first, start = FirstToken(), time.perf_counter()
            out = model.generate(**inputs, max_new_tokens=new, do_sample=False, logits_processor=LogitsProcessorList([first]))
            end = time.perf_counter()
        assert out.shape == (batch, PROMPT + T)
        yield {"batch": batch, "prefill": first.at - start, "decode": end - first.at, "ids": out[:, PROMPT:].tolist()}


def llama_decode(folder, job):
    import xllamacpp
    from tokenizers import Tokenizer

    settings = xllamacpp.CommonParams()
    settings.model.path, settings.n_ctx, settings.n_parallel = job["gguf"], 256, 1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = os.cpu_count()
    server = xllamacpp.Server(settings)
    ids = Tokenizer.from_file(f"{folder}/tokenizer.json").encode(job["prompts"][0]).ids
    for new in (4, T):
        answer = server.handle_completions({"prompt": ids, "max_tokens": new, "ignore_eos": True, "temperature": 0.0, "cache_prompt": False})
    times = answer["timings"]
    assert (times["prompt_n"], times["predicted_n"]) == (PROMPT, T)
    yield {"batch": 1, "prefill": times["prompt_ms"] / 1e3, "decode": times["predicted_ms"] / 1e3}


def aha_decode(binary, folder, job, storage):
    rows = []
    for batch in job["batches"]:
        text = "".join(json.dumps({"question": prompt}) + "\n" for prompt in job["prompts"][:batch])
        done = subprocess.run([binary, "generate", "--model", folder, "--max-completion-length", str(T), "--temperature", "0", "--ignore-eos", "--timing",
                               "--storage", storage],
                              input=text, capture_output=True, text=True)
        if done.returncode:
            sys.exit("aha failed:\n" + done.stderr[-3000:])
        times = json.loads(done.stderr.splitlines()[-1])
        assert (times["prompt_tokens"], times["completion_tokens"]) == (batch * PROMPT, batch * T)
        rows.append({"batch": batch, "storage": storage, "prefill": times["prefill_s"], "decode": times["decode_s"],
                     "ids": [json.loads(line)["completion_ids"] for line in done.stdout.splitlines()]})
    return rows


def middle(rows, key, **where):
    values = [r[key] for r in rows if all(r[name] == value for name, value in where.items())]
    return statistics.median(values) if values else float("nan")


def agreement(a, b):
    """Share of equal ids at the same place."""
    pairs = [x == y for row, other in zip(a, b) for x, y in zip(row, other)]
    return sum(pairs) / len(pairs)


def report_decode(model, batches, sides, floors, storage):
    """`sides`: rows of aha with that storage, transformers and llama.cpp, these with f32 weights."""
    aha, theirs, llama = sides
    print(f"decoding, aha's weights stored as {storage}: tokens a second after the first token ({PROMPT} + {T} tokens, greedy)")
    print(f"{'batch':>5} {'aha':>8} {'transformers':>13} {'llama.cpp':>10} {'x transf.':>9} {'x llama':>8} {'floor':>8} {'of floor':>9} {'set by':>7} {'same ids':>9}")
    for batch in batches:
        mine, other, third = (middle(side, "decode", batch=batch) for side in sides)
        floor, by = model.decode_floor(batch, floors, storage)
        tokens = batch * (T - 1)
        same = agreement(next(r for r in aha if r["batch"] == batch)["ids"], next((r for r in theirs if r["batch"] == batch), {"ids": [[-1]]})["ids"])
        print(f"{batch:5} {tokens / mine:8.1f} {tokens / other:13.1f} {tokens / third:10.1f} {other / mine:8.1f}x {third / mine:7.2f}x"
              f" {tokens / floor:8.1f} {floor / mine:9.0%} {by:>7} {same:9.0%}".replace("nanx", "   -").replace("nan", "  -"))
    print("prefill, seconds to the first token")
    print(f"{'batch':>5} {'aha':>8} {'transformers':>13} {'llama.cpp':>10} {'x transf.':>9} {'x llama':>8} {'GFLOP/s':>8} {'of peak':>9}")
    for batch in batches:
        mine, other, third = (middle(side, "prefill", batch=batch) for side in sides)
        speed = model.prefill_flop(batch) / mine / 1e9
        print(f"{batch:5} {mine:8.3f} {other:13.3f} {third:10.3f} {other / mine:8.1f}x {third / mine:7.2f}x {speed:8.1f} {speed / floors.peak:9.0%}".replace("nanx", "   -").replace("nan", "  -"))


def report_step(model, aha, trl, floors, storage):
    floors.say()
    flop = model.step_flop()
    print(f"one GRPO step, aha's weights stored as {storage}, {P} x {G} completions, {PROMPT} + {T} tokens, {len(aha)} steps each, medians")
    print(f"floor: {flop['total'] / 1e12:.2f} TFLOP; {flop['total'] / floors.peak / 1e9:.1f} s at the GEMM peak")
    print(f"{'':12} {'TRL s':>8} {'aha s':>8} {'x TRL':>7} {'aha tok/s':>10} {'GFLOP/s':>8} {'of floor':>9}")
    for key in KEYS:
        mine, theirs = middle(aha, key), middle(trl, key)
        print(f"{key:12} {theirs:8.2f} {mine:8.2f} {theirs / mine:6.1f}x {P * G * T / mine:10,.1f} {flop[key] / mine / 1e9:8.1f}"
              f" {flop[key] / mine / 1e9 / floors.peak:9.0%}".replace("   nanx", "      -").replace("     nan", "       -"))
    biggest = lambda rows: f"{max(r['rss'] for r in rows):.2f} GiB" if rows else "-"
    print(f"peak memory: aha {biggest(aha)} ({max(r['rss'] for r in aha) * 1024**3 / model.parameters:.1f} bytes a parameter), TRL {biggest(trl)}")


def versions():
    with open("/proc/cpuinfo") as file:
        cpu = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    names = [n for n in ("torch", "transformers", "trl", "xllamacpp") if importlib.util.find_spec(n)]
    return f"{os.cpu_count()} cores of {cpu}, {time.strftime('%Y-%m-%d')}, " + ", ".join(f"{n} {importlib.metadata.version(n)}" for n in names)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", default="models/smollm2-135m-instruct")
    for tool in ("aha", "kernels", "bandwidth"):
        parser.add_argument(f"--{tool}", required=True)
    parser.add_argument("--part", choices=("decode", "step", "all"), default="all")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=1, help="counted GRPO steps a round and side, after one that is not")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--storages", choices=("f32", "bf16", "fp16"), nargs="+", default=["f32"], help="model.storage of aha, in turns")
    parser.add_argument("--only-aha", action="store_true", help="leave the peers out")
    args = parser.parse_args()
    model = Model(args.model)
    print(versions())
    print(f"{model.parameters:,} parameters")
    floors = Floors(args, model)
    job = {"prompts": prompts(args.model, max(P * (args.steps + 1), *args.batches)), "batches": args.batches, "P": P, "G": G, "T": T,
           "prompt_tokens": PROMPT, "learning_rate": 1e-6, "per_device": G, "avoid": [model.eos], "steps": args.steps, "warm": 1}
    peers = not args.only_aha
    if args.part != "step":
        run_decode(args, model, job, peers, floors)
    if args.part != "decode":
        aha, trl = [], []
        for number in range(args.rounds):
            print(f"GRPO step, round {number + 1} of {args.rounds} ...", file=sys.stderr, flush=True)
            trl += child(__file__, "TRL", args.model, job) if peers else []
            floors.measure()
            for storage in args.storages:
                aha += [{**row, "storage": storage} for row in aha_steps(args.aha, args.model, {**job, "storage": storage})]
                floors.measure()
        for storage in args.storages:
            report_step(model, [r for r in aha if r["storage"] == storage], trl, floors, storage)


def run_decode(args, model, job, peers, floors):
    aha, theirs, llama = [], [], []
    with tempfile.TemporaryDirectory() as work:
        with_llama = peers and importlib.util.find_spec("xllamacpp") is not None and 1 in args.batches
        if with_llama:
            from gguf_file import write_gguf
            job["gguf"] = f"{work}/f32.gguf"
            write_gguf(args.model, job["gguf"])
        for number in range(args.rounds):
            print(f"decoding, round {number + 1} of {args.rounds} ...", file=sys.stderr, flush=True)
            theirs += child(__file__, "transformers", args.model, job) if peers else []
            llama += child(__file__, "llama.cpp", args.model, job) if with_llama else []
            floors.measure()
            for storage in args.storages:
                aha += aha_decode(args.aha, args.model, job, storage)
                floors.measure()
    floors.say()
    for storage in args.storages:
        report_decode(model, args.batches, ([r for r in aha if r["storage"] == storage], theirs, llama), floors, storage)


if __name__ == "__main__":
    run_child({"TRL": trl_steps, "transformers": transformers_decode, "llama.cpp": llama_decode}) or main()
