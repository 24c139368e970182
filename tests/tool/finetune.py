#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trainings that are killed, starved of space and damaged, through the command line.

usage: finetune.py HOMOLOG [--kills N]
"""
import argparse
import filecmp
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

VARIANTS = [[], ["--flip", "0.5", "--crop", "0.5", "--colour", "0.2"], ["--amp", "bfloat16"],
            ["--lora-rank", "2", "--schedule", "cosine"]]


class Trainings:
    def __init__(self, homolog, folder):
        self.homolog, self.folder = homolog, folder
        self.run("generate", "--output", folder / "set", "--seed", "1")

    def command(self, name, *more):
        options = {"--dataset": "synthetic", "--root": self.folder / "set", "--limit": 16,
                   "--backbone": "dinov2_vits14", "--random-weights": 1, "--blocks": 2,
                   "--image-size": 28, "--epochs": 3, "--batch-size": 4, "--checkpoint-every": 1,
                   "--threads": 1, "--checkpoint-dir": self.folder / name,
                   "--log": self.folder / f"{name}.csv"}
        flags = [option for option in more if option == "--resume"]
        values = [option for option in more if option != "--resume"]
        options.update(zip(values[::2], values[1::2]))
        return [str(self.homolog), "finetune", *flags,
                *(str(part) for option in options.items() for part in option)]

    def run(self, *arguments, **options):
        return subprocess.run([str(self.homolog), *map(str, arguments)], check=True,
                              capture_output=True, text=True, **options)

    def train(self, name, *more, **options):
        return subprocess.run(self.command(name, *more), capture_output=True, text=True, **options)

    def newest(self, name):
        return max((self.folder / name).glob("step-*.safetensors"))


def require(condition, what, result=None):
    if condition:
        return
    detail = f"\n{result.stdout}\n{result.stderr}" if result else ""
    raise SystemExit(f"FAILED: {what}{detail}")


def kill_and_resume(trainings, kills):
    """kill -9 at random moments: every resume succeeds and ends with the same bytes."""
    generator, hits, done = random.Random(1), [], 0
    seconds = []
    for number, variant in enumerate(VARIANTS):
        begin = time.monotonic()
        result = trainings.train(f"whole{number}", *variant)
        seconds.append(time.monotonic() - begin)
        require(result.returncode == 0, "an uninterrupted training", result)
    while done < kills:
        number = done % len(VARIANTS)
        name, variant = f"killed{done}", VARIANTS[number]
        for _ in range(2):
            process = subprocess.Popen(trainings.command(name, "--resume", *variant),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(generator.uniform(0.1, 1) * seconds[number])
            process.send_signal(signal.SIGKILL)
            errors = process.communicate()[1].decode()
            require(process.returncode in (0, -signal.SIGKILL), f"kill {done}: {errors}")
            done += 1
            if process.returncode == -signal.SIGKILL:
                found = sorted((trainings.folder / name).glob("step-*.safetensors"))
                hits.append(int(found[-1].stem[5:]) if found else 0)
        result = trainings.train(name, "--resume", *variant)
        require(result.returncode == 0, f"resuming {name}", result)
        for one, other in ((trainings.newest(name), trainings.newest(f"whole{number}")),
                           (trainings.folder / f"{name}.csv",
                            trainings.folder / f"whole{number}.csv")):
            require(filecmp.cmp(one, other, shallow=False), f"{one} differs from {other}")
        left = [p.name for p in (trainings.folder / name).iterdir() if ".tmp" in p.name]
        require(not left, f"temporary files are left: {left}")
    print(f"{done} kills, {len(hits)} of a running training, newest checkpoint then at step "
          f"{sorted(hits)}: every resume gave the uninterrupted run's bytes")


def full_disk(trainings):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))

    subprocess.run(["cp", "-r", trainings.folder / "whole0", trainings.folder / "full"], check=True)
    before = sorted(p.name for p in (trainings.folder / "full").iterdir())
    result = trainings.train("full", "--resume", "--epochs", "4", preexec_fn=limit)
    require(result.returncode == 1 and "cannot be written" in result.stderr
            and len(result.stderr.strip().splitlines()) == 1, "a full disk", result)
    after = sorted(p.name for p in (trainings.folder / "full").iterdir())
    require(before == after, f"a full disk left {after}, before {before}")
    result = trainings.train("full", "--resume", "--epochs", "4")
    require(result.returncode == 0, "going on with space again", result)
    print("full disk: one line, nothing lost, goes on with space again")


def read_only(trainings):
    folder = trainings.folder / "readonly"
    folder.mkdir()
    folder.chmod(0o555)
    if os.geteuid() == 0:  # whom permissions do not stop
        trainings.folder.chmod(0o755)
        nobody = {"user": 65534, "group": 65534}
        try:
            probe = subprocess.run([str(trainings.homolog), "--version"], capture_output=True,
                                   **nobody).returncode
        except OSError:
            probe = 1
        if probe != 0:
            print("read-only folder: left out, an unprivileged user cannot run the tool here")
            return
        result = trainings.train("readonly", **nobody)
    else:
        result = trainings.train("readonly")
    require(result.returncode == 1 and "readonly" in result.stderr
            and "ermission denied" in result.stderr, "a read-only folder", result)
    require(not (trainings.folder / "readonly.csv").exists(), "it trained before it noticed")
    print("read-only folder: refused before the first step")


def damaged(trainings):
    name = "damaged"
    subprocess.run(["cp", "-r", trainings.folder / "whole0", trainings.folder / name], check=True)
    newest = trainings.newest(name)
    whole = newest.read_bytes()
    for damage in (whole[:-1], b"", whole[:len(whole) // 2], whole[:40] + b"?" + whole[41:],
                   whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:]):
        newest.write_bytes(damage)
        result = trainings.train(name, "--resume")
        require(result.returncode == 0 and newest.name in result.stdout, "a damaged newest", result)
        require(newest.read_bytes() == whole, "the damaged newest was not made again alike")
    for path in (trainings.folder / name).glob("step-*.safetensors"):
        path.write_bytes(b"")
    result = trainings.train(name, "--resume")
    require(result.returncode == 1, "only damaged checkpoints", result)
    print("damaged checkpoints: passed over by name; none whole is an error")


def refusals(trainings):
    for more, word in ((["--unfreeze", "2"], "unfreeze"), (["--image-size", "42"], "image_size"),
                       (["--seed", "9"], "seed"), (["--random-weights", "2"], "random_weights")):
        result = trainings.train("whole0", "--resume", *more)
        require(result.returncode == 1 and word in result.stderr, f"{more} on resume", result)
    result = trainings.train("whole0")
    require(result.returncode == 1 and "resume" in result.stderr, "a used folder", result)
    print("other settings on resume and used folders: refused")


def reported(trainings):
    file, page = trainings.folder / "result.json", trainings.folder / "page.html"
    result = trainings.train("reported", "--epochs", "1", "--limit", "4", "--checkpoint-every", "0",
                             "--json", file)
    require(result.returncode == 0, "a training with --json", result)
    result = subprocess.run([str(trainings.homolog), "report", str(file), "--output", str(page)],
                            capture_output=True, text=True)
    require(result.returncode == 1 and "is a result of finetune" in result.stderr and not page.exists(),
            "a report of a training", result)
    print("a report of a training: refused")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("homolog", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trainings = Trainings(arguments.homolog.resolve(), pathlib.Path(folder))
        kill_and_resume(trainings, arguments.kills)
        full_disk(trainings)
        read_only(trainings)
        damaged(trainings)
        refusals(trainings)
        reported(trainings)


if __name__ == "__main__":
    sys.exit(main())
