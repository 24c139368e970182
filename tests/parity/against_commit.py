#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Answers of two builds of the tool, compared to the bit.

usage: against_commit.py HOMOLOG_BEFORE HOMOLOG_NOW FOLDER WEIGHTS [NAME ...]

FOLDER keeps what the build before answered. A result's file may have gained fields; all that it had
must be as it was, but for the seconds that the work took. All other files are equal byte for byte,
safetensors in each tensor and each string of metadata.
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

BEFORE, NOW, FOLDER, WEIGHTS = (str(Path(name).absolute()) for name in sys.argv[1:5])
DATA = os.path.realpath(os.environ["HOMOLOG_TEST_DATA"])  # it stands in predictions
WILLOW = f"{DATA}/PF-dataset-WILLOW"
SPAIR = f"{DATA}/SPair-71k"
PICTURES = sorted(str(path) for path in Path(WILLOW).glob("car(G)/*.png"))[:2]

MATCHERS = {
    "argmax": [],
    "soft": ["--matcher", "soft-argmax"],
    "window": ["--matcher", "window-soft-argmax", "--query", "bilinear"],
    "kernel": ["--matcher", "kernel-soft-argmax"],
    "copy": ["--matcher", "copy-coordinates"],
}
# One name a size of each family and of each kind of block; two blocks are enough to pass all code.
FAMILIES = {
    "dinov2_vits14": 224, "dinov2_vitb14_reg": 126, "dinov2_vitg14": 56, "dinov3_vits16": 128,
    "dinov3_vits16plus": 128, "dinov3_vitl16": 64, "sam_vit_b": 256, "vit_tiny_patch16_224": 224,
}


def commands():
    """Name of a case, and arguments of the tool, run in a folder of its own for its output."""
    cases = {}
    evaluate = ["evaluate", "--json", "result.json", "--predictions", "predictions.jsonl"]
    willow = [*evaluate, "--dataset", "pf-willow", "--root", WILLOW, "--weights", WEIGHTS, "--layer", "8"]
    for name, matcher in MATCHERS.items():
        cases[f"willow 224 {name}"] = [[*willow, *matcher, "--image-size", "224"]]
        cases[f"willow 518 {name}"] = [[*willow, *matcher, "--image-size", "518", "--limit", "90"]]
        cases[f"drawn {name}"] = [
            ["generate", "--output", "set", "--seed", "5"],
            [*evaluate, "--dataset", "synthetic", "--root", "set", "--weights", WEIGHTS, *matcher,
             "--image-size", "140", "--resize", "letterbox", "--limit", "60"]]
    cases["drawn synthetic backbone"] = [
        ["generate", "--output", "set", "--seed", "6"],
        [*evaluate, "--dataset", "synthetic", "--root", "set", "--backbone", "synthetic", "--image-size",
         "256", "--mutual", "--pictures", "pictures", "--picture-count", "3"]]
    cases["spair native bfloat16"] = [
        [*evaluate, "--dataset", "spair-71k", "--root", SPAIR, "--weights", WEIGHTS, "--resize", "native",
         "--image-size", "224", "--dtype", "bfloat16", "--split", "test"]]
    cases["willow mutual spilled"] = [
        [*willow, "--image-size", "224", "--mutual", "--cache-memory", "0.001", "--limit", "90", "--matcher",
         "window-soft-argmax", "--query", "bilinear"]]
    tune = ["finetune", "--dataset", "synthetic", "--root", "set", "--weights", WEIGHTS, "--image-size", "84",
            "--batch-size", "4", "--limit", "60", "--epochs", "2", "--checkpoint-dir", "checkpoints", "--log",
            "log.csv", "--json", "result.json", "--validation-split", "val", "--seed", "3"]
    sets = ["generate", "--output", "set", "--seed", "7"]
    cases["finetune coordinate"] = [[*sets], [*tune, "--unfreeze", "2"]]
    cases["finetune gaussian"] = [
        [*sets], [*tune, "--unfreeze", "1", "--loss", "gaussian-ce", "--schedule", "cosine",
                  "--warmup-steps", "4", "--accumulate", "2", "--clip-norm", "1", "--cache", "off",
                  "--flip", "0.5", "--colour", "0.3", "--crop", "0.5", "--query", "bilinear"]]
    cases["finetune info-nce lora"] = [
        [*sets], [*tune, "--unfreeze", "2", "--loss", "info-nce", "--lora-rank", "4", "--amp", "bfloat16"]]
    features = ["features", "--image", PICTURES[0], "--random-weights", "11", "--output", "features.safetensors"]
    for name, size in FAMILIES.items():
        common = [*features, "--backbone", name, "--image-size", str(size), "--blocks", "2"]
        cases[f"features {name}"] = [common]
        cases[f"features {name} key bfloat16"] = [[*common, "--facet", "key", "--dtype", "bfloat16",
                                                    "--no-final-norm"]]
    cases["match"] = [
        ["match", "--source", PICTURES[0], "--target", PICTURES[1], "--points", "60,70;100.5,90.25",
         "--weights", WEIGHTS, "--image-size", "224", "--output", "overlay.png", "--json", "match.json",
         "--matcher", "window-soft-argmax"]]
    cases["convert"] = [
        ["convert", WEIGHTS, "hugging.safetensors", "--to", "huggingface"],
        ["convert", "hugging.safetensors", "original.safetensors", "--to", "original"],
        ["inspect", "hugging.safetensors", "--json", "inspect.json"],
        ["inspect", WEIGHTS, "--json", "inspect_original.json"]]
    cases["report"] = [
        [*willow, "--image-size", "112", "--limit", "40"],
        ["report", "result.json", "--output", "report.html"]]
    return cases


