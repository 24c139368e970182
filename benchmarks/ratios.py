#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables of docs/benchmarks.md out of what benchmarks/run.sh measured.

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
        if rival == "homolog" and "of_peak" in run:
            shares.setdefault(key, []).append(run["of_peak"])
    medians = {key: {rival: statistics.median(values) for rival, values in found.items()}
               for key, found in times.items()}
    return result["context"], medians, {key: statistics.median(values) for key, values in shares.items()}


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def ratio_table(times):
    lines = ["| operation | threads | rival | points | geometric mean | least | N <= 32 | N >= 136 |",
             "|---|---|---|---|---|---|---|---|"]
    for operation in ("argmax", "window", "soft"):
        for threads in (1, 2):
            for rival, ours in [(rival, "homolog") for rival in rivals] + [("ATen", "homolog_bf16")]:
                ratios = {key: found[rival] / found[ours] for key, found in times.items()
                          if key[0] == operation and key[4] == threads and rival in found and ours in found}
                if not ratios:
                    continue
                least = min(ratios, key=ratios.get)
                small = [ratio for key, ratio in ratios.items() if key[3] <= 32]
                large = [ratio for key, ratio in ratios.items() if key[3] >= 136]
                lines.append(
                    f"| {operation}{', bf16 scan' if ours != 'homolog' else ''} | {threads} | {rival} | {len(ratios)} | **{geometric_mean(ratios.values()):.2f}** | "
                    f"{ratios[least]:.2f} (D {least[1]}, {least[2]}x{least[2]}, N {least[3]}) | "
                    f"{geometric_mean(small):.2f} | {geometric_mean(large):.2f} |")
    return lines


def time_table(times, shares):
    lines = ["| D, grid, N | homolog | of FMA peak | bf16 scan | ATen | Eigen | faiss | + window | + softmax |",
             "|---|---|---|---|---|---|---|---|---|"]
    for key in sorted(key for key in times if key[0] == "argmax" and key[2] == 37 and key[4] == 1):
        found = times[key]

        def more(operation):
            other = times.get((operation, *key[1:]), {}).get("homolog")
            return f"{100 * (other / found['homolog'] - 1):+.1f} %" if other else ""
        cells = [f"{found[rival]:.0f}" if rival in found else "" for rival in ("homolog_bf16", *rivals)]
        share = f"{100 * shares[key]:.0f} %" if key in shares else ""
        lines.append(f"| {key[1]}, 37x37, {key[3]} | {found['homolog']:.0f} | {share} | " + " | ".join(cells) +
                     f" | {more('window')} | {more('soft')} |")
    return lines


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


context, times, shares = read(folder / "matching.json")
dense = [share for key, share in shares.items() if key[0] == "argmax" and key[3] >= 96 and key[4] == 1]
lines = [
    f"Measured on {context['num_cpus']} cores of {processor()}, FMA peak of one core {float(context['fma_peak_gflops']):.0f} GFLOP/s "
    "in the same process.", "",
    "**Matching float32 features**: time of the rival over ours, medians of interleaved repetitions.", "", *ratio_table(times), "",
    f"One thread, N >= 96: {100 * statistics.median(dense):.0f} % of the FMA peak in the median of {len(dense)} shapes, "
    f"{100 * min(dense):.0f} to {100 * max(dense):.0f} %." if dense else "", "",
    "**Microseconds on one thread**, 37x37 cells; the last columns are what window and global soft-argmax add to ours.", "",
    *time_table(times, shares), "",
    "**A training step** with the frozen blocks' output kept (k = 1 of 12 blocks), and computed anew:", "", "```",
    (folder / "training_step.txt").read_text().strip(), "```"]
before, rest = page.read_text().split("<!-- results: begin -->")
after = rest.split("<!-- results: end -->")[1]
page.write_text(f"{before}<!-- results: begin -->\n" + "\n".join(lines) + f"\n<!-- results: end -->{after}")
print("\n".join(lines))
