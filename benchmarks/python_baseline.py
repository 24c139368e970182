#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The evaluation of PF-WILLOW by `homolog evaluate`, next to the same job in Python with
transformers, Pillow and torch, both with ViT-S/14 weights from one file.

    benchmarks/python_baseline.py --homolog build/release/bin/homolog --weights FILE --root PF-dataset-WILLOW
                                  [--sizes 224 518] [--threads 1 2] [--repeats 3] [--markdown FILE.md]

Two Python forms: the best one decodes each picture once, runs the backbone in batches, keeps all
features in memory and matches the queries of all pairs that share a target in one product; the
usual one opens both pictures of every pair and runs the backbone on both. That one is timed on a few
pairs and scaled to all. The sides take turns; loading the model is timed on neither. PCK of all
three must agree, or the script fails.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import PIL.Image
import safetensors.torch
import scipy.io
import torch
import transformers

PATCH = 14
MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)


def read_pairs(root):
    """All ordered pairs of pictures of a folder: (source, target); and each picture's keypoints."""
    keypoints, pairs = {}, []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        pictures = sorted(path for path in folder.glob("*.png") if path.with_suffix(".mat").exists())
        for picture in pictures:
            keypoints[picture] = scipy.io.loadmat(picture.with_suffix(".mat"))["pts_coord"].T
        pairs += [(a, b) for a in pictures for b in pictures if a != b]
    return pairs, keypoints


def load_model(weights, layer):
    tensors = safetensors.torch.load_file(weights)
    dimension = tensors["embeddings.cls_token"].shape[-1]
    side = round((tensors["embeddings.position_embeddings"].shape[1] - 1) ** 0.5) * PATCH
    config = transformers.Dinov2Config(
        hidden_size=dimension, num_hidden_layers=layer + 1, num_attention_heads=dimension // 64, mlp_ratio=4,
        image_size=side, patch_size=PATCH, layer_norm_eps=1e-6)
    config.save_pretrained(weights.parent)
    # Blocks behind the layer are left over, and the mask token is not there: neither is run.
    return transformers.Dinov2Model.from_pretrained(weights.parent, attn_implementation="sdpa").eval()


def prepare(path, side):
    image = PIL.Image.open(path).convert("RGB")
    pixels = torch.from_numpy(numpy.array(image.resize((side, side), PIL.Image.BICUBIC)))
    return image.size, (pixels.permute(2, 0, 1) / 255 - MEAN) / DEVIATION


def features(model, batch):
    tokens = model(batch).last_hidden_state[:, 1:]
    return torch.nn.functional.normalize(tokens, dim=-1)


def cells_of(points, size, grid):
    """Index of the cell that holds each point."""
    cells = numpy.stack([(points[:, axis] + 0.5) * grid / size[axis] - 0.5 for axis in (0, 1)], 1)
    nearest = numpy.clip(numpy.floor(cells + 0.5), 0, grid - 1).astype(int)
    return torch.from_numpy(nearest[:, 1] * grid + nearest[:, 0])


