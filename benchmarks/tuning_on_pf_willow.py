#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tunes the ViT-S/14 of the quickstart on PF-WILLOW's picture-disjoint and object-disjoint pairs
with `homolog finetune`, three seeds a recipe, and writes tables and a figure into
docs/how-to/training.md.

    benchmarks/tuning_on_pf_willow.py --homolog build/release/bin/homolog --weights FILE --data DIR --work DIR

DIR of --data holds PF-dataset-WILLOW and pf-willow-picture-split-{train,test}.jsonl. Every finished
run leaves a result file in --work, so an interrupted script goes on where it was; at the end the
tables stand in docs/how-to/training.md, the figure (by matplotlib) in docs/pictures/tuning_depth.svg. The recipe
"best" was chosen by cross-validation over the training pictures, before any test pair was scored
with it.
"""
import argparse
import concurrent.futures
import json
import pathlib
import statistics
import subprocess
import time

repository = pathlib.Path(__file__).resolve().parent.parent
seeds = (0, 1, 2)
losses = {"MSE": "soft-argmax-mse", "Gaussian CE": "gaussian-ce"}
disjoint_train = ("car(G)", "car(S)", "winebottle(wC)", "winebottle(woC)")
disjoint_test = ("motorbike(G)", "motorbike(S)", "duck(S)")
best = ("--blocks 10 --unfreeze 1 --loss gaussian-ce --loss-sigma 0.7 --loss-temperature 20 "
        "--query bilinear --schedule cosine --warmup-steps 50 --epochs 20 --flip 0.5 --crop 0.8 --colour 0.3")
wide = "--blocks 9 --unfreeze 1 --loss gaussian-ce --query bilinear --schedule cosine --warmup-steps 50"


def recipes():
    """name -> split, arguments of finetune, window temperature; the cheap and the named ones first"""
    result = {}

    def add(name, arguments, split="picture", tau=50):
        result[name] = {"split": split, "arguments": arguments.split(), "tau": tau}

    for k in (1, 2, 3):
        for title, loss in losses.items():
            if k == 1:
                add(f"{title} k={k}", f"--blocks 9 --unfreeze {k} --loss {loss}")
    add("best", best, tau=30)
    add("12 blocks, Gaussian CE k=3", "--blocks 12 --unfreeze 3 --loss gaussian-ce")
    add("objects: MSE k=1", "--blocks 9 --unfreeze 1 --loss soft-argmax-mse", "object")
    add("MSE k=1, bilinear", "--blocks 9 --unfreeze 1 --loss soft-argmax-mse --query bilinear")
    for k in (2, 3):
        for title, loss in losses.items():
            add(f"{title} k={k}", f"--blocks 9 --unfreeze {k} --loss {loss}")
    add("flips", wide + " --epochs 16 --flip 0.5")
    add("LoRA", wide.replace("--unfreeze 1", "--unfreeze 3 --lora-rank 8") +
        " --epochs 16 --flip 0.5 --learning-rate 1e-3")
    return result


def roots(data, work):
    """Two folders that `--dataset jsonl` reads, of the given lists of pairs."""
    pairs = {split: [json.loads(line) for line in
                     (data / f"pf-willow-picture-split-{split}.jsonl").read_text().splitlines() if line.strip()]
             for split in ("train", "test")}
    both = pairs["train"] + pairs["test"]
    lists = {"picture": pairs,
             "object": {"train": [pair for pair in both if pair["category"] in disjoint_train],
                        "test": [pair for pair in both if pair["category"] in disjoint_test]}}
    for name, splits in lists.items():
        root = work / name
        root.mkdir(parents=True, exist_ok=True)
        if not (root / "PF-dataset-WILLOW").exists():
            (root / "PF-dataset-WILLOW").symlink_to(data / "PF-dataset-WILLOW")
        for split, chosen in splits.items():
            (root / f"{split}.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in chosen))
    return {name: {split: {"pairs": len(chosen),
                           "points": sum(len(pair["source_keypoints"]) for pair in chosen),
                           "pictures": len({pair[side] for pair in chosen for side in ("source", "target")})}
                   for split, chosen in splits.items()} for name, splits in lists.items()}


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stderr}")


def evaluate(options, split, model, output, tau, query):
    """PCK at 0.1 per point with argmax and with window soft-argmax"""
    result = {}
    for matcher in (["argmax"], ["window-soft-argmax", "--window-radius", "2", "--temperature", str(tau)]):
        file = output / f"{matcher[0]}-{query}.json"
        run([options.homolog, "evaluate", "--dataset", "jsonl", "--root", options.work / split, "--split", "test",
             "--weights", options.weights, "--image-size", "224", "--resize", "squash", "--threads", options.threads,
             "--query", query, "--alpha", "0.05", "0.1", "0.2", "--json", file, "--matcher", *matcher, *model])
        result[matcher[0]] = json.loads(file.read_text())["pck"]["per_point"]
    return result


def tune(options, name, recipe, seed):
    slug = "".join(letter if letter.isalnum() else "_" for letter in name)
    folder = options.work / "runs" / f"{slug}-{seed}"
    if (folder / "result.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    arguments = recipe["arguments"]
    query = arguments[arguments.index("--query") + 1] if "--query" in arguments else "nearest"
    start = time.time()
    run([options.homolog, "finetune", "--dataset", "jsonl", "--root", options.work / recipe["split"], "--split", "train",
         "--weights", options.weights, "--resize", "squash", "--threads", options.threads, "--seed", seed,
         "--image-size", "224",
         "--checkpoint-dir", folder / "checkpoints", "--keep-last", "2", "--log", folder / "log.csv", "--resume",
         *arguments])
    seconds = time.time() - start
    pck = evaluate(options, recipe["split"], ["--checkpoint", folder / "checkpoints"], folder, recipe["tau"], query)
    (folder / "result.json").write_text(json.dumps({"name": name, "seed": seed, "seconds": seconds, "pck": pck}))
    print(name, seed, f"{seconds:.0f} s", {matcher: round(value["0.1"], 1) for matcher, value in pck.items()}, flush=True)


def frozen(options):
    """The untuned backbone, by block and query."""
    file = options.work / "frozen.json"
    if file.exists():
        return
    result = {}
    for split in ("picture", "object"):
        for block, query in ((8, "nearest"), (8, "bilinear"), (9, "bilinear"), (11, "nearest")):
            folder = options.work / "frozen" / f"{split}-{block}"
            folder.mkdir(parents=True, exist_ok=True)
            result[f"{split} {block} {query}"] = evaluate(options, split, ["--blocks", block + 1], folder, 50, query)
    file.write_text(json.dumps(result))


def mean_and_range(values):
    return f"{statistics.mean(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def row_of(options, title, name, alpha="0.1"):
    """A line of a table: mean, least and greatest over the seeds, with both decoders."""
    slug = "".join(letter if letter.isalnum() else "_" for letter in name)
    runs = [json.loads(path.read_text()) for path in sorted((options.work / "runs").glob(f"{slug}-[0-9]/result.json"))]
    if len(runs) != len(seeds):
        return None
    cells = [mean_and_range([run["pck"][matcher][alpha] for run in runs]) for matcher in ("argmax", "window-soft-argmax")]
    return f"| {title} | {cells[0]} | {cells[1]} |"


def frozen_row(options, title, key):
    pck = json.loads((options.work / "frozen.json").read_text())[key]
    return f"| {title} | {pck['argmax']['0.1']:.1f} | {pck['window-soft-argmax']['0.1']:.1f} |"


def tables(options, sizes):
    head = ["| PCK@0.1 per point, % | argmax | window soft-argmax (r 2, tau 50) |", "|---|---|---|"]
    plain = "first 9 blocks, nearest query, 8 epochs"
    picture = [frozen_row(options, "frozen, block 8, nearest query", "picture 8 nearest"),
               frozen_row(options, "frozen, block 9, bilinear query", "picture 9 bilinear")]
    for title in losses:
        picture += [row_of(options, f"k = {k}, {title}; {plain}" if k == 1 else f"k = {k}, {title}; the same",
                           f"{title} k={k}") for k in (1, 2, 3)]
    picture += [row_of(options, "k = 3, Gaussian CE; all 12 blocks", "12 blocks, Gaussian CE k=3"),
                row_of(options, "k = 1, MSE; bilinear query", "MSE k=1, bilinear"),
                row_of(options, "k = 1, Gaussian CE; bilinear, flips, cosine, 16 epochs", "flips"),
                row_of(options, "k = 3, LoRA of rank 8, lr 1e-3; the same", "LoRA"),
                row_of(options, "**best recipe**, tau 30", "best")]
    objects = [frozen_row(options, "frozen, block 8, nearest query", "object 8 nearest"),
               frozen_row(options, "frozen, block 9, bilinear query", "object 9 bilinear"),
               row_of(options, f"k = 1, MSE; {plain}", "objects: MSE k=1")]

    def size(split):
        return ", ".join(f"{part}: {count['pairs']} pairs, {count['points']} keypoints, {count['pictures']} pictures"
                         for part, count in sizes[split].items())
    lines = [f"**Disjoint pictures** ({size('picture')}; a picture may show a kind of thing seen in training):", "",
             *head, *filter(None, picture), "",
             f"**Disjoint objects** ({size('object')}): trained on cars and bottles, tested on motorbikes and ducks:", "",
             *head, *filter(None, objects), "", f"Best recipe: `{best}`."]
    return "\n".join(lines)


def figure(options, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "homolog"  # equal data, equal bytes
    import matplotlib.pyplot as plt
    plot, axes = plt.subplots(figsize=(6.4, 3.6))
    untuned = json.loads((options.work / "frozen.json").read_text())["picture 8 nearest"]
    for color, title in zip(("#0b62b5", "#c24a00"), losses):
        for style, matcher, word in (("--", "argmax", "argmax"), ("-", "window-soft-argmax", "window soft-argmax")):
            means, below, above = [untuned[matcher]["0.1"]], [0], [0]
            for k in (1, 2, 3):
                folder = "".join(letter if letter.isalnum() else "_" for letter in f"{title} k={k}")
                values = [json.loads(found.read_text())["pck"][matcher]["0.1"]
                          for found in (options.work / "runs").glob(f"{folder}-[0-9]/result.json")]
                means.append(statistics.mean(values))
                below.append(means[-1] - min(values))
                above.append(max(values) - means[-1])
            axes.errorbar(range(4), means, (below, above), color=color, linestyle=style, marker="o", markersize=4,
                          capsize=3, label=f"{title}, {word}")
    axes.set_xticks(range(4), ["frozen", "1", "2", "3"])
    axes.set_xlabel("tuned blocks k (first 9 blocks of ViT-S/14)")
    axes.set_ylabel("PCK@0.1 per point, %")
    axes.grid(alpha=0.3)
    axes.set_ylim(top=66)
    axes.legend(fontsize=8, loc="upper left", ncols=2)
    plot.tight_layout()
    plot.savefig(path, metadata={"Date": None})


def write_docs(options, sizes):
    page = repository / "docs" / "how-to" / "training.md"
    before, rest = page.read_text().split("<!-- tuning tables: begin -->")
    after = rest.split("<!-- tuning tables: end -->")[1]
    page.write_text(f"{before}<!-- tuning tables: begin -->\n{tables(options, sizes)}\n<!-- tuning tables: end -->{after}")
    figure(options, repository / "docs" / "pictures" / "tuning_depth.svg")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--homolog", type=pathlib.Path, required=True)
    parser.add_argument("--weights", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--threads", default="1", help="CPU threads of one run")
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time")
    parser.add_argument("--only", action="append", help="these recipes only; a name none has: just the docs")
    options = parser.parse_args()
    options.work = options.work.resolve()
    options.data = options.data.resolve()
    sizes = roots(options.data, options.work)
    frozen(options)
    chosen = recipes()
    work = [(name, recipe, seed) for name, recipe in chosen.items() for seed in seeds
            if not options.only or name in options.only]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in [pool.submit(tune, options, *item) for item in work]:
            done.result()
    write_docs(options, sizes)


if __name__ == "__main__":
    main()
