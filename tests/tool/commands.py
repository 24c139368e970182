#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every subcommand of the tool once, on small input, with its output read back.

usage: commands.py HOMOLOG
"""
import json
import math
import os
import struct
import subprocess
import sys
import tempfile

HOMOLOG = sys.argv[1]


def run(*arguments):
    result = subprocess.run([HOMOLOG, *arguments], capture_output=True, text=True, timeout=600)
    if result.returncode != 0:
        sys.exit(f"FAILED {arguments}: status {result.returncode}, {result.stderr}")
    if result.stderr:
        sys.exit(f"FAILED {arguments}: wrote to stderr without a terminal: {result.stderr!r}")
    return result.stdout


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED {what}")
    print(f"ok {what}")


def header(path):
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        return json.loads(file.read(length))


def main():
    with tempfile.TemporaryDirectory() as folder:
        run("info", "--json", f"{folder}/info.json")
        info = json.load(open(f"{folder}/info.json"))
        check({"homolog", "libtorch", "devices", "instruction_sets"} <= set(info), "info names versions")

        run("generate", "--output", f"{folder}/set", "--seed", "5")
        annotations = f"{folder}/set/PairAnnotation/test"
        check(len(os.listdir(annotations)) > 20, "generate writes SPair-71k's layout")

        common = ["--dataset", "synthetic", "--root", f"{folder}/set", "--limit", "40",
                  "--backbone", "synthetic", "--image-size", "256"]
        out = run("evaluate", *common, "--json", f"{folder}/a.json", "--predictions", f"{folder}/a.jsonl",
                  "--pictures", f"{folder}/pictures", "--picture-count", "2")
        check("backbone forwards" in out, "evaluate prints a table")
        result = json.load(open(f"{folder}/a.json"))
        check(result["backbone_forwards"] == result["distinct_images"], "every picture forwarded once")
        check(result["pairs"] == 40 and result["backbone"] == "synthetic", "evaluate counts pairs")
        check(result["matcher"] == {"name": "argmax"}, "evaluate names the matcher")
        check(sorted(os.listdir(f"{folder}/pictures")) == ["pair_01.png", "pair_02.png"], "pictures drawn")
        lines = [json.loads(line) for line in open(f"{folder}/a.jsonl")]
        check(len(lines) == 40, "one prediction line a pair")

        # The score again, from the predictions alone.
        hits = total = 0
        for line in lines:
            for (x, y), (u, v) in zip(line["predicted"], line["truth"]):
                hits += math.hypot(x - u, y - v) <= 0.1 * line["threshold_scale"]
                total += 1
        check(total == result["points"] and
              abs(100 * hits / total - result["pck"]["per_point"]["0.1"]) < 1e-3, "PCK recomputed")

        run("evaluate", *common, "--json", f"{folder}/b.json", "--cache-memory", "0", "--batch-size", "1",
            "--threads", "1")
        again = json.load(open(f"{folder}/b.json"))
        check(again["pck"] == result["pck"], "cache and batch size change no score")

        out = run("evaluate", *common, "--mutual", "--json", f"{folder}/m.json", "--predictions",
                  f"{folder}/m.jsonl")
        mutual = json.load(open(f"{folder}/m.json"))
        flags = [flag for line in open(f"{folder}/m.jsonl") for flag in json.loads(line)["mutual"]]
        check(len(flags) == mutual["points"] and 0 < sum(flags) < len(flags) and
              mutual["mutual"]["points"] == sum(flags) and "mutual answers" in out and
              mutual["matcher"] == {"name": "argmax", "mutual": True}, "mutual answers are counted")
        check(mutual["pck"] == result["pck"] and "mutual" not in result, "a mutual check moves no answer")

        pair = lines[0]
        out = run("match", "--source", pair["source"], "--target", pair["target"], "--points", "100,90",
                  "--backbone", "synthetic", "--image-size", "256", "--mutual", "--json", f"{folder}/n.json")
        check(json.load(open(f"{folder}/n.json"))["mutual"] in ([True], [False]) and "mutual" in out,
              "match says whether an answer is mutual")
        run("evaluate", *common, "--matcher", "upsampled-argmax", "--factor", "4", "--margin", "--json",
            f"{folder}/u.json", "--predictions", f"{folder}/u.jsonl")
        margins = [m for line in open(f"{folder}/u.jsonl") for m in json.loads(line)["margin"]]
        upsampled = json.load(open(f"{folder}/u.json"))
        check(len(margins) == upsampled["points"] and min(margins) >= 0 and max(margins) > 0 and
              upsampled["matcher"] == {"name": "upsampled-argmax", "factor": 4}, "margins and upsampling")
        out = run("match", "--source", pair["source"], "--target", pair["target"], "--points", "100,90",
                  "--backbone", "synthetic", "--image-size", "256", "--margin", "--matcher",
                  "window-soft-argmax", "--outside", "masked_zero", "--json", f"{folder}/p.json")
        matched = json.load(open(f"{folder}/p.json"))
        check(len(matched["margin"]) == 1 and "margin" in out and
              matched["matcher"]["outside"] == "masked_zero", "match says its margin")
        run("match", "--source", pair["source"], "--target", pair["target"], "--points", "100,90;120,80.5",
            "--backbone", "synthetic", "--image-size", "256", "--matcher", "window-soft-argmax",
            "--window-radius", "1", "--output", f"{folder}/o.png", "--json", f"{folder}/o.json")
        matched = json.load(open(f"{folder}/o.json"))
        check(len(matched["predicted"]) == 2 and matched["matcher"]["window_radius"] == 1, "match answers")
        check(open(f"{folder}/o.png", "rb").read(4) == b"\x89PNG", "match draws")

        run("features", "--backbone", "vit_tiny_patch16_224", "--random-weights", "1", "--image",
            pair["source"], "--image-size", "64", "--output", f"{folder}/f.safetensors")
        tensors = header(f"{folder}/f.safetensors")
        check(tensors["patch_tokens"]["shape"] == [1, 16, 192] and
              tensors["class_token"]["shape"] == [1, 192], "features of a picture")
        run("features", "--backbone", "dinov2_vits14_reg", "--random-weights", "1", "--blocks", "1",
            "--input", write_input(folder, 28, 42), "--output", f"{folder}/g.safetensors")
        tensors = header(f"{folder}/g.safetensors")
        check(tensors["patch_tokens"]["shape"] == [1, 6, 384] and
              tensors["register_tokens"]["shape"] == [1, 4, 384], "features of a tensor, with registers")

        out = run("inspect", f"{folder}/g.safetensors", "--json", f"{folder}/i.json")
        check("patch_tokens" in out and len(json.load(open(f"{folder}/i.json"))["tensors"]) == 3, "inspect")
        run("convert", f"{folder}/g.safetensors", f"{folder}/h.safetensors")
        check(header(f"{folder}/h.safetensors")["patch_tokens"] == tensors["patch_tokens"], "convert")

        run("features", "--backbone", "dinov3_vits16", "--random-weights", "1", "--blocks", "1",
            "--input", write_input(folder, 50, 83), "--output", f"{folder}/h.safetensors")
        tensors = header(f"{folder}/h.safetensors")
        check(tensors["patch_tokens"]["shape"] == [1, 15, 384] and
              tensors["register_tokens"]["shape"] == [1, 4, 384], "DINOv3 ignores what no patch holds")
        run("features", "--backbone", "sam_vit_b", "--random-weights", "1", "--blocks", "3", "--image",
            pair["source"], "--image-size", "128", "--resize", "longest-side", "--output",
            f"{folder}/s.safetensors")
        tensors = header(f"{folder}/s.safetensors")
        check(tensors["patch_tokens"]["shape"] == [1, 64, 256] and "class_token" not in tensors,
              "SAM gives its neck map")

        unnamed = write_plain_vit(folder)
        out = run("inspect", unnamed, "--json", f"{folder}/i.json")
        names = [one["variant"] for one in json.load(open(f"{folder}/i.json"))["may_be"]]
        check(names == ["vit_small_patch16_224", "dino_vits16"] and "may be" in out,
              "inspect prints all that a file may be")
        fails(f"may be {names[0]} or {names[1]}", "features", "--weights", unnamed, "--image",
              pair["source"], "--output", f"{folder}/u.safetensors")
        fails("may be", "convert", unnamed, f"{folder}/u.safetensors", "--to", "huggingface")
        fails("expected dinov2_vits14", "convert", unnamed, f"{folder}/u.safetensors", "--to",
              "huggingface", "--backbone", "dinov2_vits14")
        run("convert", unnamed, f"{folder}/u.safetensors", "--to", "huggingface", "--backbone",
            "dino_vits16")
        run("inspect", f"{folder}/u.safetensors", "--json", f"{folder}/i.json")
        named = json.load(open(f"{folder}/i.json"))["recognized"]
        check(named["variant"] == "dino_vits16" and named["keys"] == "huggingface",
              "a converted file says what it was said to be")

        weights = os.environ.get("HOMOLOG_VITS14_WEIGHTS")
        if weights:
            check("dinov2_vits14" in run("inspect", weights), "inspect recognises a ViT-S/14")
            run("convert", weights, f"{folder}/original.safetensors", "--to", "original")
            run("convert", f"{folder}/original.safetensors", f"{folder}/back.safetensors",
                "--to", "huggingface")
            check(payload(weights) == payload(f"{folder}/back.safetensors"),
                  "original and back to Hugging Face keys is bit-exact")
    print("all commands passed")


def fails(words, *arguments):
    result = subprocess.run([HOMOLOG, *arguments], capture_output=True, text=True, timeout=600)
    check(result.returncode == 1 and words in result.stderr, f"refused: {result.stderr.strip()}")


def write_plain_vit(folder):
    """A ViT-S/16 without a head, all zeros, which a DINO's file looks like too."""
    shapes = {"cls_token": [1, 1, 384], "pos_embed": [1, 197, 384], "norm.weight": [384],
              "norm.bias": [384], "patch_embed.proj.weight": [384, 3, 16, 16],
              "patch_embed.proj.bias": [384]}
    for i in range(12):
        for name, rows, columns in (("attn.qkv", 1152, 384), ("attn.proj", 384, 384),
                                    ("mlp.fc1", 1536, 384), ("mlp.fc2", 384, 1536)):
            shapes[f"blocks.{i}.{name}.weight"] = [rows, columns]
            shapes[f"blocks.{i}.{name}.bias"] = [rows]
        for name in ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"):
            shapes[f"blocks.{i}.{name}"] = [384]
    tensors, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * math.prod(shape)
        tensors[name] = {"dtype": "F16", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(tensors).encode()
    with open(f"{folder}/plain.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    return file.name


def write_input(folder, height, width):
    values = struct.pack(f"<{3 * height * width}f", *[0.1] * (3 * height * width))
    text = json.dumps({"input": {"dtype": "F32", "shape": [1, 3, height, width],
                                 "data_offsets": [0, len(values)]}}).encode()
    with open(f"{folder}/input.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + values)
    return f"{folder}/input.safetensors"


def payload(path):
    content = open(path, "rb").read()
    length = struct.unpack("<Q", content[:8])[0]
    tensors = json.loads(content[8:8 + length])
    tensors.pop("__metadata__", None)
    data = content[8 + length:]
    return {key: data[entry["data_offsets"][0]:entry["data_offsets"][1]]
            for key, entry in tensors.items()}


main()
