#!/usr/bin/env python3
"""page_test.py TEST_REPORT: lets the test executable write reports (its hidden cases) and looks at them in
Chromium: what is drawn, what a pointer, a key and a filter show, and that hostile text does nothing. Exits 77
(skipped) where there is no Chromium."""
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import zlib

from browser import Browser, find_browser

# what a page of 10,000 steps and 100,000 completions may cost; opening holds on a machine that is not busy
MOST_BYTES, MOST_WRITING_S, MOST_OPENING_S = 30e6, 5.0, 2.0
BUSY = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
folder = tempfile.TemporaryDirectory(prefix="aha_pages_")


def write_pages(case):
    subprocess.run([test_report, case], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "AHA_PAGES": folder.name})


def url(page, fragment=""):
    return f"file://{folder.name}/{page}#{fragment}"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        write_pages("[.write_pages]")
        cls.browser = Browser(find_browser())

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def setUp(self):
        self.browser.resize(1280, 900)

    def value(self, expression):
        return self.browser.evaluate(expression)

    def metrics(self):
        with open(f"{folder.name}/run/metrics.jsonl") as file:
            rows = [json.loads(line) for line in file]
        return {row["step"]: row["reward"] for row in rows if "reward" in row}

    def check_quiet(self):
        self.assertEqual(self.browser.requests(), [])
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(self.value("window.hurt ?? 0"), 0)

    def test_a_chart_has_the_points_of_the_file(self):
        self.browser.open(url("small.html", "tab=curves"))
        chart = "drawn.find((d) => d.chart.id === 'reward')"
        reward = self.metrics()
        self.assertEqual(self.value(f"{chart}.lines[0].key"), "reward")
        self.assertEqual(self.value(f"{chart}.lines[0].x"), list(reward))
        self.assertEqual(self.value(f"{chart}.lines[0].y"), list(reward.values()))
        self.assertGreater(self.value(f"{chart}.figure.querySelector('canvas').getBoundingClientRect().height"), 100)
        painted = "[...{}.getContext('2d').getImageData(0, 0, 400, 200).data].some((v) => v !== 0)"
        self.assertTrue(self.value(painted.format(f"{chart}.figure.querySelector('canvas')")))
        self.check_quiet()

    def test_the_pointer_shows_the_value_of_the_file(self):
        self.browser.open(url("small.html", "tab=curves"))
        where = self.value("""(() => { const d = drawn.find((d) => d.chart.id === 'reward');
            d.figure.scrollIntoView({block: 'center'}); const box = d.figure.querySelector('.plot').getBoundingClientRect();
            return [box.x + d.graph.toDomXCoord(17), box.y + d.graph.toDomYCoord(1.7)]; })()""")
        self.browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=where[0], y=where[1])
        legend = self.value("drawn.find((d) => d.chart.id === 'reward').figure.querySelector('.legend').textContent")
        self.assertIn("step 17", legend)
        self.assertIn(f"reward {self.metrics()[17]:.4g}", legend)

    def test_keys_move_along_a_curve(self):
        self.browser.open(url("small.html", "tab=curves"))
        self.value("drawn.find((d) => d.chart.id === 'reward').figure.querySelector('.plot').focus()")
        for _ in range(3):
            self.browser.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight")
        legend = self.value("drawn.find((d) => d.chart.id === 'reward').figure.querySelector('.legend').textContent")
        self.assertIn("step 3", legend)

    def test_table_and_csv_hold_what_is_drawn(self):
        self.browser.open(url("small.html", "tab=curves&from=5&to=9"))
        csv = self.value("csvOf(drawn.find((d) => d.chart.id === 'length').lines)").splitlines()
        self.assertEqual(csv[0], "step,completions/mean_length")
        self.assertEqual(csv[17], "17,27")
        rows = self.value("""(() => { const fold = drawn.find((d) => d.chart.id === 'length').figure.querySelector('details');
            fold.open = true; return new Promise((done) => setTimeout(() => done(fold.querySelectorAll('tbody tr').length), 100)); })()""")
        self.assertEqual(rows, 30)

    def test_filters_and_search_give_the_right_samples(self):
        count = "document.getElementById('sample-count').textContent"
        for fragment, expected in (("", 35), ("set=train", 30), ("set=eval", 5), ("mark=right", 15), ("words=with&set=train", 15),
                                   ("mark=wrong&words=with", 10), ("step=7", 1), ("search=7%20OK", 15), ("lmax=4", 15),
                                   ("rmin=0.5&set=train", 10), ("unit=12", 1), ("cut=yes", 0), ("search=onerror", 1)):
            self.browser.open(url("small.html", f"tab=samples&{fragment}"))
            self.assertTrue(self.value(count).startswith(f"{expected} of 35 "), f"{fragment}: {self.value(count)}")
            self.assertEqual(self.value("document.querySelectorAll('#sample-list .row').length"), expected)
        self.browser.open(url("small.html", "tab=samples"))
        self.value("(() => { const f = document.getElementById('sample-controls').elements.search; f.value = 'zzz'; f.dispatchEvent(new Event('input', {bubbles: true})); })()")
        self.assertTrue(self.value("new Promise((done) => setTimeout(() => done(document.getElementById('sample-count').textContent), 100))").startswith("0 of"))
        self.assertIn("search=zzz", self.value("location.hash"))

    def test_hostile_text_is_text(self):
        with open(f"{folder.name}/hostile.json") as file:
            hostile = json.load(file)
        for i, text in enumerate(hostile):
            self.browser.open(url("small.html", "tab=samples&set=eval"))
            self.value(f"document.querySelectorAll('#sample-list .row')[{i}].click()")
            shown = self.value("""new Promise((done) => setTimeout(() => done(
                document.querySelector('#sample-detail pre[aria-label=completion]').textContent), 100))""")
            visible = "".join(f"U+{ord(c):04X}" if c in "\u202e\u202c\u200b\x1b" else c for c in text)
            self.assertEqual(shown, visible)
            self.assertEqual(self.value("document.querySelectorAll('main img, main script, main style, main a[href^=javascript]').length"), 0)
            self.check_quiet()
        for tab in ("", "tab=curves", "tab=settings"):
            self.browser.open(url("small.html", tab))
            self.check_quiet()

    def test_seeds_become_a_mean_with_a_band(self):
        self.browser.open(url("seeds.html", "tab=curves&band=1"))
        line = self.value("(() => { const {x, y, low, high} = drawn.find((d) => d.chart.id === 'reward').lines[0]; return {x, y, low, high}; })()")
        self.assertEqual(line["x"], list(range(1, 16)))  # where both have a value
        self.assertAlmostEqual(line["low"][4], 0.5)
        self.assertAlmostEqual(line["y"][4], 1.0)
        self.assertAlmostEqual(line["high"][4], 1.5)
        self.browser.open(url("seeds.html", "tab=curves&hide=0"))
        self.assertEqual(self.value("drawn.find((d) => d.chart.id === 'reward').lines.map((line) => line.run)"), ["seed_2"])
        self.check_quiet()

    def test_zoom_is_kept_in_the_address(self):
        self.browser.open(url("small.html", "tab=curves&from=5&to=9&logy=1&smooth=3"))
        ends = self.value("drawn.find((d) => d.chart.id === 'reward').graph.xAxisRange()")
        self.assertAlmostEqual(ends[0], 5, delta=0.3)
        self.assertAlmostEqual(ends[1], 9, delta=0.3)
        self.assertAlmostEqual(self.value("drawn.find((d) => d.chart.id === 'reward').lines[0].y[9]"), 0.9)  # of .8, .9, 1
        self.assertEqual(self.value("document.getElementById('curve-controls').elements.from.value"), "5")

    def test_everything_fits_a_phone_and_has_a_name(self):
        for tab in ("", "tab=curves", "tab=samples&sample=1", "tab=settings"):
            self.browser.resize(390, 844, "dark")
            self.browser.open(url("small.html", tab))
            self.assertLessEqual(self.value("document.documentElement.scrollWidth"), 390, tab)
            nameless = self.value("""[...document.querySelectorAll('button, input, select, [role=img], [role=tab], [role=listbox]')]
                .filter((e) => e.checkVisibility() && !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim())).map((e) => e.outerHTML)""")
            self.assertEqual(nameless, [])

    def test_a_line_of_ten_megabytes_is_shown_as_text(self):
        with open(f"{folder.name}/long.txt", encoding="utf-8") as file:
            text = file.read()
        self.assertLess(os.path.getsize(f"{folder.name}/long.html"), MOST_BYTES)
        self.assertLess(self.browser.open(url("long.html")), MOST_OPENING_S * BUSY)
        self.browser.open(url("long.html", "tab=samples&sample=0"))
        block = "document.querySelector('#sample-detail pre[aria-label=completion]')"
        wait = "new Promise((done) => { const look = () => document.querySelector('#sample-detail .parts') ? done(1) : setTimeout(look, 20); look(); })"
        self.value(wait)
        shown = lambda: self.value(f"{block}.textContent").replace("U+202E", "\u202e")  # noqa: E731
        press = "[...document.querySelectorAll('#sample-detail .parts button')].find((b) => b.textContent === '{}').click()"
        self.assertEqual(shown(), text[:20000])
        self.assertIn(f"of {len(text):,}", self.value("document.querySelector('#sample-detail .parts').textContent"))
        self.value(press.format("Next"))
        self.assertEqual(shown(), text[20000:40000])
        self.value("(() => { const s = document.querySelector('#sample-detail .parts input'); s.value = 250; s.dispatchEvent(new Event('input')); })()")
        self.assertEqual(shown(), text[5000000:5020000])
        self.assertIn("wait", self.value(f"[...{block}.querySelectorAll('.word')].map((e) => e.textContent)"))
        self.value(press.format("Last"))
        self.assertEqual(shown(), text[len(text) // 20000 * 20000:])
        took = self.value("(() => { const begin = performance.now(); " + press.format("Previous") + f"; {block}.getBoundingClientRect(); return performance.now() - begin; }})()")
        self.assertLess(took, 200 * BUSY)
        self.check_quiet()
        self.browser.open(url("long.html", "tab=samples&sample=1"))
        told = self.value("document.querySelector('#sample-detail').textContent")
        self.assertIn("Its middle is left out", told)
        self.assertIn('completions/train.jsonl, in the row with {"stage":"grpo","step":1,"ordinal":2,"index":0}', told)
        self.check_quiet()

    def test_print_has_verdict_curves_and_settings_from_any_tab(self):
        for scheme in ("light", "dark"):
            self.browser.resize(1280, 900, scheme)
            for tab in ("", "tab=curves", "tab=samples"):
                self.browser.open(url("small.html", tab))
                self.value("(() => { window.seen = []; addEventListener('beforeprint', () => { seen = drawn.map((d) => [d.chart.id, d.figure.querySelector('svg.printed').getBoundingClientRect().width, "
                           "getComputedStyle(document.documentElement).getPropertyValue('--paper').trim(), document.querySelector('.headline').checkVisibility()]); }); })()")
                pdf = base64.b64decode(self.browser.call("Page.printToPDF")["data"])
                blue = r"0 \.44\d+ \.69\d+ RG"  # strokes of #0072b2, as wide as the reward's points are many
                drawings = [zlib.decompress(part[1]).decode("latin-1") for part in re.finditer(rb"stream\r?\n(.*?)endstream", pdf, re.S) if part[1][:1] == b"x"]
                self.assertTrue(any(re.search(blue, drawing) and drawing.count(" l\n") > 29 for drawing in drawings), tab)
                seen = self.value("seen")
                self.assertEqual(sorted(s[0] for s in seen), sorted(self.value("report.data.charts.filter((c) => c.keys.length > 0).map((c) => c.id)")))
                for _, width, paper, headline in seen:
                    self.assertGreater(width, 250)
                    self.assertLess(width, 350)
                    self.assertEqual(paper, "#ffffff")
                    self.assertTrue(headline)
                self.assertEqual(self.value("document.documentElement.className"), "")
        self.check_quiet()

    def test_the_address_changes_the_view(self):
        self.browser.open(url("small.html", "tab=samples&set=eval"))
        self.value("new Promise((done) => { location.hash = 'tab=samples&set=train&mark=right'; setTimeout(done, 200); })")
        self.assertTrue(self.value("document.getElementById('sample-count').textContent").startswith("10 of 35 "))
        self.assertEqual(self.value("document.getElementById('sample-controls').elements.set.value"), "train")

    def test_a_large_page_is_small_enough_and_opens_at_once(self):
        write_pages("[.write_large_page]")
        size = os.path.getsize(f"{folder.name}/large.html")
        with open(f"{folder.name}/large_seconds") as file:
            writing = float(file.read())
        opening = min(self.browser.open(url("large.html", "tab=curves")) for _ in range(3))
        print(f"large page: {size / 1e6:.1f} MB, written in {writing:.2f} processor seconds, opened in {opening:.2f} s, load {BUSY:.1f}", file=sys.stderr)
        self.assertLess(size, MOST_BYTES)
        self.assertLess(writing, MOST_WRITING_S)
        self.assertLess(opening, MOST_OPENING_S * BUSY)
        line = self.value("(() => { const {x, y, n} = drawn.find((d) => d.chart.id === 'reward').lines[0]; return [x.length, n, Math.max(...y)]; })()")
        self.assertLess(line[0], 2000)
        self.assertEqual(line[1:], [10000, 50])  # the spike of one step is there
        self.browser.open(url("large.html", "tab=curves&smooth=1000"))
        line = self.value("(() => { const {x, y} = drawn.find((d) => d.chart.id === 'reward').lines[0]; return {x, y}; })()")
        for step, value in zip(line["x"], line["y"]):  # .1, and 50 at step 5,000, which 1,000 steps remember
            if step < 5000 or step > 6020:
                self.assertAlmostEqual(value, 0.1, delta=1e-6)
            elif step < 5980:
                self.assertAlmostEqual(value, 0.1 + 49.9 / 1000, delta=1e-6)
        self.browser.open(url("large.html", "tab=samples"))
        self.assertIn("100,000", self.value("document.getElementById('sample-count').textContent"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    test_report = sys.argv.pop()
    if find_browser() is None:
        print("skipped: there is no chromium here (apt-get install chromium)", file=sys.stderr)
        sys.exit(77)
    unittest.main(verbosity=2)
