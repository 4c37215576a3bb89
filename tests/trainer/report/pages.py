"""What tests of report pages share: the test executable writes pages by its hidden cases, Chromium opens them."""
import os
import subprocess
import sys
import tempfile
import unittest

from browser import Browser, find_browser

folder = tempfile.TemporaryDirectory(prefix="aha_pages_")


def write_pages(case):
    subprocess.run([sys.argv[1], case], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "AHA_PAGES": folder.name})


def url(page, fragment=""):
    return f"file://{folder.name}/{page}#{fragment}"


class PageTest(unittest.TestCase):
    """Opens the pages that the hidden case PAGES of the test executable writes."""
    @classmethod
    def setUpClass(cls):
        write_pages(cls.PAGES)
        cls.browser = Browser(find_browser())

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def setUp(self):
        self.browser.resize(1280, 900)

    def value(self, expression):
        return self.browser.evaluate(expression)

    def check_quiet(self):
        self.assertEqual(self.browser.requests(), [])
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(self.value("window.hurt ?? 0"), 0)


def main(usage):
    if len(sys.argv) != 2:
        sys.exit(usage)
    if find_browser() is None:
        print("skipped: there is no chromium here (apt-get install chromium)", file=sys.stderr)
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
