#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the tool writes: a standard output that takes nothing, outputs that are inputs, and result files
that say what was used.

usage: outputs.py HOMOLOG
"""
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

HOMOLOG = sys.argv[1]
checks = 0


def check(condition, what):
    global checks
    if not condition:
        sys.exit(f"FAILED {what}")
    print(f"ok {what}")
    checks += 1


def run(*arguments, status=0, **options):
    options = {"capture_output": True, "text": True, "timeout": 300, **options}
    result = subprocess.run([HOMOLOG, *arguments], **options)
    if result.returncode != status:
        sys.exit(f"FAILED {arguments}: status {result.returncode}, expected {status}: {result.stderr}")
    return result


def content(path):
    with open(path, "rb") as file:
        return file.read()


def metadata(path):
    whole = content(path)
    return json.loads(whole[8:8 + struct.unpack("<Q", whole[:8])[0]])["__metadata__"]


def lost_standard_output(commands):
    for name, command in commands.items():
        with open("/dev/full", "w") as full:
            result = run(*command, status=1, capture_output=False, stdout=full, stderr=subprocess.PIPE)
        check(result.stderr.startswith("homolog: the standard output cannot be written")
              and len(result.stderr.splitlines()) == 1, f"{name} into a full device")
        result = run(*command, status=1, preexec_fn=lambda: os.close(1))
        check(result.stderr == "homolog: the standard output is closed\n", f"{name} into a closed output")


def own_files(folder, pair):
    """Each output that is an input, by name, link and hard link, and two that are one file."""
    def refused(name, command, protected, words):
        before = content(protected)
        result = run(*command, status=2)
        check(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{name}: {result.stderr.strip()}")
        check(content(protected) == before, f"{name}: the input is as it was")

    source = shutil.copy(pair["source"], f"{folder}/source.png")
    os.symlink(source, f"{folder}/link.png")
    os.link(source, f"{folder}/hard.png")
    synthetic = ["--backbone", "synthetic", "--image-size", "256"]
    match = ["match", "--source", source, "--target", pair["target"], "--points", "100,90", *synthetic]
    for output in (source, f"{folder}/link.png", f"{folder}/hard.png", f"{folder}/../{os.path.basename(folder)}/source.png"):
        for option in ("--output", "--json"):
            refused(f"match {option} {os.path.basename(output)}", [*match, option, output], source,
                    f"{option} {output} is the input --source {source}; type another output")
    refused("match into one file", [*match, "--output", f"{folder}/o.png", "--json", f"{folder}/./o.png"],
            source, "is --output too; type two names")
    check(not os.path.exists(f"{folder}/o.png"), "nothing was tried")
    with open(f"{folder}/printed.json", "w") as printed:
        result = run(*match, "--json", f"{folder}/printed.json", status=2, capture_output=False,
                     stdout=printed, stderr=subprocess.PIPE)
    check("is the standard output too" in result.stderr, "a result file that is the standard output")

    weights = f"{folder}/f.safetensors"
    with open(weights, "ab") as appended:
        result = run("inspect", weights, status=2, capture_output=False, stdout=appended,
                     stderr=subprocess.PIPE)
    check("the standard output is the input" in result.stderr, "printing into the weights")
    refused("convert onto itself", ["convert", weights, weights], weights, "is the input IN")
    refused("inspect", ["inspect", weights, "--json", weights], weights, "is the input FILE")
    refused("features", ["features", "--input", weights, "--output", weights, "--backbone",
                         "vit_tiny_patch16_224", "--random-weights", "1"], weights, "is the input --input")

    evaluate = ["evaluate", "--dataset", "synthetic", "--root", f"{folder}/set", "--limit", "4", *synthetic]
    annotation = f"{folder}/set/Layout/large/test.txt"
    refused("evaluate onto the list of pairs", [*evaluate, "--json", annotation], annotation, "of --dataset")
    refused("evaluate onto a picture", [*evaluate, "--predictions", pair["source"]], pair["source"],
            "of --dataset")
    refused("evaluate, two outputs in one", [*evaluate, "--predictions", f"{folder}/e", "--json", f"{folder}/e"],
            annotation, "is --json too")
    os.makedirs(f"{folder}/own")
    for name in ("source", "target"):
        shutil.copy(pair[name], f"{folder}/own/{'pair_01' if name == 'source' else 'b'}.png")
    with open(f"{folder}/own/test.jsonl", "w") as file:
        file.write(json.dumps({"source": "pair_01.png", "target": "b.png", "category": "thing",
                               "source_keypoints": [[5, 5], [60, 50]],
                               "target_keypoints": [[6, 6], [50, 60]]}) + "\n")
    own = ["evaluate", "--dataset", "jsonl", "--root", f"{folder}/own", *synthetic]
    refused("predictions onto the pairs", [*own, "--predictions", f"{folder}/own/test.jsonl"],
            f"{folder}/own/test.jsonl", "of --dataset")
    refused("drawings onto the pictures", [*own, "--pictures", f"{folder}/own"], f"{folder}/own/pair_01.png",
            "--pictures")
    run(*own, "--json", f"{folder}/own/r.json", "--predictions", f"{folder}/own/p.jsonl")
    run(*own, "--json", f"{folder}/own/r.json", "--predictions", f"{folder}/own/p.jsonl")
    check(True, "results beside the pairs may be replaced")
    result_file = f"{folder}/own/r.json"
    refused("report onto its result", ["report", result_file, "--output", result_file], result_file,
            "is the input result")
    refused("report onto the predictions", ["report", result_file, "--output", f"{folder}/own/p.jsonl"],
            f"{folder}/own/p.jsonl", "is the input predictions")
    train = ["finetune", "--dataset", "synthetic", "--root", f"{folder}/set", "--limit", "4", "--backbone",
             "vit_tiny_patch16_224", "--random-weights", "1"]
    refused("finetune's log onto a picture", [*train, "--split", "test", "--log", pair["source"]], pair["source"],
            "of --dataset")
    refused("finetune, two outputs in one", [*train, "--log", f"{folder}/t", "--json", f"{folder}/t"], annotation,
            "is --json too")

    for output in ("/dev/null", folder):
        result = run(*match, "--json", output, status=1)
        check("not a regular file" in result.stderr, f"--json {output}")
    result = run(*evaluate, "--json", f"{folder}/absent/r.json", status=1)
    check("there is no folder" in result.stderr, "a folder that is absent, before the work")
    made = f"{folder}/made"
    run(*evaluate, "--pictures", f"{made}/pictures", "--json", f"{made}/r.json", "--predictions",
        f"{made}/pictures/p.jsonl")
    check(os.path.getsize(f"{made}/r.json") > 100, "results in a folder that the command makes")


def facts(folder, pair):
    """Result files name what was used, not `auto`, and the weights' file with its SHA-256."""
    weights = f"{folder}/f.safetensors"
    run("features", "--backbone", "vit_tiny_patch16_224", "--random-weights", "1", "--image", pair["source"],
        "--image-size", "64", "--output", weights)
    random = metadata(weights)
    check(random["normalization"] == "half" and random["position_interpolation"] == "hub-registers"
          and random["random_weights"] == "1" and random["resize_filter"] == "bicubic"
          and "weights" not in random, f"features of random weights: {random}")

    given = os.environ.get("HOMOLOG_VITS14_WEIGHTS")
    if not given:
        print("result files of weights: left out, HOMOLOG_VITS14_WEIGHTS is not set")
        return
    digest = hashlib.sha256(content(given)).hexdigest()
    model = ["--weights", given, "--image-size", "56", "--blocks", "2"]
    run("features", *model, "--image", pair["source"], "--output", f"{folder}/g.safetensors")
    run("match", *model, "--source", pair["source"], "--target", pair["target"], "--points", "100,90",
        "--json", f"{folder}/m.json")
    dataset = ["--dataset", "synthetic", "--root", f"{folder}/set", "--limit", "2"]
    run("evaluate", *model, *dataset, "--json", f"{folder}/e.json")
    run("finetune", *model, *dataset, "--epochs", "1", "--json", f"{folder}/t.json", "--checkpoint-dir",
        f"{folder}/tuned")
    for name, found in (("features", metadata(f"{folder}/g.safetensors")),
                        *((name, json.loads(content(f"{folder}/{name}.json"))) for name in "met")):
        check(found["normalization"] == "imagenet" and found["position_interpolation"] == "huggingface"
              and found["resize_filter"] == "bicubic", f"{name}: normalisation, position rule and filter")
        check(found["weights"] == given and found["weights_file_sha256"] == digest, f"{name}: the weights")
        check("auto" not in json.dumps(found).split('"'), f"{name}: nothing is auto")
    run("evaluate", *model[:-2], "--checkpoint", f"{folder}/tuned", *dataset, "--json", f"{folder}/c.json")
    tuned = json.loads(content(f"{folder}/c.json"))
    check(tuned["checkpoint_file_sha256"] == hashlib.sha256(content(tuned["checkpoint"])).hexdigest(),
          "the checkpoint that a folder stands for, with its hash")


def main():
    with tempfile.TemporaryDirectory() as folder:
        run("generate", "--output", f"{folder}/set", "--seed", "5")
        synthetic = ["--backbone", "synthetic", "--image-size", "256"]
        dataset = ["--dataset", "synthetic", "--root", f"{folder}/set", "--limit", "2"]
        run("evaluate", *dataset, *synthetic, "--json", f"{folder}/a.json", "--predictions", f"{folder}/a.jsonl")
        pair = json.loads(content(f"{folder}/a.jsonl").splitlines()[0])
        facts(folder, pair)
        lost_standard_output({
            "info": ["info"], "help": ["match", "--help"], "version": ["--version"],
            "inspect": ["inspect", f"{folder}/f.safetensors"],
            "convert": ["convert", f"{folder}/f.safetensors", f"{folder}/h.safetensors"],
            "match": ["match", "--source", pair["source"], "--target", pair["target"], "--points", "100,90",
                      *synthetic],
            "evaluate": ["evaluate", *dataset, *synthetic],
            "report": ["report", f"{folder}/a.json", "--output", f"{folder}/r.html"]})
        own_files(folder, pair)
    print(f"{checks} passed, 0 failed")


main()
