#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples/reproduce_paper.sh: wrong arguments, and a small run that is gone on with.

usage: reproduce_paper.py HOMOLOG
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

HOMOLOG = os.path.abspath(sys.argv[1])
SCRIPT = os.path.join(os.path.dirname(__file__), "../../examples/reproduce_paper.sh")


def reproduce(*arguments):
    return subprocess.run(["bash", SCRIPT, *arguments], capture_output=True, text=True, timeout=1200,
                          env={**os.environ, "HOMOLOG": HOMOLOG})


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED {what}")
    print(f"ok {what}")


def refuses(arguments, part):
    result = reproduce(*arguments)
    lines = result.stderr.strip().splitlines()
    check(result.returncode == 2 and len(lines) == 1 and part in lines[0] and result.stdout == "",
          f"{arguments[-2:]}: status {result.returncode}, {result.stderr.strip()}")


def wrong_arguments(folder):
    good = ["--dataset", "synthetic", "--root", folder, "--weights", __file__,
            "--output", f"{folder}/never"]
    refuses([], "--dataset is missing")
    refuses(["--dataset"], "needs a value")
    refuses(["--dataset", "imagenet"], "imagenet")
    refuses(["--dataset", "synthetic", "--root", f"{folder}/none"], "no such folder")
    refuses(good[:4], "--weights is missing")
    refuses([*good, "--weights", f"{folder}/none"], "no such weights")
    refuses([*good, "--sam-weights", f"{folder}/none"], "no such weights")
    refuses([*good, "--frobnicate", "1"], "--frobnicate")
    refuses([*good, "--cross", folder], "NAME=DIR")
    refuses([*good, "--cross", f"imagenet={folder}"], "imagenet")
    refuses([*good, "--cross", f"pf-pascal={folder}/none"], "no such folder")
    refuses([*good, "--train-dataset", "spair-71k"], "--train-root")
    refuses([*good, "--train-dataset", "pf-willow", "--train-root", folder], "test pairs only")
    for option, value in (("--epochs", "0"), ("--limit", "-1"), ("--seeds", "a b"), ("--image-size", "9")):
        refuses([*good, option, value], option)
    check(not os.path.exists(f"{folder}/never"), "nothing was written")
    check(reproduce("--help").returncode == 0, "--help")


def small_run(folder, weights):
    subprocess.run([HOMOLOG, "generate", "--output", f"{folder}/set", "--seed", "3"], check=True,
                   capture_output=True)
    arguments = ["--dataset", "synthetic", "--root", f"{folder}/set", "--weights", weights,
                 "--image-size", "56", "--epochs", "1", "--limit", "6", "--seeds", "0 1",
                 "--cross", f"synthetic={folder}/set", "--output", f"{folder}/out"]
    result = reproduce(*arguments)
    check(result.returncode == 0, f"a small run: {result.stderr[-500:]}")
    check("DINOv3 is left out" in result.stdout and "SAM is left out" in result.stdout,
          "what is left out is said")
    files = [f for f in glob.glob(f"{folder}/out/*.json") if "training" not in f]
    depths = sorted(json.load(open(f)).get("tuning", {}).get("unfreeze", 0) for f in files)
    # Frozen once; of each seed the last 1 as argmax, window and across, the last 2 and 3.
    check(depths == [0] + 6 * [1] + 2 * [2] + 2 * [3], f"all rows: {depths}")
    page = open(f"{folder}/out/report.html").read()
    check('id="depth"' in page and "last 3" in page, "the report has the depths")
    times = {f: os.stat(f).st_mtime_ns for f in files}

    os.remove(f"{folder}/out/k2_seed1_argmax.json")
    os.remove(f"{folder}/out/k2_seed1.training.json")
    again = reproduce(*arguments)
    check(again.returncode == 0 and again.stdout.count(": kept") == len(files) - 1 + 5,
          "a second run keeps what is there")
    changed = [os.path.basename(f) for f in files if os.stat(f).st_mtime_ns != times[f]]
    check(changed == ["k2_seed1_argmax.json"], f"and makes what is missing: {changed}")
    refuses([*arguments, "--epochs", "2"], "other settings")


def main():
    with tempfile.TemporaryDirectory() as folder:
        wrong_arguments(folder)
        weights = os.environ.get("HOMOLOG_VITS14_WEIGHTS")
        if weights:
            small_run(folder, weights)
        else:
            print("[skipped] HOMOLOG_VITS14_WEIGHTS is not set: only the arguments were checked")
    print("reproduce_paper.sh is sound")


main()
