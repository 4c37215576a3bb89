#!/usr/bin/env python3
"""large_page_test.py TEST_REPORT: what pages of many and of long completions cost, and that they show them."""
import json
import os
import sys

from pages import PageTest, folder, main, url, write_pages

# what a page of 10,000 steps and 100,000 completions may cost; opening holds on a machine that is not busy
MOST_BYTES, MOST_WRITING_S, MOST_OPENING_S, MOST_MEMORY = 30e6, 5.0, 2.0, 400 << 20
BUSY = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class LargePage(PageTest):
    PAGES = "[.write_long_page]"

    def check_cost(self, page):
        with open(f"{folder.name}/{page}_cost.json") as file:
            cost = json.load(file)
        print(f"{page}: written in {cost['seconds']:.2f} processor seconds, {cost['bytes'] >> 20} MiB at most in memory", file=sys.stderr)
        self.assertLess(cost["seconds"], MOST_WRITING_S)
        self.assertLess(cost["bytes"], MOST_MEMORY)

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

    def test_a_large_page_is_small_enough_and_opens_at_once(self):
        write_pages("[.write_large_page]")
        size = os.path.getsize(f"{folder.name}/large.html")
        self.check_cost("large")
        opening = min(self.browser.open(url("large.html", "tab=curves")) for _ in range(3))
        print(f"large page: {size / 1e6:.1f} MB, opened in {opening:.2f} s, load {BUSY:.1f}", file=sys.stderr)
        self.assertLess(size, MOST_BYTES)
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
        self.browser.open(url("large.html", "tab=samples&sample=0"))
        self.assertIn("100,000", self.value("document.getElementById('sample-count').textContent"))
        self.assertIn("Of its group only this one is on this page", self.value("document.getElementById('sample-detail').textContent"))
        self.value("document.getElementById('sample-more').click()")
        self.assertEqual(self.value("document.getElementById('sample-list').childElementCount"), 400)
        self.assertEqual(self.value("[...document.querySelectorAll('#sample-list > :not([role=option])')].length"), 0)

    def test_a_large_page_with_tokens_is_written_as_fast(self):
        write_pages("[.write_large_tokens]")
        self.assertLess(os.path.getsize(f"{folder.name}/large_tokens.html"), MOST_BYTES)
        self.check_cost("large_tokens")


if __name__ == "__main__":
    main(__doc__)
