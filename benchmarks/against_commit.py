#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed of two builds of the benchmarks in turns: time before over time now.

usage: against_commit.py BIN_BEFORE BIN_NOW [--turns 7] [--filter REGEX] [--models NAME@HxW ...]
                         [--willow ROOT --weights FILE]

Matching: each turn runs both builds' matching_benchmark; a row is an operation on a number of
threads, over the shapes. Forward: both processes hold the model and run one forward a turn. Each
ratio is the median over the turns of the same turn's two times, so 1.00 is no change and 0.97 is
three percent slower. Training steps: each turn runs both builds' training_step. With --willow each
turn evaluates all of PF-WILLOW with both builds' tool. Answers are checked inside the benchmarks; the
parity tests check features.
"""
import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile

import backbone_forward

BOUND = 0.97
SHAPES = "(argmax|window|soft)/D:(384|768)/grid:(37|60)/N:(1|20|136|1369)/.*/homolog/"


def matching(folder, pattern):
    """Microseconds of each benchmark."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as out:
        subprocess.run([f"{folder}/matching_benchmark", f"--benchmark_filter={pattern}",
                        "--benchmark_min_time=0.05", f"--benchmark_out={out.name}",
                        "--benchmark_out_format=json"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        runs = json.load(out)["benchmarks"]
    wrong = [run["name"] for run in runs if run.get("error_occurred")]
    if wrong:
        sys.exit(f"{folder}: wrong answers in {', '.join(wrong)}")
    return {run["name"].removesuffix("/real_time"): run["real_time"] for run in runs}


def in_turns(before, now, turns, run):
    """Median over the turns of before / now, by name; the order of the two alternates."""
    ratios = {}
    for turn in range(turns):
        if turn % 2 == 0:
            old, new = run(before), run(now)
        else:
            new, old = run(now), run(before)
        for name, seconds in new.items():
            ratios.setdefault(name, []).append(old[name] / seconds)
    return {name: statistics.median(values) for name, values in ratios.items()}


def forward(options, name, size, dtype, threads):
    with tempfile.TemporaryDirectory() as folder:
        backbone_forward.own("--save", name, dtype, folder)
        picture = f"{folder}/input.safetensors"
        backbone_forward.own("--save-input", name, *size.split("x"), picture)
        runners = [
            backbone_forward.Runner(
                [f"{side}/backbone_forward", "--weights", f"{folder}/model.safetensors", "--input",
                 picture, "--dtype", dtype, "--threads", str(threads)])
            for side in (options.before, options.now)]
        for runner in runners:
            runner.run()
        ratio = in_turns(*runners, options.turns, lambda runner: {"": runner.run()})[""]
        for runner in runners:
            runner.finish()
    return ratio


def training(folder, threads):
    """Milliseconds of a step, with the frozen blocks' output kept and computed."""
    said = subprocess.run([f"{folder}/training_step", "--image-size", "224", "--steps", "6", "--threads",
                           str(threads)], check=True, capture_output=True, text=True).stdout
    found = re.search(r"kept ([0-9.]+) ms, computed ([0-9.]+) ms", said)
    return {"kept": float(found[1]), "computed": float(found[2])}


def willow(folder, options):
    """Seconds of a whole evaluation, and the share of it that matches."""
    with tempfile.TemporaryDirectory() as own:  # the tool replaces its file, an open one would stay empty
        subprocess.run([f"{folder}/homolog", "evaluate", "--dataset", "pf-willow", "--root", options.willow,
                        "--weights", options.weights, "--image-size", "224", "--json", f"{own}/r.json"],
                       check=True, capture_output=True)
        with open(f"{own}/r.json", encoding="utf-8") as result:
            seconds = json.load(result)["seconds"]
    return {"whole": seconds["total"], "backbone": seconds["backbone"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", metavar="BIN_BEFORE")
    parser.add_argument("now", metavar="BIN_NOW")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--filter", default=SHAPES)
    parser.add_argument("--models", nargs="*", metavar="NAME@HxW",
                        default=["dinov2_vitb14@518x518", "dinov2_vits14@224x224"])
    parser.add_argument("--willow", metavar="ROOT", help="PF-WILLOW's folder")
    parser.add_argument("--weights", metavar="FILE", help="of the evaluation")
    options = parser.parse_args()
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    rows = []

    groups = {}
    ratios = in_turns(options.before, options.now, options.turns,
                      lambda side: matching(side, options.filter))
    for name, ratio in ratios.items():
        operation, *_, threads, _ = name.split("/")
        groups.setdefault((operation, threads.split(":")[1]), []).append((ratio, name))
    for (operation, threads), found in groups.items():
        mean = math.exp(statistics.fmean(math.log(ratio) for ratio, _ in found))
        least, where = min(found)
        rows.append(mean)
        print(f"{operation:8} {threads} threads: {mean:.3f} over {len(found)} shapes, "
              f"least {least:.3f} ({where})", flush=True)

    os.environ.pop("OMP_WAIT_POLICY")
    for model in options.models:
        name, size = model.split("@")
        for dtype in ("float32", "bfloat16"):
            for threads in (1, 2):
                rows.append(forward(options, name, size, dtype, threads))
                print(f"forward {name} {size} {dtype} {threads} threads: {rows[-1]:.3f}", flush=True)
    for threads in (1, 2):
        ratios = in_turns(options.before, options.now, options.turns,
                          lambda side: training(side, threads))
        for name, ratio in ratios.items():
            rows.append(ratio)
            print(f"training step {name} {threads} threads: {ratio:.3f}", flush=True)
    if options.willow:
        ratios = in_turns(options.before, options.now, options.turns,
                          lambda side: willow(side, options))
        for name, ratio in ratios.items():
            rows.append(ratio)
            print(f"PF-WILLOW {name}: {ratio:.3f}", flush=True)
    slower = sum(row < BOUND for row in rows)
    print(f"time before over time now, {len(rows)} rows, least {min(rows):.3f}; {slower} below {BOUND}")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
