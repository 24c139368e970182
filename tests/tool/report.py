#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""homolog report on real results, opened in Chromium: no console message, no request, no sideways scroll.

usage: report.py HOMOLOG
"""
import html.parser
import json
import os
import shutil
import subprocess
import sys
import tempfile

HOMOLOG = sys.argv[1]
HOSTILE = "<script>console.error(1)</script><img src=http://127.0.0.1:9/x.png onerror=console.error(2)>"


def run(*arguments, status=0):
    result = subprocess.run([HOMOLOG, *arguments], capture_output=True, text=True, timeout=600)
    if result.returncode != status:
        sys.exit(f"FAILED {arguments}: status {result.returncode}, {result.stderr}")
    return result


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED {what}")
    print(f"ok {what}")


def fails(name, folder, arguments, *parts):
    output = f"{folder}/none.html"
    result = run("report", *arguments, "--output", output, status=1)
    lines = result.stderr.strip().splitlines()
    check(len(lines) == 1 and lines[0].startswith("homolog: ") and all(p in lines[0] for p in parts)
          and not os.path.exists(output), f"{name}: {lines}")


def edited(path, target, edit):
    result = json.load(open(path))
    edit(result)
    with open(target, "w") as file:
        json.dump(result, file)
    return target


def make_results(folder):
    """Three results: two on the synthetic set, one on pairs whose category and names are markup."""
    run("generate", "--output", f"{folder}/set", "--seed", "5")
    model = ["--backbone", "synthetic", "--image-size", "256"]
    for matcher in ("argmax", "copy-coordinates"):
        run("evaluate", "--dataset", "synthetic", "--root", f"{folder}/set", "--limit", "40", *model,
            "--matcher", matcher, "--json", f"{folder}/{matcher}.json",
            "--predictions", f"{folder}/{matcher}.jsonl")
    pair = json.loads(open(f"{folder}/argmax.jsonl").readline())
    os.mkdir(f"{folder}/own")
    names = []
    for side, name in (("source", "a.jpg"), ("target", "b.jpg")):
        shutil.copy(pair[side], f"{folder}/own/{name}")
        names.append(name)
    with open(f"{folder}/own/test.jsonl", "w") as file:
        points = [[20, 30], [60, 70]]
        file.write(json.dumps({"source": names[0], "target": names[1], "category": "own",
                               "source_keypoints": points, "target_keypoints": points}) + "\n")
    run("evaluate", "--dataset", "jsonl", "--root", f"{folder}/own", *model,
        "--json", f"{folder}/own.json", "--predictions", f"{folder}/own.jsonl")

    def rename(result):
        result["per_category"] = {HOSTILE: result["per_category"].pop("own")}
        result["backbone"] = HOSTILE

    edited(f"{folder}/own.json", f"{folder}/own.json", rename)
    edited(f"{folder}/own.jsonl", f"{folder}/own.jsonl", lambda line: line.update(pair=HOSTILE))
    # As a depth of tuning; scores do not matter here.
    tuning = {"unfreeze": 1, "lora_rank": 0, "loss": HOSTILE, "seed": 3, "train_dataset": HOSTILE}
    edited(f"{folder}/argmax.json", f"{folder}/tuned.json", lambda r: r.update(tuning=tuning))
    return [f"{folder}/{name}.json" for name in ("argmax", "copy-coordinates", "own", "tuned")]


class Page(html.parser.HTMLParser):
    """Ids, addresses and element names; complains about elements that are not closed in order."""

    VOID = {"meta", "link", "img", "br", "path", "line", "rect", "circle"}

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.addresses, self.names = [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.names.add(tag)
        for key, value in attributes:
            if key == "id":
                self.ids.append(value)
            if key in ("src", "href"):
                self.addresses.append(value)
            if key.startswith("on"):
                sys.exit(f"FAILED an attribute {key}")
        if tag not in self.VOID or tag in ("rect", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.names.add(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            sys.exit(f"FAILED </{tag}> at {self.getpos()} closes nothing")


def browse(browser, folder, address, *options):
    """The page's DOM, console messages and requests; nothing but this machine can be reached."""
    log = f"{folder}/net.json"
    result = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
         f"--user-data-dir={folder}/profile", "--enable-logging=stderr", "--v=0",
         f"--log-net-log={log}", *options, "--dump-dom", address],
        capture_output=True, text=True, timeout=300)
    if result.returncode != 0:
        sys.exit(f"FAILED {browser}: status {result.returncode}: {result.stderr[-2000:]}")
    net = json.load(open(log))
    start = net["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    # Requests of the browser itself have no origin; those of a page have one, if only "null".
    requests = [event["params"]["url"] for event in net["events"]
                if event["type"] == start and "url" in event.get("params", {})
                and event["params"].get("initiator", "not an origin") != "not an origin"]
    console = [line for line in result.stderr.splitlines() if "CONSOLE" in line]
    return result.stdout, console, requests


MEASURE = """<!doctype html><body><script>
addEventListener('load', () => {
  const results = [];
  for (const frame of document.querySelectorAll('iframe')) {
    const page = frame.contentDocument.documentElement;
    results.push([page.clientWidth, page.scrollWidth,
                  getComputedStyle(frame.contentDocument.body).backgroundColor]);
  }
  document.body.textContent = JSON.stringify(results);
});
</script>
<iframe src="report.html" style="width:340px;height:700px"></iframe>
<iframe src="report.html" style="width:800px;height:700px"></iframe>
<iframe src="report.html" style="width:1280px;height:700px"></iframe>
"""


def in_browser(browser, folder):
    with open(f"{folder}/control.html", "w") as file:
        file.write("<!doctype html><script>console.error('seen')</script><img src=http://127.0.0.1:9/x.png>")
    _, console, requests = browse(browser, folder, f"file://{folder}/control.html")
    check(len(console) == 1 and requests == ["http://127.0.0.1:9/x.png"],
          "a console message and a request of a page are noticed")
    dom, console, requests = browse(browser, folder, f"file://{folder}/report.html")
    check("Best and worst matches" in dom, "Chromium shows the report")
    check(console == [], f"no console message {console}")
    check(requests == [], f"no request {requests}")

    with open(f"{folder}/measure.html", "w") as file:
        file.write(MEASURE)
    colours = []
    for scheme in ("1", "0"):  # light, dark
        dom, _, _ = browse(browser, folder, f"file://{folder}/measure.html",
                           "--allow-file-access-from-files", "--virtual-time-budget=5000",
                           f"--blink-settings=preferredColorScheme={scheme}")
        sizes = json.loads(dom[dom.index("[["):dom.index("]]") + 2])
        check(len(sizes) == 3 and all(scroll <= client for client, scroll, _ in sizes),
              f"no sideways scroll: {sizes}")
        colours.append(sizes[0][2])
    check(colours[0] != colours[1], f"light and dark: {colours}")


def main():
    browser = os.environ.get("HOMOLOG_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        results = make_results(folder)
        output = f"{folder}/report.html"
        out = run("report", *results, "--output", output, "--title", HOSTILE, "--pairs", "2")
        check(out.stderr == "" and "p@0.1" in out.stdout, "report prints the scores")
        text = open(output).read()
        page = Page(text)
        check(page.open == [], f"all elements are closed {page.open}")
        check("script" not in page.names, "no script")
        check(all(a.startswith(("#", "data:")) for a in page.addresses), "nothing from elsewhere")
        check({"reading", "results", "categories", "depth", "across", "errors", "matches", "seconds"}
              <= set(page.ids) and len(set(page.ids)) == len(page.ids), "all sections")
        # One of the three results with predictions has a single pair: no worst one.
        drawn = sum(a.startswith("data:image/jpeg") for a in page.addresses)
        check(drawn == 4 + 4 + 1 + 4, f"best and worst drawn: {drawn}")
        score = json.load(open(results[0]))["pck"]["per_point"]["0.1"]
        check(f"{score:.2f}" in text and f"{score:.2f}" in out.stdout, "scores are the file's")
        check("Normalised" in text and "imagenet" in text, "how the input was normalised")

        bare = f"{folder}/bare.html"
        run("report", results[0], "--output", bare, "--no-pictures")
        check("data:image" not in open(bare).read(), "--no-pictures")
        before = open(bare).read()
        with open(f"{folder}/text.json", "w") as file:
            file.write("no result")
        result = run("report", results[0], f"{folder}/text.json", "--output", bare, status=1)
        check(open(bare).read() == before and "text.json" in result.stderr,
              "a failure leaves the old report")
        fails("no JSON", folder, [f"{folder}/text.json"], "text.json", "not JSON")
        fails("a missing file", folder, [f"{folder}/gone.json"], "gone.json")
        fails("a missing key", folder, [edited(results[0], f"{folder}/x.json", lambda r: r.pop("pck"))],
              "x.json", '"pck"', "missing")
        fails("a wrong type", folder,
              [edited(results[0], f"{folder}/x.json", lambda r: r.update(pairs="many"))],
              "x.json", '"pairs"', "expected an integer")
        fails("missing predictions", folder,
              [edited(results[0], f"{folder}/x.json", lambda r: r.update(predictions="gone.jsonl"))],
              "x.json", '"predictions"', "gone.jsonl")
        fails("predictions of another result", folder,
              [edited(results[0], f"{folder}/x.json",
                      lambda r: r.update(predictions=f"{folder}/own.jsonl"))], "own.jsonl", "pairs")
        os.rename(f"{folder}/own/b.jpg", f"{folder}/own/c.jpg")
        fails("a missing picture", folder, [results[2]], "own.json", "b.jpg")
        run("report", "--output", bare, status=2)
        run("report", results[0], status=2)

        if browser is None:
            print("[skipped] no Chromium here; the page was checked as text only")
        else:
            in_browser(browser, folder)
    print("the report is sound")


main()
