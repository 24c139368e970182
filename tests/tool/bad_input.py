#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input through the tool: exit status 1, and 2 for a command line that cannot be meant; one line
on stderr, nothing written.

usage: bad_input.py HOMOLOG
"""
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

HOMOLOG = sys.argv[1]
checks = 0


def png(width, height, rows=None):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    raw = rows if rows is not None else b"".join(
        b"\0" + bytes((x * 7 + y * 13) % 256 for x in range(width * 3)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


def listing(folder):
    return sorted(os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)


def fails(name, arguments, contains="", status=1):
    global checks
    with tempfile.TemporaryDirectory() as out:
        arguments = [argument.replace("OUT", out) for argument in arguments]
        result = subprocess.run([HOMOLOG, *arguments], capture_output=True, text=True, timeout=120)
        problems = []
        if result.returncode != status:
            problems.append(f"exit status {result.returncode}, expected {status}")
        lines = result.stderr.strip().splitlines()
        if len(lines) != 1 or not lines[0].startswith("homolog: ") or result.stdout:
            problems.append(f"stderr is {result.stderr!r}, expected one line")
        if "unexpected" in result.stderr[:24]:
            problems.append(f"untyped error: {result.stderr!r}")
        if contains and contains not in result.stderr:
            problems.append(f"stderr {result.stderr!r} does not say {contains!r}")
        if listing(out):
            problems.append(f"wrote {listing(out)}")
        if problems:
            sys.exit(f"FAILED {name}: " + "; ".join(problems))
        print(f"ok {name}: {lines[0] if lines else ''}")
        checks += 1


def main():
    with tempfile.TemporaryDirectory() as folder:
        good = write(f"{folder}/good.png", png(48, 40))
        synthetic = ["--backbone", "synthetic", "--image-size", "64"]

        def match(source=good, target=good, points="5,5", extra=()):
            return ["match", "--source", source, "--target", target, "--points", points, *synthetic,
                    "--output", "OUT/o.png", "--json", "OUT/o.json", *extra]

        ok = subprocess.run([HOMOLOG, "match", "--source", good, "--target", good, "--points", "5,5",
                             *synthetic], capture_output=True, text=True)
        if ok.returncode != 0:
            sys.exit(f"FAILED control: {ok.stderr}")

        # Pictures.
        whole = png(48, 40)
        fails("truncated PNG", match(write(f"{folder}/cut.png", whole[:len(whole) // 2])), "cut.png")
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 4
        fails("bit-flipped PNG", match(write(f"{folder}/flip.png", bytes(flipped))), "flip.png")
        fails("empty picture", match(write(f"{folder}/zero.png", b"")), "zero.png")
        fails("huge PNG header", match(write(f"{folder}/huge.png", png(100000, 100000, b"\0"))), "100000")
        fails("GIF named PNG", match(write(f"{folder}/gif.png", b"GIF89a" + bytes(40))), "gif.png")
        fails("absent picture", match(f"{folder}/absent.png"), "absent.png")
        jpeg_source = subprocess.run([HOMOLOG, "match", "--source", good, "--target", good, "--points",
                                      "5,5", *synthetic, "--output", f"{folder}/drawn.jpg"],
                                     capture_output=True, text=True)
        if jpeg_source.returncode != 0:
            sys.exit(f"FAILED control JPEG: {jpeg_source.stderr}")
        with open(f"{folder}/drawn.jpg", "rb") as file:
            jpeg = file.read()
        fails("truncated JPEG", match(write(f"{folder}/cut.jpg", jpeg[:len(jpeg) // 2])), "cut.jpg")
        broken = bytearray(jpeg)
        broken[2] ^= 0x40  # the first marker after the start
        fails("bit-flipped JPEG", match(write(f"{folder}/flip.jpg", bytes(broken))), "flip.jpg")

        # Keypoints and settings.
        fails("NaN keypoint", match(points="nan,3"))
        fails("keypoint outside", match(points="500,3"), "48x40")
        fails("size no multiple", ["match", "--source", good, "--target", good, "--points", "5,5",
                                   "--backbone", "synthetic", "--image-size", "65"], "65")
        fails("layer too large", ["match", "--source", good, "--target", good, "--points", "5,5",
                                  "--backbone", "vit_tiny_patch16_224", "--random-weights", "1",
                                  "--layer", "12"], "layer 12")
        fails("position rule of a backbone without table", [
            "match", "--source", good, "--target", good, "--points", "5,5", "--backbone",
            "dinov3_vits16", "--random-weights", "1", "--position-interpolation", "hub"],
            "dinov3_vits16 has no position table")
        fails("unwritable output", ["match", "--source", good, "--target", good, "--points", "5,5",
                                    *synthetic, "--json", f"{folder}/absent/o.json"], "absent/o.json")

        # Weights.
        two = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
               "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}
        cases = {
            "overlapping entries": safetensors(two, bytes(12)),
            "out-of-range entry": safetensors(
                {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(4)),
            "duplicate entries": safetensors(
                b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
                b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
            "huge header": struct.pack("<Q", 1 << 60) + b"{}",
            "header above the cap": struct.pack("<Q", 100_000_001) + b"{}",
            "empty weights": b"",
        }
        for name, content in cases.items():
            path = write(f"{folder}/{name.replace(' ', '_')}.safetensors", content)
            fails(name, ["inspect", path, "--json", "OUT/o.json"], os.path.basename(path))
            fails(name + ", convert", ["convert", path, "OUT/o.safetensors"])
        wrong = write(f"{folder}/foreign_keys.safetensors", safetensors(
            {"layer.weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(8)))
        fails("foreign keys", ["features", "--weights", wrong, "--image", good, "--output",
                               "OUT/o.safetensors"], "foreign_keys")
        def vision_transformer(name, change):
            tensors = {"cls_token": [1, 1, 64], "pos_embed": [1, 5, 64],
                       "patch_embed.proj.weight": [64, 3, 16, 16], "patch_embed.proj.bias": [64],
                       "norm.weight": [64], "norm.bias": [64], "blocks.0.norm1.weight": [64],
                       "blocks.0.norm1.bias": [64], "blocks.0.attn.qkv.weight": [192, 64],
                       "blocks.0.attn.qkv.bias": [192], "blocks.0.attn.proj.weight": [64, 64],
                       "blocks.0.attn.proj.bias": [64], "blocks.0.norm2.weight": [64],
                       "blocks.0.norm2.bias": [64], "blocks.0.mlp.fc1.weight": [256, 64],
                       "blocks.0.mlp.fc1.bias": [256], "blocks.0.mlp.fc2.weight": [64, 256],
                       "blocks.0.mlp.fc2.bias": [64]}
            change(tensors)
            header, end = {}, 0
            for key, shape in tensors.items():
                begin, end = end, end + 4 * math.prod(shape)
                header[key] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
            return write(f"{folder}/{name}.safetensors", safetensors(header, bytes(end)))

        def use(weights, extra=()):
            return ["features", "--weights", weights, "--image", good, "--image-size", "32",
                    "--output", "OUT/o.safetensors", *extra]
        whole_vit = vision_transformer("vit", lambda tensors: None)
        control = subprocess.run([HOMOLOG, *(a.replace("OUT", folder) for a in use(whole_vit))],
                                 capture_output=True, text=True)
        if control.returncode != 0:
            sys.exit(f"FAILED control weights: {control.stderr}")
        fails("missing key", use(vision_transformer(
            "missing", lambda tensors: tensors.pop("blocks.0.mlp.fc2.bias"))), "blocks.0.mlp.fc2.bias")
        fails("wrong shape", use(vision_transformer(
            "shape", lambda tensors: tensors.update({"blocks.0.norm2.bias": [63]}))), "blocks.0.norm2.bias")
        fails("unexpected key", use(vision_transformer(
            "extra", lambda tensors: tensors.update({"blocks.0.ghost": [3]}))), "blocks.0.ghost")
        fails("weights of another backbone", use(whole_vit, ("--backbone", "dinov2_vits14")),
              "dinov2_vits14")
        fails("size no multiple, real backbone", ["features", "--weights", whole_vit, "--image", good,
                                                  "--image-size", "33", "--output", "OUT/o.safetensors"],
              "33")
        # Wrong files of the published sizes: holes on disk, as nothing but their headers is read.
        def shapes_file(name, shapes):
            header, end = {}, 0
            for key, shape in shapes.items():
                begin, end = end, end + 4 * math.prod(shape)
                header[key] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
            path = write(f"{folder}/{name}.safetensors", safetensors(header))
            os.truncate(path, os.path.getsize(path) + end)
            return path

        def dinov3(dim, blocks):
            shapes = {"cls_token": [1, 1, dim], "storage_tokens": [1, 4, dim],
                      "mask_token": [1, dim], "rope_embed.periods": [16],
                      "patch_embed.proj.weight": [dim, 3, 16, 16], "patch_embed.proj.bias": [dim],
                      "norm.weight": [dim], "norm.bias": [dim]}
            for i in range(blocks):
                block = {"attn.qkv.bias": [3 * dim], "attn.qkv.bias_mask": [3 * dim],
                         "attn.qkv.weight": [3 * dim, dim], "attn.proj.weight": [dim, dim],
                         "mlp.fc1.weight": [4 * dim, dim], "mlp.fc1.bias": [4 * dim],
                         "mlp.fc2.weight": [dim, 4 * dim]}
                for vector in ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias",
                               "ls1.gamma", "ls2.gamma", "attn.proj.bias", "mlp.fc2.bias"):
                    block[vector] = [dim]
                shapes.update({f"blocks.{i}.{key}": shape for key, shape in block.items()})
            return shapes

        def sam(dim, blocks):
            shapes = {"pos_embed": [1, 64, 64, dim], "patch_embed.proj.weight": [dim, 3, 16, 16],
                      "patch_embed.proj.bias": [dim], "neck.0.weight": [256, dim, 1, 1],
                      "neck.1.weight": [256], "neck.1.bias": [256], "neck.2.weight": [256, 256, 3, 3],
                      "neck.3.weight": [256], "neck.3.bias": [256]}
            for i in range(blocks):
                rows = 127 if (i + 1) % (blocks // 4) == 0 else 27
                block = {"attn.qkv.weight": [3 * dim, dim], "attn.qkv.bias": [3 * dim],
                         "attn.proj.weight": [dim, dim], "attn.rel_pos_h": [rows, 64],
                         "attn.rel_pos_w": [rows, 64], "mlp.lin1.weight": [4 * dim, dim],
                         "mlp.lin1.bias": [4 * dim], "mlp.lin2.weight": [dim, 4 * dim]}
                for vector in ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias",
                               "attn.proj.bias", "mlp.lin2.bias"):
                    block[vector] = [dim]
                shapes.update({f"blocks.{i}.{key}": shape for key, shape in block.items()})
            return {"image_encoder." + key: shape for key, shape in shapes.items()}

        sam_l, dinov3_l = shapes_file("sam_l", sam(1024, 24)), shapes_file("v3_l", dinov3(1024, 24))
        dinov3_b = dinov3(768, 12)
        fails("SAM given as DINOv3", use(sam_l, ("--backbone", "dinov3_vitl16")),
              "recognised as sam_vit_l (original keys, 24 blocks of 1024), expected dinov3_vitl16")
        fails("DINOv3 given as SAM", use(dinov3_l, ("--backbone", "sam_vit_l")),
              "recognised as dinov3_vitl16 (original keys, 24 blocks of 1024), expected sam_vit_l")
        fails("L given as B", use(dinov3_l, ("--backbone", "dinov3_vitb16")),
              "recognised as dinov3_vitl16 (original keys, 24 blocks of 1024), "
              "expected dinov3_vitb16")
        fails("SAM L given as H", use(sam_l, ("--backbone", "sam_vit_h")),
              "recognised as sam_vit_l (original keys, 24 blocks of 1024), expected sam_vit_h")
        without_block = shapes_file("without_block", {
            key: shape for key, shape in dinov3_b.items() if not key.startswith("blocks.7.")})
        fails("missing block, asked for by name", use(without_block, ("--backbone", "dinov3_vitb16")),
              "recognised as dinov3 of no published size (original keys, 11 blocks of 768), expected "
              "the 12 blocks of dinov3_vitb16; 1 missing: blocks.7")
        fails("missing block", use(without_block),
              "recognised as dinov3 of no published size (original keys, 11 blocks of 768), expected "
              "the 12 blocks of dinov3_vitb16; 1 missing: blocks.7")
        without_last = shapes_file("without_last", {
            key: shape for key, shape in dinov3_b.items() if not key.startswith("blocks.11.")})
        fails("missing last block", use(without_last),
              "recognised as dinov3 of no published size (original keys, 11 blocks of 768), expected "
              "the 12 blocks of dinov3_vitb16; 1 missing: blocks.11")
        wider = {key: [3 * 832, *shape[1:]] if ".attn.qkv." in key else shape
                 for key, shape in dinov3_b.items()}
        fails("an attention head too many", use(shapes_file("wider", wider)),
              "(dinov3_vitb16 (original keys, 12 blocks of 768)): the tensors do not fit the "
              "backbone; 36 unfitting: blocks.0.attn.qkv.bias expected [2304] got [2496]")
        fails("a classification head too many", use(shapes_file(
            "headed", {**dinov3_b, "head.weight": [1000, 768], "head.bias": [1000]})),
            "(dinov3_vitb16 (original keys, 12 blocks of 768)): the tensors do not fit the "
            "backbone; 2 unexpected: head.bias [1000], head.weight [1000, 768]")
        fails("index without shards", use(write(
            f"{folder}/model.safetensors.index.json", '{"weight_map": {"a": "gone.safetensors"}}')),
            "gone.safetensors")
        pickle = write(f"{folder}/pickle.pkl", b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00trueq\x00\x85R.")
        with zipfile.ZipFile(f"{folder}/evil.pth", "w", zipfile.ZIP_STORED) as archive:
            archive.write(pickle, "archive/data.pkl")
            archive.writestr("archive/version", "3\n")
        fails("foreign global", ["convert", f"{folder}/evil.pth", "OUT/o.safetensors"], "os.system")
        legacy = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + bytes(64)
        fails("legacy .pth", ["inspect", write(f"{folder}/legacy.pth", legacy)], "legacy.pth")

        # Data sets.
        def evaluate(dataset, root, extra=()):
            return ["evaluate", "--dataset", dataset, "--root", root, *synthetic, "--json", "OUT/o.json",
                    "--predictions", "OUT/p.jsonl", *extra]
        for dataset in ("spair-71k", "pf-pascal", "pf-willow", "synthetic", "jsonl"):
            fails(f"missing directory, {dataset}", evaluate(dataset, f"{folder}/nowhere"), "nowhere")
        line = {"source": "good.png", "target": "good.png", "category": "thing",
                "source_keypoints": [[5, 5], [20, 30]], "target_keypoints": [[6, 6], [20, 31]]}

        def jsonl(name, content):
            os.makedirs(f"{folder}/{name}", exist_ok=True)
            write(f"{folder}/{name}/good.png", png(48, 40))
            write(f"{folder}/{name}/test.jsonl", content)
            return evaluate("jsonl", f"{folder}/{name}")
        control = subprocess.run(
            [HOMOLOG, *(a.replace("OUT", folder) for a in jsonl("control", json.dumps(line) + "\n"))],
            capture_output=True, text=True)
        if control.returncode != 0:
            sys.exit(f"FAILED control jsonl: {control.stderr}")
        fails("malformed JSON", jsonl("malformed", '{"source":'), "test.jsonl")
        fails("deep JSON", jsonl("deep", '{"a":' * 100000))
        fails("no pairs", jsonl("empty", "\n"))
        fails("NaN in JSON", jsonl("nan", json.dumps({**line, "source_keypoints": [[float("nan"), 1], [2, 3]]})))
        fails("keypoint outside, data set",
              jsonl("outside", json.dumps({**line, "target_keypoints": [[6, 6], [20, 310]]})))
        fails("empty keypoints", jsonl("none", json.dumps({**line, "source_keypoints": [],
                                                           "target_keypoints": []})))
        fails("unequal keypoints", jsonl("unequal", json.dumps({**line, "source_keypoints": [[1, 1]]})))
        fails("path out of the root", jsonl("escape", json.dumps({**line, "source": "../good.png"})))
        fails("unknown category", evaluate("jsonl", f"{folder}/control", ("--category", "ghost")), "ghost")
        os.makedirs(f"{folder}/willow/car(G)")
        write(f"{folder}/willow/car(G)/a.png", png(48, 40))
        write(f"{folder}/willow/car(G)/a.mat", b"MATLAB 7.3 MAT-file" + bytes(200))
        fails("malformed .mat", evaluate("pf-willow", f"{folder}/willow"), "a.mat")
        write(f"{folder}/pascal/test_pairs.csv", "source_image,target_image,class,XA,YA,XB,YB\na,b,1,2;x,3;4,5;6,7;8\n")
        fails("malformed CSV", evaluate("pf-pascal", f"{folder}/pascal"))
        fails("unknown split", evaluate("jsonl", f"{folder}/control", ("--split", "ghost")), "ghost")

        # Wrong usage: nothing is tried, so files that are absent go unnoticed, and the line says what
        # to type.
        def misuse(name, arguments, contains):
            fails(name, arguments, contains, status=2)
        misuse("no subcommand", [], "type homolog and one of info, inspect, ")
        misuse("unknown subcommand", ["frobnicate", "--json", "OUT/o.json"],
              "'frobnicate' is no subcommand; type one of info, ")
        misuse("option before the subcommand", ["--json", "OUT/o.json", "info"],
              "--json stands before the subcommand; type the subcommand first")
        misuse("option before the subcommand, others required", ["--weights", "w", "match"],
              "--weights stands before the subcommand")
        misuse("option twice", ["info", "--json", "OUT/a.json", "--json", "OUT/b.json"],
              "info: --json is given 2 times; type it once")
        misuse("flag and its opposite", match(extra=("--final-norm", "--no-final-norm")),
              "--final-norm is given 2 times")
        misuse("unknown option", ["info", "--frobnicate"], "info has no option --frobnicate; type homolog "
              "info --help")
        misuse("misspelt required option", ["match", "--sorce", "a"], "match has no option --sorce")
        misuse("two subcommands", ["info", "inspect"], "info cannot take inspect")
        misuse("missing required option", ["match", "--source", good, "--target", good], "--points is required")
        misuse("missing value", ["info", "--json"], "--json")
        misuse("unknown matcher", match(extra=("--matcher", "best")), "best not in {argmax,")
        misuse("no keypoints", match(points=""), "type --points")
        misuse("half a keypoint", match(points="4"), "'4' is no keypoint; type --points \"x,y;x,y\"")
        misuse("keypoint without comma", match(points="120 80"), "type --points \"x,y;x,y\"")
        misuse("keypoint with a tail", match(points="4,5x"), "'5x' is no number; type --points")
        misuse("empty keypoint", match(points="4,5;;6,7"), "'' is no keypoint")
        misuse("drawing of an unknown kind", ["match", "--source", "absent", "--target", "absent", "--points",
                                             "5,5", *synthetic, "--output", "OUT/o.gif"],
              "type a name in .png, .jpg or .jpeg")
        misuse("temperature of argmax", match(extra=("--temperature", "4")),
              "matcher argmax has no --temperature; leave it out")
        misuse("radius of soft-argmax", match(extra=("--matcher", "soft-argmax", "--window-radius", "2")),
              "has no --window-radius")
        misuse("margin without features", match(extra=("--matcher", "copy-coordinates", "--margin")),
              "matcher copy-coordinates reads no features and has no --margin")
        misuse("upsampled by nothing", match(extra=("--matcher", "upsampled-argmax", "--factor", "0")),
              "--factor: 0 is not a number from 1 on")
        misuse("a number that float32 does not hold",
              match(extra=("--matcher", "soft-argmax", "--temperature", "1e300")), "that float32 holds")
        for value in ("0", "nan", "inf", "-1", "x"):
            misuse(f"temperature {value}", match(extra=("--matcher", "soft-argmax", "--temperature", value)),
                  f"--temperature: {value} is not a number above 0")
        misuse("negative radius", match(extra=("--matcher", "window-soft-argmax", "--window-radius", "-1")),
              "--window-radius: -1 is not a number from 0 on")

        absent = ["match", "--source", "absent", "--target", "absent", "--points", "5,5"]
        vit = ["--backbone", "vit_tiny_patch16_224"]
        misuse("no weights", absent, "type --weights FILE, or --random-weights SEED")
        misuse("no weights but a model", [*absent, *vit], "type --weights FILE")
        misuse("two kinds of weights", [*absent, *vit, "--weights", "absent", "--random-weights", "1"],
              "--weights and --random-weights exclude each other")
        misuse("random weights of no model", [*absent, "--random-weights", "1"], "type --backbone NAME")
        misuse("unknown backbone", [*absent, "--backbone", "dinov9", "--weights", "absent"],
              "'dinov9' is unknown; known are")
        misuse("unknown variant", [*absent, "--backbone", "dinov2_vitx14", "--weights", "absent"],
              "unknown variant 'dinov2_vitx14'")
        for device in ("tpu", "cuda:", "cuda:x", "cuda0"):
            misuse(f"device {device}", [*absent, *vit, "--random-weights", "1", "--device", device],
                  f"'{device}' is unknown; type cpu, cuda or cuda:i")
        for option in (("--layer", "1"), ("--blocks", "2"), ("--facet", "key"), ("--dtype", "bfloat16"),
                       ("--weights", "absent"), ("--no-final-norm",), ("--random-weights", "1")):
            misuse(f"synthetic with {option[0]}", match(extra=option),
                  f"--backbone synthetic takes no {option[0]}")
        misuse("negative size", [*absent, *vit, "--random-weights", "1", "--image-size", "-5"], "--image-size")
        misuse("preparing a prepared input", [
            "features", "--input", "absent", "--output", "OUT/o.safetensors", "--backbone",
            "dinov3_vits16", "--random-weights", "1", "--normalization", "satellite"],
            "--input is prepared already; leave")
        misuse("features of nothing", ["features", *vit, "--random-weights", "1", "--output",
                                      "OUT/o.safetensors"], "[--image,--input]")
        misuse("tokens of synthetic", ["features", "--backbone", "synthetic", "--image", "absent",
                                      "--output", "OUT/o.safetensors"], "has no tokens to write")
        misuse("a backbone that converts nothing", ["convert", "absent", "OUT/o.safetensors", "--backbone",
                                                     "dino_vits16"], "type --to")
        misuse("convert an unknown backbone", ["convert", "absent", "OUT/o.safetensors", "--to", "original",
                                                "--backbone", "dino_vitx"], "unknown variant 'dino_vitx'")
        misuse("convert to another kind", ["convert", "absent", "OUT/o.pth"], "type a name in .safetensors")
        for option in (("--alpha", "0.1,x"), ("--alpha", "-0.1"), ("--limit", "0"), ("--limit", "-2"),
                       ("--batch-size", "0"), ("--picture-count", "3")):
            misuse(f"evaluate with {option[0]} {option[1]}", evaluate("synthetic", "absent", option), option[0])
        misuse("layout of a data set without", evaluate("jsonl", "absent", ("--layout", "small")),
              "--layout belongs to spair-71k and synthetic")
        misuse("split of a data set without", evaluate("pf-willow", "absent", ("--split", "trn")),
              "pf-willow has test pairs only")

        misuse("tuning on test pairs", ["finetune", "--dataset", "pf-willow", "--root", "absent", *vit,
                                       "--random-weights", "1"], "pf-willow has test pairs alone")
        misuse("features under another name", ["features", *vit, "--random-weights", "1", "--image", "absent",
                                              "--output", "OUT/o.txt"], "features writes safetensors")

        def finetune(*extra):
            return ["finetune", "--dataset", "synthetic", "--root", "absent", *vit, "--random-weights",
                    "1", "--log", "OUT/log.csv", *extra]
        for option, needed in ((("--resume",), "--checkpoint-dir"), (("--keep-last", "3"), "--checkpoint-dir"),
                               (("--checkpoint-every", "3"), "--checkpoint-dir"),
                               (("--patience", "2"), "--validation-split"),
                               (("--validation-alpha", "0.2"), "--validation-split"),
                               (("--lora-alpha", "4"), "--lora-rank"), (("--cache", "file"), "--cache-folder"),
                               (("--cache-folder", "absent"), "--cache file"),
                               (("--loss-sigma", "2"), "--loss gaussian-ce"),
                               (("--checkpoint", "absent"), "--resume")):
            misuse(f"finetune with {option[0]} alone", finetune(*option), needed)
        for option in (("--epochs", "0"), ("--unfreeze", "0"), ("--learning-rate", "0"), ("--flip", "1.5"),
                       ("--seed", "-1"), ("--keep-last", "1", "--checkpoint-dir", "OUT/c")):
            misuse(f"finetune with {option[0]} {option[1]}", finetune(*option), option[0])
        misuse("tuning synthetic", ["finetune", "--dataset", "synthetic", "--root", "absent", "--backbone",
                                   "synthetic"], "has no weights to tune")
    print(f"{checks} passed, 0 failed")


main()
