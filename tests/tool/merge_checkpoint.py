#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`convert --checkpoint`: the merged file gives the features that the checkpoint gives over its base.

usage: merge_checkpoint.py HOMOLOG
"""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

homolog = sys.argv[1]
weights = os.environ.get("HOMOLOG_VITS14_WEIGHTS")
if not weights:
    print("[skipped] no ViT-S/14 weights (HOMOLOG_VITS14_WEIGHTS)")
    sys.exit(0)


def run(*command, status=0):
    done = subprocess.run([homolog, *map(str, command)], capture_output=True, text=True)
    if done.returncode != status:
        raise SystemExit(f"FAILED: status {done.returncode} of {command}\n{done.stdout}{done.stderr}")
    return done.stderr


def require(condition, what):
    if not condition:
        raise SystemExit(f"FAILED: {what}")


def data_of(path):
    """The bytes of a safetensors file's tensors, and their names."""
    content = path.read_bytes()
    length, = struct.unpack("<Q", content[:8])
    return sorted(json.loads(content[8:8 + length])), content[8 + length:]


with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary)
    run("generate", "--output", folder / "set", "--seed", "1")
    image = next((folder / "set").glob("JPEGImages/*/*"))
    common = ["--image-size", 70, "--threads", 1]

    def features(name, *options):
        run("features", "--image", image, "--output", folder / f"{name}.safetensors", *common, *options)
        return data_of(folder / f"{name}.safetensors")

    for name, options in {"blocks": ["--unfreeze", 2], "lora": ["--lora-rank", 4]}.items():
        checkpoint = folder / name
        run("finetune", "--dataset", "synthetic", "--root", folder / "set", "--limit", 8, "--epochs", 1,
            "--weights", weights, "--blocks", 4, "--learning-rate", "1e-3", "--checkpoint-dir", checkpoint,
            *common, *options)
        tuned = features("tuned", "--weights", weights, "--checkpoint", checkpoint)
        require(tuned != features("frozen", "--weights", weights, "--blocks", 4), f"{name}: features change")
        for style in ("original", "huggingface"):
            merged = folder / f"{name}-{style}.safetensors"
            run("convert", weights, merged, "--checkpoint", checkpoint, "--to", style)
            # The rule by which positions are resized follows the key style, so it is named.
            rule = ["--position-interpolation", "huggingface"]
            expected = features("expected", "--weights", weights, "--checkpoint", checkpoint, *rule)
            require(features("merged", "--weights", merged, *rule) == expected, f"{name}, {style}: the same features")
            # The merged file is another base.
            errors = run("features", "--image", image, "--output", folder / "no.safetensors", "--weights", merged,
                         "--checkpoint", checkpoint, *common, status=1)
            require("SHA-256" in errors and not (folder / "no.safetensors").exists(), errors)
print("merged checkpoints: all passed")
