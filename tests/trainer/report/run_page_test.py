#!/usr/bin/env python3
"""run_page_test.py AHA: trains a small job and looks at the page that `aha train` writes, and at the one of
`aha report` over two runs, in Chromium. Exits 77 (skipped) where there is no Chromium."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from browser import Browser, find_browser

HERE = pathlib.Path(__file__).parent
SHORT = ["stages.warm_start.train.max_steps=30", "stages.warm_start.optim.warmup_steps=5", "stages.grpo.train.max_steps=12", "stages.grpo.eval.eval_steps=4",
         "data.eval.held_out.count=16", "log.completion_ids=true", "log.completion_logprobs=true", "log.completions_per_step=0"]


class RunPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="aha_run_page_")
        cls.runs = [pathlib.Path(cls.folder.name, f"seed_{seed}") for seed in (1, 2)]
        for seed, run in enumerate(cls.runs, 1):
            settings = [f"--set={setting}" for setting in [*SHORT, f"seed={seed}", f"output_dir={run}"]]
            subprocess.run([aha, "train", HERE.parents[2] / "configs/parity.yaml", *settings], check=True, stderr=subprocess.DEVNULL)
        cls.both = pathlib.Path(cls.folder.name, "both.html")
        subprocess.run([aha, "report", *cls.runs, "-o", cls.both], check=True, stderr=subprocess.DEVNULL)
        cls.browser = Browser(find_browser())

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.folder.cleanup()

    def open(self, page, fragment=""):
        self.browser.open(f"file://{page}#{fragment}")
        self.assertEqual(self.browser.requests(), [])
        self.assertEqual(self.browser.complaints(), [])

    def rows(self, run, name):
        return [json.loads(line) for line in (run / name).read_text().splitlines()]

    def test_the_page_of_train_shows_the_run(self):
        value = self.browser.evaluate
        self.open(self.runs[0] / "report.html")
        self.assertTrue(value("document.querySelector('.headline').textContent.length > 20"))
        self.assertEqual(value("document.querySelectorAll('#overview .verdict tbody tr').length"), 10)
        self.assertIn("cpu (", value("document.querySelector('.facts').textContent"))
        self.open(self.runs[0] / "report.html", "tab=curves")
        recorded = [row for row in self.rows(self.runs[0], "metrics.jsonl") if row["stage"] == "grpo"]
        for chart, key in (("reward", "reward"), ("accuracy", "eval_accuracy"), ("gradient", "grad_norm")):
            line = value(f"(() => {{ const {{x, y}} = drawn.find((d) => d.chart.id === '{chart}').lines.find((l) => l.key === '{key}'); return [x, y]; }})()")
            there = [row for row in recorded if row.get(key) is not None]
            self.assertEqual(line, [[row["step"] for row in there], [row[key] for row in there]])
        completions = [row for name in ("train", "eval") for row in self.rows(self.runs[0], f"completions/{name}.jsonl")]
        self.open(self.runs[0] / "report.html", "tab=samples&sstage=all&sample=0&tokens=1")
        self.assertTrue(value("document.getElementById('sample-count').textContent").startswith(f"{len(completions):,} of "))
        self.assertGreater(value("document.querySelectorAll('.token').length"), 0)

    def test_two_runs_are_compared(self):
        value = self.browser.evaluate
        self.open(self.both, "tab=curves&band=1")
        self.assertEqual(value("drawn.find((d) => d.chart.id === 'reward').lines.filter((l) => l.key === 'reward').length"), 1)  # two seeds of one experiment
        self.open(self.both)
        self.assertIn("seed", value("document.querySelector('#overview details[open]').textContent"))
        self.assertEqual(value("document.querySelectorAll('article.run').length"), 2)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    aha = sys.argv.pop()
    if find_browser() is None:
        print("skipped: there is no chromium here (apt-get install chromium)", file=sys.stderr)
        sys.exit(77)
    unittest.main(verbosity=2)
