#!/usr/bin/env python3
"""Writes slurm.json: what a running Slurm of two nodes (n1 and n2, two or more cores each) says.  python make_golden.py
(in this folder, with SLURM_CONF set)

lists    node lists as `scontrol show hostnames` expands them, and some that it refuses
tasks    the variables that the tasks of real steps see: three tasks over two nodes, dealt in two ways; one task; and the batch
         script itself
"""
import json
import random
import subprocess
import tempfile
from pathlib import Path

NAMES = """SLURMD_NODENAME SLURM_CPUS_ON_NODE SLURM_CPUS_PER_TASK SLURM_JOB_ID SLURM_JOB_NODELIST SLURM_JOB_NUM_NODES SLURM_LOCALID
SLURM_NODEID SLURM_NTASKS SLURM_PROCID SLURM_STEP_ID SLURM_STEP_NODELIST SLURM_STEP_NUM_TASKS SLURM_STEP_TASKS_PER_NODE
SLURM_TASKS_PER_NODE""".split()
BATCH = """#!/bin/bash
#SBATCH -N 2 -n 3 -o /dev/null
env > batch
srun -m block bash -c 'env > block.$SLURM_PROCID'
srun -m cyclic bash -c 'env > cyclic.$SLURM_PROCID'
srun -n 1 -N 1 -c 2 bash -c 'env > one.$SLURM_PROCID'
"""

FIXED = ["n1", "n[1-3]", "n[1-3,5,07-09]", "n[08-11]", "n[8-11]", "n[98-101]", "n[099-101]", "n[001-003,10]", "a,b[1,3-4],c",
         "gpu-a[9-11],login", "rack[0-1]n[01-02]", "n[0-1][0-1]", "r[1-2]c[01-03,7]n[8-10]", "b2,b1", "n[5,3]", "n[01,1]", "n[00-0]",
         "n[1-2,1-2]", "x-1.example.org,x-[2-3]"]
REFUSED = ["n[3-1]", "n[]", "n[a]", "n[[1-2]]", "n[1,,2]", "n[1-99999999]"]


def scontrol(*words):
    return subprocess.run(["scontrol", *words], capture_output=True, text=True)


def drawn(rng):
    def one():
        text = "n"
        for _ in range(rng.randint(0, 2)):
            ranges = []
            for _ in range(rng.randint(1, 3)):
                low, width = rng.randint(0, 120), rng.randint(1, 4)
                low_text = str(low).zfill(width)
                ranges.append(low_text if rng.random() < 0.5 else f"{low_text}-{str(low + rng.randint(0, 12)).zfill(width)}")
            text += f"{rng.choice('abc')}[{','.join(ranges)}]"
        return text
    return ",".join(one() for _ in range(rng.randint(1, 3)))


rng = random.Random(5)
rows = {}
for text in FIXED + [drawn(rng) for _ in range(40)]:
    done = scontrol("show", "hostnames", text)
    assert done.returncode == 0 and "Invalid" not in done.stdout + done.stderr, (text, done)
    rows[text] = done.stdout.split()
for text in REFUSED:
    done = scontrol("show", "hostnames", text)
    assert "Invalid hostlist" in done.stdout + done.stderr, (text, done)


def variables(path):
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return {name: value for name, value in pairs if name in NAMES}


with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["sbatch", "-W"], input=BATCH, text=True, check=True, cwd=folder)
    tasks = {path.name: variables(path) for path in sorted(Path(folder).iterdir())}
with open("slurm.json", "w") as file:
    json.dump({"scontrol": scontrol("--version").stdout.strip(), "refused": REFUSED, "lists": rows, "tasks": tasks}, file)
    file.write("\n")
