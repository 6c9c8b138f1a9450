#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTML page of reckon report in headless Chromium: page_test.py PROGRAM

At 360 and 1280 pixels and at the width of an A4 page with the print style: nothing overflows, nothing is requested, nothing is logged, every
chart has title and description, every label stands inside its chart and is at least 9 pixels high. Exit code 77: no Chromium.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

RECKON = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "reckon"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
A4 = round((210 - 2 * 14) / 25.4 * 96)  # inner width of the page in CSS pixels
PROBE = """(() => {
const w = document.documentElement.clientWidth, out = {width: w, scroll: document.documentElement.scrollWidth, wide: [], charts: 0, bad: [], least: 99};
for (const e of document.querySelectorAll('body *')) {
  if (e.closest('.scroll') && !e.matches('.scroll')) continue;
  if (e.getBoundingClientRect().right > w + 0.5) out.wide.push(e.tagName + ' ' + e.textContent.slice(0, 40));
}
if (matchMedia('print').matches)
  for (const e of document.querySelectorAll('.scroll')) if (e.scrollWidth > e.clientWidth + 1) out.wide.push('table ' + e.ariaLabel);
for (const s of document.querySelectorAll('svg')) {
  ++out.charts;
  const box = s.getBoundingClientRect();
  if (!s.querySelector('title').textContent || s.querySelector('desc').textContent.length < 20) out.bad.push('no text alternative');
  for (const t of s.querySelectorAll('text')) {
    const r = t.getBoundingClientRect();
    out.least = Math.min(out.least, parseFloat(getComputedStyle(t).fontSize) * box.width / s.viewBox.baseVal.width);
    if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 2 || r.bottom > box.bottom + 2) out.bad.push('outside: ' + t.textContent);
  }
}
return JSON.stringify(out); })()"""


class Browser:
    """Chromium, spoken to over its debugging pipe."""

    def __init__(self):
        self.profile = tempfile.mkdtemp()
        to_child, ours_out = os.pipe()
        ours_in, from_child = os.pipe()

        def wire():
            spare_in, spare_out = os.dup(to_child), os.dup(from_child)
            os.dup2(spare_in, 3)
            os.dup2(spare_out, 4)

        self.process = subprocess.Popen([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
                                         "--user-data-dir=" + self.profile], preexec_fn=wire, pass_fds=(3, 4, to_child, from_child),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.reader, self.writer = os.fdopen(ours_in, "rb"), os.fdopen(ours_out, "wb")
        os.close(to_child)
        os.close(from_child)
        self.number, self.events, self.session = 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.reader.close()
        self.writer.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        message = b""
        while True:
            byte = self.reader.read(1)
            if not byte:
                raise EOFError("the browser is gone")
            if byte == b"\0":
                return json.loads(message)
            message += byte

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.writer.write(json.dumps(message).encode() + b"\0")
        self.writer.flush()
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                return answer["result"]
            self.events.append(answer)

    def open(self, url):
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.receive())

    def evaluate(self, expression):
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"]["value"]


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        results = os.path.join(cls.folder, "r.h5")
        cls.page = os.path.join(cls.folder, "r.html")
        subprocess.run([RECKON, "plan", "--model", "llama-3-70b", "--device", "h100", "--devices", "256..4096", "--tokens", "15T", "--deadline",
                        "90d", "--draws", "2000", "--quiet", "--out", results], check=True, capture_output=True)
        subprocess.run([RECKON, "report", results, "--out", cls.page, "--quiet"], check=True, capture_output=True)
        cls.dong = os.path.join(cls.folder, "vnd.html")  # the longest amounts
        subprocess.run([RECKON, "report", results, "--currency", "VND=0.000038@2026-11-01", "--out", cls.dong, "--quiet"], check=True,
                       capture_output=True)
        with open(cls.page, encoding="utf-8") as file:
            cls.text = file.read()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_fits_at_every_width_and_asks_for_nothing(self):
        self.check(self.page)

    def test_long_amounts_fit_too(self):
        self.check(self.dong)

    def check(self, page):
        browser = Browser()
        self.addCleanup(browser.close)
        browser.open("file://" + page)
        events = [e.get("method") for e in browser.events]
        self.assertEqual(events.count("Network.requestWillBeSent"), 1, "the page alone is requested")
        for loud in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.assertNotIn(loud, events)
        for width, media, scheme in ((360, "screen", "light"), (1280, "screen", "dark"), (A4, "print", "light")):
            browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
            browser.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])
            seen = json.loads(browser.evaluate(PROBE))
            self.assertEqual(seen["width"], width)
            self.assertLessEqual(seen["scroll"], width)
            self.assertEqual(seen["wide"], [], width)
            self.assertGreaterEqual(seen["charts"], 9)
            self.assertEqual(seen["bad"], [], width)
            self.assertGreaterEqual(seen["least"], 9, width)

    def test_holds_no_script_and_no_address(self):
        self.assertIn("default-src 'none'", self.text)
        self.assertNotIn("<script", self.text)
        self.assertEqual(re.findall(r'(?:src|href|url)\s*[=(]\s*"?(?!data:)[a-z]+:', self.text), [])

    def test_makes_a_pdf(self):
        pdf = os.path.join(self.folder, "r.pdf")
        subprocess.run([RECKON, "report", os.path.join(self.folder, "r.h5"), "--out", pdf, "--quiet"], check=True, capture_output=True)
        with open(pdf, "rb") as file:
            self.assertEqual(file.read(5), b"%PDF-")


if __name__ == "__main__":
    if not CHROMIUM:
        print("skipped: Chromium is not installed")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
