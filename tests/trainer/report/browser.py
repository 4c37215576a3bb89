"""Chromium without a window, by the DevTools protocol over pipes: Python's own library is enough."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time


def find_browser():
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    return None


class Browser:
    """One browser with one page. `events` holds what the page reported, as [(method, params)]."""

    def __init__(self, path, width=1280, height=900):
        self.folder = tempfile.TemporaryDirectory(prefix="aha_browser_")
        to_browser, self.commands = os.pipe()
        self.answers, from_browser = os.pipe()

        def place_pipes():  # the protocol's places are 3 and 4
            high = [os.dup2(fd, number) for fd, number in ((to_browser, 63), (from_browser, 64))]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        arguments = [path, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                     "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage", f"--window-size={width},{height}",
                     f"--user-data-dir={self.folder.name}", "about:blank"]
        self.process = subprocess.Popen(arguments, close_fds=False, preexec_fn=place_pipes, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.buffer = b""
        self.count = 0
        self.events = []
        self.session = None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def receive(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.answers, 1 << 20)
            if not piece:
                raise RuntimeError("the browser ended")
            self.buffer += piece
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            if "method" in answer:
                self.events.append((answer["method"], answer["params"]))

    def evaluate(self, expression):
        """The value of a JavaScript expression; promises are waited for."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", "exception"))
        return result["result"].get("value")

    def open(self, url, timeout_s=60):
        """Opens a report and waits until it says that it is ready. Returns the seconds that took."""
        self.call("Page.navigate", url="about:blank")
        self.events.clear()
        begin = time.monotonic()
        self.call("Page.navigate", url=url)
        while time.monotonic() - begin < timeout_s:
            state = self.evaluate("[location.href, document.documentElement?.dataset.ready ?? '', document.querySelector('#status.problem')?.textContent ?? '']")
            if state[0] != "about:blank" and (state[1] or state[2]):
                if state[2]:
                    raise RuntimeError(state[2])
                return time.monotonic() - begin
            time.sleep(0.02)
        raise RuntimeError(f"{url}: not ready after {timeout_s} s")

    def resize(self, width, height, scheme="light"):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, file):
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(file, "wb") as out:
            out.write(base64.b64decode(data))

    def requests(self):
        """URLs that the page asked for, its own file aside."""
        urls = [p["request"]["url"] for m, p in self.events if m == "Network.requestWillBeSent"]
        return [url for url in urls[1:] if not url.startswith("blob:")]

    def complaints(self):
        """Errors of scripts, and what the Content-Security-Policy refused."""
        found = [p["exceptionDetails"]["exception"].get("description", "exception") for m, p in self.events if m == "Runtime.exceptionThrown"]
        found += [p["entry"]["text"] for m, p in self.events if m == "Log.entryAdded" and p["entry"]["level"] == "error"]
        return found

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        except (RuntimeError, OSError):
            pass
        self.process.wait(timeout=20)
        self.folder.cleanup()
