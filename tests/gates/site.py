#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens the site of docs/ in headless Chromium and uses it as a reader does: a click on a page in the
navigation, words typed into the search, a click on a result. Nothing may be loaded from elsewhere.

    site.py SITE [FOLDER]   SITE: what MkDocs built; FOLDER: where screenshots are put

Chromium is driven by ChromeDriver through the W3C's WebDriver protocol, which needs no package of
Python's. Without them the site is checked as text only, and a line says so.
"""
import base64
import functools
import html.parser
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's name of an element's id


def check(holds, what):
    if not holds:
        sys.exit(f"site: {what}")


class Loads(html.parser.HTMLParser):
    """The addresses that a browser loads by itself."""

    def __init__(self, text):
        super().__init__()
        self.addresses = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag in ("script", "img", "iframe"):
            self.addresses.append(values.get("src") or "")
        if tag == "link" and values.get("rel") != "canonical":
            self.addresses.append(values.get("href") or "")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class Browser:
    def __init__(self, chromium, driver):
        self.process = subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        port = None
        for line in self.process.stdout:
            port = re.search(r"started successfully on port (\d+)", line)
            if port:
                break
        check(port, "ChromeDriver did not start")
        self.session = f"http://127.0.0.1:{port[1]}/session"
        options = {"binary": chromium, "args": ["--headless=new", "--no-sandbox", "--disable-gpu",
                                                "--disable-dev-shm-usage", "--window-size=1280,900"]}
        started = self.call("POST", "", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})
        self.session += f"/{started['sessionId']}"

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.session + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, address):
        self.call("POST", "/url", {"url": address})

    def all(self, css):
        found = self.call("POST", "/elements", {"using": "css selector", "value": css})
        return [element[ELEMENT] for element in found]

    def wait(self, css, holds=lambda text: True):
        """The first element of a selector whose text passes, within ten seconds."""
        for _ in range(100):
            for element in self.all(css):
                if holds(self.text(element)):
                    return element
            time.sleep(0.1)
        sys.exit(f"site: nothing fitting at {css}")

    def text(self, element):
        return self.call("GET", f"/element/{element}/text")

    def click(self, element):
        self.call("POST", f"/element/{element}/click", {})

    def type(self, element, text):
        self.call("POST", f"/element/{element}/value", {"text": text})

    def run(self, script):
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def log(self, kind):
        return self.call("POST", "/se/log", {"type": kind})

    def end(self):
        try:
            self.call("DELETE", "")
        finally:
            self.process.terminate()
            self.process.wait()


def read_as_text(site):
    pages = sorted(site.rglob("*.html"))
    check(len(pages) > 20, f"only {len(pages)} pages in {site}")
    for page in pages:
        for address in Loads(page.read_text(encoding="utf-8")).addresses:
            check(not re.match(r"(\w+:)?//", address), f"{page} loads {address}")
    return len(pages)


def read_in_browser(site, chromium, driver, screenshots):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                             functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_port}/"
    browser = Browser(chromium, driver)

    def shoot(name):
        if screenshots:
            pathlib.Path(screenshots).mkdir(parents=True, exist_ok=True)
            pathlib.Path(screenshots, name).write_bytes(
                base64.b64decode(browser.call("GET", "/screenshot")))

    try:
        browser.open(home)
        browser.wait("h1", lambda text: "Which page for whom" in text)
        shoot("home.png")
        browser.click(browser.wait("nav a", lambda text: text == "Coordinates"))
        browser.wait("h1", lambda text: text.startswith("Coordinates"))
        shoot("page.png")
        browser.type(browser.wait("input[name=q]"), "half-pixel\ue007")  # and Enter
        results = browser.wait("#mkdocs-search-results", lambda text: "Coordinates" in text)
        shoot("search.png")
        check(len(browser.all("#mkdocs-search-results a")) > 1, browser.text(results))
        browser.click(browser.wait("#mkdocs-search-results a", lambda text: "Coordinates" in text))
        browser.wait("h1", lambda text: text.startswith("Coordinates"))
        for page in sorted(site.rglob("*.html")):  # as wide as a phone
            browser.call("POST", "/window/rect", {"width": 500, "height": 900})
            browser.open(home + page.relative_to(site).as_posix())
            width, shown = browser.run("return [document.documentElement.scrollWidth, innerWidth]")
            check(width <= shown, f"{page} scrolls sideways: {width} of {shown} px")
        shoot("narrow.png")
        complaints = [entry["message"] for entry in browser.log("browser")
                      if entry["level"] in ("SEVERE", "WARNING")]
        check(complaints == [], f"the browser complains: {complaints}")
        asked = [message["params"]["request"]["url"] for message in
                 (json.loads(entry["message"])["message"] for entry in browser.log("performance"))
                 if message["method"] == "Network.requestWillBeSent"]
        elsewhere = {url for url in asked if not url.startswith((home, "data:"))}
        check(asked and not elsewhere, f"loaded from elsewhere: {elsewhere}")
    finally:
        browser.end()
        server.shutdown()
    return len(asked)


def main():
    site = pathlib.Path(sys.argv[1]).resolve()
    print(f"{read_as_text(site)} pages load nothing from elsewhere")
    chromium = os.environ.get("HOMOLOG_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        print("[skipped] no Chromium with ChromeDriver here; the site was checked as text only")
        return
    requests = read_in_browser(site, chromium, driver, sys.argv[2] if len(sys.argv) > 2 else None)
    print(f"Chromium went through navigation and search; {requests} requests, all to the site")


main()