def points_of(cells, size, grid):
    cells = cells.numpy()
    return numpy.stack([(cells % grid + 0.5) * size[0] / grid - 0.5,
                        (cells // grid + 0.5) * size[1] / grid - 0.5], 1)


def correct(predicted, truth):
    """Points within 0.1 of the longer side of the target keypoints' box."""
    length = (truth.max(0) - truth.min(0)).max()
    return (numpy.linalg.norm(predicted - truth, axis=1) <= 0.1 * length).sum()


@torch.inference_mode()
def best_form(model, pairs, keypoints, side, batch_size):
    grid = side // PATCH
    seconds = {"decode": 0.0, "backbone": 0.0, "match": 0.0}
    pictures = list(keypoints)
    sizes, maps = {}, {}
    for begin in range(0, len(pictures), batch_size):
        members = pictures[begin:begin + batch_size]
        start = time.perf_counter()
        prepared = [prepare(path, side) for path in members]
        batch = torch.stack([pixels for _, pixels in prepared])
        decoded = time.perf_counter()
        found = features(model, batch)
        seconds["decode"] += decoded - start
        seconds["backbone"] += time.perf_counter() - decoded
        for path, (size, _), map_ in zip(members, prepared, found):
            sizes[path], maps[path] = size, map_
    start = time.perf_counter()
    queries = {path: maps[path][cells_of(keypoints[path], sizes[path], grid)] for path in pictures}
    of_target = {}
    for source, target in pairs:
        of_target.setdefault(target, []).append(source)
    hits = points = 0
    for target, sources in of_target.items():
        answers = (torch.cat([queries[source] for source in sources]) @ maps[target].T).argmax(1)
        predicted = points_of(answers, sizes[target], grid)
        for source, part in zip(sources, numpy.split(predicted, len(sources))):
            hits += correct(part, keypoints[target])
            points += len(part)
    seconds["match"] = time.perf_counter() - start
    seconds["total"] = sum(seconds.values())
    return seconds, 100 * hits / points


@torch.inference_mode()
def usual_form(model, pairs, keypoints, side):
    grid = side // PATCH
    start = time.perf_counter()
    hits = points = 0
    for source, target in pairs:
        (source_size, source_pixels), (target_size, target_pixels) = prepare(source, side), prepare(target, side)
        source_map = features(model, source_pixels.unsqueeze(0))[0]
        target_map = features(model, target_pixels.unsqueeze(0))[0]
        queries = source_map[cells_of(keypoints[source], source_size, grid)]
        predicted = points_of((queries @ target_map.T).argmax(1), target_size, grid)
        hits += correct(predicted, keypoints[target])
        points += len(predicted)
    return time.perf_counter() - start, 100 * hits / points


def homolog(options, weights, side, threads, limit=None):
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        command = [options.homolog, "evaluate", "--dataset", "pf-willow", "--root", options.root, "--weights", weights,
                   "--layer", options.layer, "--image-size", side, "--threads", threads, "--alpha", "0.1",
                   "--batch-size", options.batch_size, "--json", result.name]
        if limit:
            command += ["--limit", limit]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        return json.loads(pathlib.Path(result.name).read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--homolog", required=True)
    parser.add_argument("--weights", required=True, help="ViT-S/14 in DINOv2's architecture")
    parser.add_argument("--root", required=True, type=pathlib.Path)
    parser.add_argument("--layer", type=int, default=8)
    parser.add_argument("--sizes", type=int, nargs="+", default=[224, 518])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=12, help="of the usual form")
    parser.add_argument("--markdown", type=pathlib.Path)
    options = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    pairs, keypoints = read_pairs(options.root)
    few = pairs[:: max(len(pairs) // options.pairs, 1)][:options.pairs]
    lines = ["| input | threads | decode | backbone | match | total | total, s | best Python, s | "
             "usual Python | PCK@0.1 |", "|---|---|---|---|---|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        weights = pathlib.Path(folder) / "model.safetensors"
        subprocess.run([options.homolog, "convert", options.weights, str(weights), "--to", "huggingface"], check=True,
                       stdout=subprocess.DEVNULL)
        model = load_model(weights, options.layer)
        for side in options.sizes:
            for threads in options.threads:
                torch.set_num_threads(threads)
                usual_form(model, few[:1], keypoints, side)  # warm-up
                ours, best, usual = [], [], []
                for _ in range(options.repeats):
                    result = homolog(options, weights, side, threads)
                    ours.append(result["seconds"])
                    seconds, pck = best_form(model, pairs, keypoints, side, options.batch_size)
                    best.append(seconds)
                    usual.append(usual_form(model, few, keypoints, side)[0] * len(pairs) / len(few))
                if result["pairs"] != len(pairs) or result["backbone_forwards"] != len(keypoints):
                    sys.exit(f"homolog: {result['pairs']} pairs, {result['backbone_forwards']} forwards; "
                             f"expected {len(pairs)} and {len(keypoints)}")
                own_pck = result["pck"]["per_point"]["0.1"]
                if abs(own_pck - pck) > 0.05:
                    sys.exit(f"PCK@0.1 of homolog {own_pck}, of Python {pck}")

                def ratio(part):
                    return statistics.median(b[part] / a[part] for a, b in zip(ours, best))
                total = statistics.median(seconds["total"] for seconds in ours)
                lines.append(
                    f"| {side} | {threads} | " +
                    " | ".join(f"**{ratio(part):.2f}x**" for part in ("decode", "backbone", "match", "total")) +
                    f" | {total:.2f} | {statistics.median(seconds['total'] for seconds in best):.2f} | "
                    f"**{statistics.median(b / a['total'] for a, b in zip(ours, usual)):.0f}x** | {own_pck:.2f} |")
                print(lines[-1], flush=True)
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
