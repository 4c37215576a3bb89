#!/usr/bin/env python3
"""read_events.py TEST_METRICS: lets the test executable write an event file (its hidden case
[.write_events]) and compares what the tensorboard package reads from it. Exits 77 (skipped) where
that package is not installed."""
import json
import os
import subprocess
import sys
import tempfile

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    sys.exit(77)

with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.argv[1], "[.write_events]"], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "AHA_EVENTS": folder})
    events = EventAccumulator(folder, size_guidance={"scalars": 0})
    events.Reload()
    read = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    with open(os.path.join(folder, "expected.json")) as file:
        expected = json.load(file)
if read != expected:
    sys.exit(f"tensorboard reads {read}, written was {expected}")
