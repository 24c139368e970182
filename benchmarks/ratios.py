#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables of docs/reference/benchmarks.md out of what benchmarks/run.sh measured.

usage: ratios.py FOLDER PAGE
"""
import json
import math
import pathlib
import platform
import statistics
import sys

folder, page = map(pathlib.Path, sys.argv[1:])
rivals = ("ATen", "Eigen", "faiss")


def read(path):
    """{(operation, D, grid, N, threads): {rival: median microseconds}}, GFLOP/s' share of the peak"""
    result = json.loads(path.read_text())
    times, shares = {}, {}
    for run in result["benchmarks"]:
        if run["run_type"] != "iteration":
            continue
        operation, *axes, rival, _ = run["name"].split("/")
        if run.get("error_occurred"):
            raise SystemExit(f"{run['name']}: {run['error_message']}")
        key = (operation, *(int(axis.split(":")[1]) for axis in axes))
        times.setdefault(key, {}).setdefault(rival, []).append(run["real_time"])
        if rival in ("homolog", "homolog_f32") and "of_peak" in run:
            shares.setdefault((rival, *key), []).append(run["of_peak"])
    medians = {key: {rival: statistics.median(values) for rival, values in found.items()}
               for key, found in times.items()}
    return result["context"], medians, {key: statistics.median(values) for key, values in shares.items()}


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


comparisons = [(rival, "homolog", "") for rival in rivals]
comparisons += [("ATen", "homolog_f32", ", float32 kernel"), ("ATen", "homolog_bf16", ", target rounded before")]


def ratio_table(times):
    lines = ["| operation | threads | rival | points | geometric mean | least | N <= 32 | N >= 136 |",
             "|---|---|---|---|---|---|---|---|"]
    for operation in ("argmax", "window", "soft"):
        for threads in (1, 2):
            for rival, ours, how in comparisons:
                if operation == "soft" and how:
                    continue  # a soft-argmax over all cells is the float32 kernel's
                ratios = {key: found[rival] / found[ours] for key, found in times.items()
                          if key[0] == operation and key[4] == threads and rival in found and ours in found}
                if not ratios:
                    continue
                least = min(ratios, key=ratios.get)
                small = [ratio for key, ratio in ratios.items() if key[3] <= 32]
                large = [ratio for key, ratio in ratios.items() if key[3] >= 136]
                lines.append(
                    f"| {operation}{how} | {threads} | {rival} | {len(ratios)} | **{geometric_mean(ratios.values()):.2f}** | "
                    f"{ratios[least]:.2f} (D {least[1]}, {least[2]}x{least[2]}, N {least[3]}) | "
                    f"{geometric_mean(small):.2f} | {geometric_mean(large):.2f} |")
    return lines


def time_table(times, shares):
    lines = ["| D, grid, N | homolog | of FMA peak | float32 kernel | of FMA peak | rounded before | ATen | Eigen | faiss | "
             "+ window | + softmax |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    for key in sorted(key for key in times if key[0] == "argmax" and key[2] == 37 and key[4] == 1):
        found = times[key]

        def more(operation, ours):
            other = times.get((operation, *key[1:]), {}).get(ours)
            return f"{100 * (other / found[ours] - 1):+.1f} %" if other else ""

        def time(rival):
            return f"{found[rival]:.0f}" if rival in found else ""

        def share(ours):
            return f"{100 * shares[(ours, *key)]:.0f} %" if (ours, *key) in shares else ""
        cells = [time("homolog"), share("homolog"), time("homolog_f32"), share("homolog_f32"),
                 *map(time, ("homolog_bf16", *rivals)), more("window", "homolog"), more("soft", "homolog_f32")]
        lines.append(f"| {key[1]}, 37x37, {key[3]} | " + " | ".join(cells) + " |")
    return lines


def additions(times, operation, ours):
    """By how much an operation takes longer than argmax, over all shapes on one thread, in percent."""
    return [100 * (found[ours] / times[("argmax", *key[1:])][ours] - 1) for key, found in times.items()
            if key[0] == operation and key[4] == 1 and ours in found]


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


context, times, shares = read(folder / "matching.json")
def dense(ours):
    found = [share for key, share in shares.items() if key[:2] == (ours, "argmax") and key[4] >= 96 and key[5] == 1]
    if not found:
        return "no shape"
    return (f"{100 * statistics.median(found):.0f} % in the median of {len(found)} shapes, "
            f"{100 * min(found):.0f} to {100 * max(found):.0f} %")


def spread(values):
    return f"{statistics.median(values):+.1f} % in the median, at most {max(values):+.1f} %" if values else "not run"


def section(name):
    path = folder / name
    return path.read_text().strip() if path.exists() else "not run"


lines = [
    f"Measured on {context['num_cpus']} cores of {processor()}, FMA peak of one core {float(context['fma_peak_gflops']):.0f} GFLOP/s "
    "in the same process.", "",
    "**Matching float32 features**: time of the rival over ours, medians of interleaved repetitions.", "", *ratio_table(times), "",
    f"One thread, N >= 96, float32 answers as a share of the float32 FMA peak: {dense('homolog')}; "
    f"the float32 kernel alone: {dense('homolog_f32')}.", "",
    f"One thread, all shapes, more time than argmax takes: window {spread(additions(times, 'window', 'homolog'))} "
    f"(float32 kernel: {spread(additions(times, 'window', 'homolog_f32'))}); global soft-argmax, float32 kernel: "
    f"{spread(additions(times, 'soft', 'homolog_f32'))}.", "",
    "**Microseconds on one thread**, 37x37 cells; the last columns are what window and global soft-argmax add to argmax "
    "(the latter to the float32 kernel's).", "",
    *time_table(times, shares), "",
    "**A whole category, and full resolution**, next to LibTorch pair by pair and to upsampled, normalised features:", "", "```",
    section("whole_category.txt"), "```", "",
    "**One forward** of ViT-B/14 and ViT-S/14 next to `transformers` with SDPA (ratio: our time over theirs):", "",
    section("backbone_forward.md"), "",
    "**PF-WILLOW, 900 pairs of 100 pictures**, ViT-S/14, block 8, argmax: time of Python's best form over ours by stage, and of the "
    "usual form, which runs the backbone on both pictures of every pair (some pairs, scaled):", "",
    section("python_baseline.md"), "",
    "**An evaluation of SPair-71k's size**, on synthetic pictures with a tiny backbone, so that the rest shows:", "", "```",
    section("spair_scale.txt"), "```", "",
    "**A training step** with the frozen blocks' output kept (k = 1 of 12 blocks), and computed anew:", "", "```",
    section("training_step.txt"), "```"]
before, rest = page.read_text().split("<!-- results: begin -->")
after = rest.split("<!-- results: end -->")[1]
page.write_text(f"{before}<!-- results: begin -->\n" + "\n".join(lines) + f"\n<!-- results: end -->{after}")
print("\n".join(lines))
