#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several processes on 127.0.0.1: the same results as one, and an end in time when one dies.

usage: processes.py HOMOLOG
"""
import csv
import filecmp
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

homolog = sys.argv[1]
backbone = ["--backbone", "dinov2_vits14", "--random-weights", "1", "--blocks", "2",
            "--image-size", "28", "--threads", "1", "--dataset", "synthetic"]


def require(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def start(count, *command, differing=None):
    """The processes of one run, not waited for; each a list of its own of arguments."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = []
    for rank in range(count):
        environment = os.environ | {"RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_RANK": str(rank),
                                    "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        more = differing[rank] if differing else []
        processes.append(subprocess.Popen([homolog, *map(str, command), *map(str, more)], env=environment,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    return processes


def finish(processes, seconds=120):
    return [(*process.communicate(timeout=seconds), process.returncode) for process in processes]


def run(count, *command):
    results = finish(start(count, *command))
    for out, errors, status in results:
        require(status == 0, f"{count} processes: status {status}: {errors}")
    require(results[0][0] != "" and all(out == "" for out, _, _ in results[1:]),
            f"the first of {count} processes alone prints")


def evaluations(folder):
    def result(count, name, *more):
        run(count, "evaluate", *backbone, "--root", folder / "set", "--split", "test", "--batch-size", 3,
            "--json", folder / f"{name}.json", "--predictions", folder / f"{name}.jsonl", *more)
        read = json.loads((folder / f"{name}.json").read_text())
        del read["seconds"], read["predictions"]  # times and the file's own name
        return read, (folder / f"{name}.jsonl").read_bytes()

    for matcher in (["--matcher", "argmax"],
                    ["--matcher", "window-soft-argmax", "--query", "bilinear"]):
        whole = result(1, "one", *matcher)
        for count in (2, 3):
            require(result(count, f"of{count}", *matcher) == whole, f"{count} processes evaluate as one")


def training(folder, name, batch, *more, epochs=2):
    return ["finetune", *backbone, "--root", folder / "set", "--limit", 16, "--epochs", epochs,
            "--batch-size", batch, "--checkpoint-dir", folder / name, "--checkpoint-every", 1,
            "--log", folder / f"{name}.csv", *more]


def losses(folder, name):
    with open(folder / f"{name}.csv", newline="") as file:
        return [{key: float(row[key]) for key in ("loss", "gradient_norm")}
                for row in csv.DictReader(file) if row["step"] != "0"]  # 0: before the first step


def trainings(folder):
    variants = {"plain": [], "flips": ["--flip", "0.5", "--loss", "gaussian-ce"],
                "validated": ["--accumulate", "2", "--validation-split", "val", "--clip-norm", "0.1"]}
    for name, more in variants.items():
        run(1, *training(folder, f"{name}1", 8, *more), "--json", folder / "one.json")
        run(2, *training(folder, f"{name}2", 4, *more), "--json", folder / "two.json")
        one, two = losses(folder, f"{name}1"), losses(folder, f"{name}2")
        require(len(one) == len(two) > 1, f"{name}: as many steps")
        worst = max(abs(a[key] - b[key]) / max(1, abs(a[key])) for a, b in zip(one, two) for key in a)
        require(worst <= 1e-5, f"{name}: losses of two processes differ by {worst} from one with twice the batch")
        print(f"{name}: {len(one)} steps, losses and gradient norms differ by at most {worst:.1e}")
        pck = [[epoch["validation_pck"] for epoch in json.loads((folder / f"{file}.json").read_text())["epochs"]]
               for file in ("one", "two")]
        require(pck[0] == pck[1], f"{name}: validation {pck}")


def deaths(folder):
    """The other process ends in time with a message; the run goes on from the last checkpoint."""
    for victim, deadly in ((0, signal.SIGKILL), (1, signal.SIGKILL), (1, signal.SIGSTOP)):
        name = f"dead{victim}{deadly.name}"
        processes = start(2, *training(folder, name, 4, "--timeout", 5, epochs=500))
        while not list((folder / name).glob("step-*.safetensors")):
            require(all(process.poll() is None for process in processes), "no process ends by itself")
            time.sleep(0.01)
        processes[victim].send_signal(deadly)
        begin = time.monotonic()
        out, errors = processes[1 - victim].communicate(timeout=60)
        seconds = time.monotonic() - begin
        processes[victim].kill()
        processes[victim].communicate()
        require(processes[1 - victim].returncode == 1, f"{name}: status {processes[1 - victim].returncode}")
        require(len(errors.splitlines()) == 1 and errors.startswith(f"homolog: process {1 - victim} of 2, summing"),
                f"{name}: {errors}")
        require(seconds < 5 + 5, f"{name}: the other process ended after {seconds:.1f} s")
        print(f"{name}: the other process ended after {seconds:.1f} s")
        steps = max(int(path.stem[5:]) for path in (folder / name).glob("step-*.safetensors"))
        epochs = steps // 2 + 2  # two steps an epoch
        run(2, *training(folder, name, 4, "--resume", epochs=epochs))
        run(2, *training(folder, f"{name}-whole", 4, epochs=epochs))
        last = max((folder / name).glob("step-*.safetensors")).name
        require(filecmp.cmp(folder / name / last, folder / f"{name}-whole" / last, shallow=False),
                f"{name}: resumed, {last} equals the uninterrupted run's")


def mistakes(folder):
    def failures(*arguments, **options):
        results = finish(start(2, *arguments, **options))
        for _, errors, status in results:
            require(status == 1 and len(errors.splitlines()) == 1, f"status {status}: {errors}")
        return " ".join(errors for _, errors, _ in results)

    command = ["evaluate", *backbone, "--root", folder / "set", "--json", folder / "wrong.json"]
    for differing in ([["--limit", 3], ["--limit", 4]], [["--alpha", "0.1"], ["--alpha", "0.2"]]):
        require("has other settings or pairs" in failures(*command, differing=differing), "other pairs")
    errors = failures(*training(folder, "wrong", 4), differing=[["--seed", 1], ["--seed", 2]])
    require("finetune: process 1 has other settings" in errors, errors)
    # One that cannot start ends the others at once.
    begin = time.monotonic()
    errors = failures(*command, differing=[[], ["--checkpoint", "absent.safetensors"]])
    require("absent.safetensors" in errors and time.monotonic() - begin < 60, errors)
    require(not (folder / "wrong.json").exists(), "nothing is written")

    def alone(**variables):
        environment = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"} | variables
        done = subprocess.run([homolog, *map(str, command), "--timeout", "1"], env=environment,
                              capture_output=True, text=True, timeout=60)
        require(done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr)
        return done.stderr

    require("RANK is \"2\"" in alone(RANK="2", WORLD_SIZE="2"), "a rank beyond the count")
    require("connecting to the other processes (timeout 1 s)" in alone(RANK="1", WORLD_SIZE="2"), "nobody comes")


with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary)
    subprocess.run([homolog, "generate", "--output", folder / "set", "--seed", "1"], check=True, capture_output=True)
    evaluations(folder)
    trainings(folder)
    deaths(folder)
    mistakes(folder)
print("several processes: all passed")