def answer(homolog, runs, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    printed = ""
    for arguments in runs:
        if arguments[0] == "report":
            take_time_out(Path(folder, arguments[1]))
        result = subprocess.run([homolog, *arguments, *threads(arguments)], cwd=folder, capture_output=True,
                                text=True)
        if result.returncode != 0:
            sys.exit(f"{homolog} {' '.join(arguments)}: status {result.returncode}, {result.stderr}")
        printed += result.stderr
    Path(folder, "stderr.txt").write_text(printed)


def take_time_out(path):
    """The page of a report states the seconds of its result, which no two runs share."""
    result = json.loads(path.read_text())
    result["seconds"] = dict.fromkeys(result["seconds"], 1.0)
    path.write_text(json.dumps(result))


def threads(arguments):
    """The same number everywhere: sums of LibTorch depend on it."""
    return ["--threads", "2"] if arguments[0] in ("evaluate", "match", "finetune", "features") else []


def tensors(path):
    """Tensors and metadata of a safetensors file, by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            found.update({f"metadata {key}": value for key, value in entry.items()})
        else:
            begin, end = entry["data_offsets"]
            found[name] = (entry["dtype"], entry["shape"], data[begin:end])
    return found


# Fields that went, with what says the same now.
GONE = {"adamw_steps": "steps taken: `step` less the scaler's `skipped`"}


def lost(old, new, place=""):
    """What is no more as it was, by its place in the JSON."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [difference for key, value in old.items()
                if not key.startswith("seconds") and not (key in GONE and key not in new)
                for difference in (lost(value, new[key], f"{place}.{key}") if key in new
                                   else [f"{place}.{key} is missing"])]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [difference for index, pair in enumerate(zip(old, new))
                for difference in lost(*pair, f"{place}[{index}]")]
    return [] if old == new else [f"{place}: {str(old)[:60]} became {str(new)[:60]}"]


def differences(old, new):
    """Sentences on one file."""
    if not new.exists():
        return ["was not written"]
    if old.suffix == ".json":
        return lost(json.loads(old.read_text()), json.loads(new.read_text()))
    if old.suffix == ".jsonl":
        return lost(*([json.loads(line) for line in path.read_text().splitlines()] for path in (old, new)))
    if old.suffix == ".safetensors":
        before, now = tensors(old), tensors(new)
        state, digest = "metadata homolog.checkpoint", "metadata homolog.sha256"
        if before.get(state) != now.get(state):  # compared field by field; the digest is of its bytes
            before.pop(digest, None)
        return [f"{name} is missing" for name in before if name not in now] + [
            f"{name} changed" for name in before
            if name in now and not same_entry(before[name], now[name])]
    return [] if old.read_bytes() == new.read_bytes() else ["other bytes"]


def same_entry(old, new):
    """Metadata may hold JSON, which may gain fields."""
    if isinstance(old, str) and old.startswith("{"):
        return not lost(json.loads(old), json.loads(new))
    return old == new


def main():
    wanted = sys.argv[5:]
    cases = {name: runs for name, runs in commands().items()
             if not wanted or any(part in name for part in wanted)}
    failed = 0
    with tempfile.TemporaryDirectory() as now:
        for name, runs in cases.items():
            kept = Path(FOLDER, name.replace(" ", "_"))
            if not (kept / "done").exists():
                answer(BEFORE, runs, kept)
                (kept / "done").write_text("")
            current = Path(now, "case")
            answer(NOW, runs, current)
            found, files = [], 0
            for old in sorted(kept.rglob("*")):
                if old.is_file() and old != kept / "done":
                    files += 1
                    relative = old.relative_to(kept)
                    found += [f"{relative}: {text}" for text in differences(old, current / relative)]
            print(f"{'FAILED' if found else 'equal '} {name}: {files} files", flush=True)
            for text in found[:6]:
                print(f"  {text}")
            failed += bool(found)
    print(f"{len(cases) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
