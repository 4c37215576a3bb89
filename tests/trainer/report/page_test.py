#!/usr/bin/env python3
"""page_test.py TEST_REPORT: lets the test executable write reports (its hidden cases) and looks at them in
Chromium: what is drawn, what a pointer, a key and a filter show, and that hostile text does nothing. Exits 77
(skipped) where there is no Chromium."""
import base64
import json
import re
import urllib.parse
import zlib

from pages import PageTest, folder, main, url


class Page(PageTest):
    PAGES = "[.write_pages]"

    def metrics(self):
        with open(f"{folder.name}/run/metrics.jsonl") as file:
            rows = [json.loads(line) for line in file]
        return {row["step"]: row["reward"] for row in rows if "reward" in row}

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
        self.assertEqual(csv, ["step,completions/mean_length", "5,15", "6,16", "7,17", "8,18", "9,19"])
        rows = self.value("""(() => { const fold = drawn.find((d) => d.chart.id === 'length').figure.querySelector('details');
            fold.open = true; return new Promise((done) => setTimeout(() => done(fold.querySelectorAll('tbody tr').length), 100)); })()""")
        self.assertEqual(rows, 5)
        self.browser.open(url("seeds.html", "tab=curves&band=1&from=5&to=5"))
        csv = self.value("csvOf(drawn.find((d) => d.chart.id === 'reward').lines)").splitlines()
        self.assertEqual(len(csv), 2)
        self.assertEqual(re.findall("mean|lowest|highest", csv[0]), ["mean", "lowest", "highest"])
        self.assertEqual([float(value) for value in csv[1].split(",")], [5, 1, 0.5, 1.5])

    def test_logarithmic_steps_draw_every_point_that_has_a_place(self):
        finite = "drawn.map((d) => d.graph.layout_.points.flat().filter((p) => Number.isFinite(p.canvasx) && Number.isFinite(p.canvasy)).length)"
        for page, fragment, points in (("small.html", "", 30), ("zero.html", "", 30), ("zero.html", "&from=0&to=9", 9), ("zero.html", "&from=4&to=9", 6),
                                       ("zero.html", "&from=-5", 30), ("zero.html", "&from=9&to=3", 1), ("zero.html", "&logy=1", 30)):
            self.browser.open(url(page, f"tab=curves&logx=1{fragment}"))
            length = "drawn.find((d) => d.chart.id === 'length')"
            seen = self.value(f"(() => {{ const d = {length}; const a = d.graph.getArea(); const [low, high] = d.graph.xAxisRange(); return d.graph.layout_.points.flat()"
                              ".filter((p) => p.xval >= low && p.xval <= high && p.canvasx >= a.x && p.canvasx <= a.x + a.w).map((p) => [p.xval, p.canvasx]); })()")
            self.assertEqual(len(seen), points, f"{page} {fragment}: {seen}")
            self.assertTrue(all(count > 0 for count in self.value(finite)), page)
            self.check_quiet()
        self.browser.open(url("zero.html", "tab=curves&logx=1"))
        self.assertIn("a step at or below 0: left out", self.value(f"{length}.figure.textContent"))
        at = dict(self.value(f"{length}.graph.layout_.points[0].map((p) => [p.xval, p.canvasx])"))
        self.assertAlmostEqual(at[10] - at[1], at[20] - at[2], delta=0.01)  # one decade
        printed = self.value(f"pointsOf({length}.graph, [1, 10, 30], [11, 20, 40])").split()
        for step, point in zip((1, 10, 30), printed):
            self.assertAlmostEqual(float(point.split(",")[0]), at[step], delta=0.06)
        self.browser.open(url("zero.html", "tab=curves"))
        self.assertEqual(self.value(f"{length}.graph.layout_.points[0].length"), 31)

    def test_a_chart_drawn_anew_stays_where_the_reader_is(self):
        self.browser.resize(1280, 300)
        self.browser.open(url("small.html", "tab=curves"))
        self.value("(() => { const f = drawn.find((d) => d.chart.id === 'length').figure; f.querySelector('.plot').focus(); f.querySelector('details').open = true; f.scrollIntoView({block: 'start'}); })()")
        before = self.value("scrollY")
        self.assertGreater(before, 200)
        self.value("view.set({smooth: 3})")
        self.assertEqual(self.value("scrollY"), before)
        self.assertEqual(self.value("document.activeElement.closest('figure')?.dataset.chart"), "length")
        self.assertTrue(self.value("document.activeElement.closest('figure').querySelector('details').open"))

    def test_a_drag_across_a_chart_zooms_all_of_them(self):
        for fragment in ("", "&logx=1", "&logx=1&band=1"):
            self.browser.resize(1280, 400)
            self.browser.open(url("seeds.html", f"tab=curves{fragment}"))
            ends = self.value("""(() => { const d = drawn.find((d) => d.chart.id === 'length'); d.figure.scrollIntoView({block: 'end'}); const box = d.figure.querySelector('.plot').getBoundingClientRect();
                const a = d.graph.getArea(); return [4, 12].map((step) => [box.x + a.x + d.graph.toPercentXCoord(step) * a.w, box.y + a.y + a.h / 2]); })()""")
            before = self.value("scrollY")
            for kind, (x, y), buttons in (("mousePressed", ends[0], 1), ("mouseMoved", ends[1], 1), ("mouseReleased", ends[1], 0)):
                self.browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=buttons, clickCount=1)
            self.assertRegex(self.value("location.hash"), "from=[34]&to=1[23]$")
            self.assertEqual(self.value("scrollY"), before)
            self.assertTrue(all(self.value("drawn.map((d) => d.graph.xAxisRange()[0] > 2 && d.graph.xAxisRange()[1] < 14)")))
            for count in (1, 2):
                for kind in ("mousePressed", "mouseReleased"):
                    self.browser.call("Input.dispatchMouseEvent", type=kind, x=ends[0][0], y=ends[0][1], button="left", clickCount=count)
            self.assertNotIn("from", self.value("location.hash"))
            self.check_quiet()

    def test_rows_of_unexpected_types_are_shown(self):
        for at in (0, 1):
            self.browser.open(url("odd.html", f"tab=samples&sample={at}&tokens=1"))
            told = self.value("document.querySelector('#sample-detail').textContent")
            self.assertIn("unjudged", told)
            self.assertIn("Its group: 2 recorded", told)
            self.assertIn('{"a":1}', told)
            self.assertIn(("all of them", "a [1,2]; b true")[at], told)
            titles = self.value("[...document.querySelectorAll('.token')].map((e) => e.title)")
            self.assertEqual(titles, ['token 1: "U+202E", log-probability not recorded, entropy not recorded',
                                      'token 2: "U+202E", log-probability -0.5, probability 0.607, entropy 0.25'])
            self.check_quiet()
        for sort in ("reward", "length"):
            self.browser.open(url("odd.html", f"tab=samples&sort={sort}"))
            self.assertEqual(self.value("[...document.querySelectorAll('#sample-list .row')].map((e) => e.id)"), ["sample-0", "sample-1"])

    def test_names_show_what_cannot_be_seen(self):
        odd = r"/[\u202e\u200b\u001b\u2800\u034f\ufe0f]/"
        for tab in ("", "tab=curves&more=" + urllib.parse.quote("left \u202e right to left \u202c and \u200b nothing \x1b[31m"), "tab=samples&sample=30", "tab=settings"):
            self.browser.open(url("small.html", tab))
            self.assertFalse(self.value(f"{odd}.test(document.body.innerText)"), tab)
            self.assertEqual(self.value(f"[...document.querySelectorAll('[title], [aria-label]')].filter((e) => {odd}.test(e.title + e.ariaLabel)).length"), 0)
        self.browser.open(url("small.html", "tab=curves"))
        options = self.value("[...document.getElementById('curve-controls').elements.more.options].map((o) => o.textContent)")
        self.assertIn("left U+202E right to left U+202C and U+200B nothing U+001B[31m", options)

    def test_boxes_of_runs_and_the_active_row_follow_the_view(self):
        self.browser.open(url("seeds.html", "tab=curves"))
        self.value("new Promise((done) => { location.hash = 'tab=curves&hide=1'; setTimeout(done, 200); })")
        self.assertEqual(self.value("[...document.querySelectorAll('#run-choice input')].map((box) => box.checked)"), [True, False])
        self.browser.open(url("small.html", "tab=samples&sample=3"))
        active = "document.getElementById('sample-list').getAttribute('aria-activedescendant')"
        self.assertEqual(self.value(active), "sample-3")
        self.value("new Promise((done) => { view.set({search: 'onerror'}); setTimeout(done, 200); })")
        self.assertIsNone(self.value(active))
        self.assertEqual(self.value("[...document.getElementById('sample-list').children].filter((e) => e.getAttribute('role') !== 'option').length"), 0)

    def test_filters_and_search_give_the_right_samples(self):
        count = "document.getElementById('sample-count').textContent"
        for fragment, expected in (("", 36), ("set=train", 30), ("set=eval", 6), ("mark=right", 16), ("words=with&set=train", 15),
                                   ("mark=wrong&words=with", 10), ("step=7", 1), ("search=7%20OK", 15), ("lmax=4", 15),
                                   ("rmin=0.5&set=train", 10), ("unit=12", 1), ("cut=yes", 0), ("search=onerror", 1)):
            self.browser.open(url("small.html", f"tab=samples&{fragment}"))
            self.assertTrue(self.value(count).startswith(f"{expected} of 36 "), f"{fragment}: {self.value(count)}")
            self.assertEqual(self.value("document.querySelectorAll('#sample-list .row').length"), expected)
        self.browser.open(url("small.html", "tab=samples"))
        self.value("(() => { const f = document.getElementById('sample-controls').elements.search; f.value = 'zzz'; f.dispatchEvent(new Event('input', {bubbles: true})); })()")
        self.assertTrue(self.value("new Promise((done) => setTimeout(() => done(document.getElementById('sample-count').textContent), 400))").startswith("0 of"))
        self.assertIn("search=zzz", self.value("location.hash"))
        searches = self.value("(() => { let n = 0; view.onChange((keys) => { n += keys.includes('search'); }); const f = document.getElementById('sample-controls').elements.search;"
                              "for (const text of ['o', 'on', 'one']) { f.value = text; f.dispatchEvent(new Event('input')); }"
                              "return new Promise((done) => setTimeout(() => done([n, view.get('search')]), 400)); })()")
        self.assertEqual(searches, [1, "one"])

    def test_hostile_text_is_text(self):
        with open(f"{folder.name}/hostile.json") as file:
            hostile = json.load(file)
        for i, text in enumerate(hostile):
            self.browser.open(url("small.html", "tab=samples&set=eval"))
            self.value(f"document.querySelectorAll('#sample-list .row')[{i}].click()")
            shown = self.value("""new Promise((done) => setTimeout(() => done(
                document.querySelector('#sample-detail pre[aria-label=completion]').textContent), 100))""")
            visible = "".join(f"U+{ord(c):04X}" if c in "\u202e\u202c\u200b\x1b\u2800\u034f\ufe0f\U000e0100" else c for c in text)
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
        self.assertTrue(self.value("document.getElementById('sample-count').textContent").startswith("10 of 36 "))
        self.assertEqual(self.value("document.getElementById('sample-controls').elements.set.value"), "train")


if __name__ == "__main__":
    main(__doc__)
