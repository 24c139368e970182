#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every header alone, with every compiler, without a warning; holds the headers of
homolog::core to their room and to their time.

    headers.py [--torch LIBTORCH] [--times FILE.csv] COMPILER...

A header is included twice in an otherwise empty source. Those of homolog::core must not reach
LibTorch or nlohmann-json, and with the first compiler may take at most twice the time of
<Eigen/Core> alone, measured in the same run.
"""
import argparse
import concurrent.futures
import csv
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
MOST = 2.0  # times Eigen/Core
CORE_ROOMS = ("core", "kernels", "matchers", "metrics", "images", "testing")
CORE_HEADERS = (
    "version.hpp",
    "backbones/any_backbone.hpp",
    "backbones/synthetic.hpp",
    "pipeline/feature_store.hpp",
    "pipeline/pipeline.hpp",
    "visualization/draw_matches.hpp",
)
# What a header needs besides Eigen and stb, found in the places of Debian's packages.
SYSTEM_FOLDERS = ["/usr/include/eigen3", "/usr/include/stb", "/usr/include/opencv4"]


def component(header):
    """homolog::core or not; JSON and the data sets are homolog::datasets."""
    if header in CORE_HEADERS:
        return "core"
    if header.split("/")[0] in CORE_ROOMS and header != "core/detail/strict_json.hpp":
        return "core"
    return ""


def source_of(header):
    before = {"testing/doctest.hpp": "#include <doctest/doctest.h>\n"}.get(header, "")
    line = f'#include "homolog/{header}"\n'
    return before + line + line


def command(compiler, torch, *options):
    folders = [folder for folder in SYSTEM_FOLDERS if os.path.isdir(folder)]
    if torch:
        folders += [f"{torch}/include", f"{torch}/include/torch/csrc/api/include"]
    system = [part for folder in folders for part in ("-isystem", folder)]
    return [compiler, "-std=c++20", "-fsyntax-only", "-x", "c++", "-I", str(INCLUDE), *system,
            "-DUSE_C10D_GLOO", *options, "-"]


def check(compiler, header, torch):
    """The compiler's first words where it refuses or warns, else nothing."""
    options = list(WARNINGS)
    if "clang" in compiler:
        # LibTorch's macros, expanded in our code, are its own business.
        options.append("-Wno-gnu-zero-variadic-macro-arguments")
    result = subprocess.run(command(compiler, torch, *options), input=source_of(header),
                            capture_output=True, text=True)
    return "" if result.returncode == 0 else result.stderr[:3000]


def reached(compiler, header):
    """Folders of LibTorch or JSON that a header includes, without LibTorch on the path."""
    result = subprocess.run(command(compiler, None, "-M"), input=source_of(header),
                            capture_output=True, text=True)
    return [word for word in ("nlohmann/", "torch/", "ATen/", "c10/")
            if f"/{word}" in result.stdout]


def seconds(compiler, source):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command(compiler, None), input=source, text=True, check=True,
                   capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measure(compiler, headers):
    """Processor seconds of each header and of Eigen/Core beside it, the least of several."""
    eigen = "#include <Eigen/Core>\n"
    rows = []
    for header in headers:
        ratios = []
        while not ratios or (min(r[0] for r in ratios) > 0.95 * MOST and len(ratios) < 5):
            reference = seconds(compiler, eigen)
            own = seconds(compiler, source_of(header))
            ratios.append((own / reference, own, reference))
        rows.append((header, *min(ratios)))
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("compilers", nargs="+")
    parser.add_argument("--torch", help="folder with LibTorch's include/")
    parser.add_argument("--times", help="CSV to write")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    headers = sorted(str(path.relative_to(INCLUDE / "homolog"))
                     for path in (INCLUDE / "homolog").rglob("*.hpp"))
    core = [header for header in headers if component(header) == "core"]
    failures = 0

    for header in core:
        for word in reached(arguments.compilers[0], header):
            print(f"{header}: belongs to homolog::core and includes {word}")
            failures += 1

    jobs = [(compiler, header) for header in headers for compiler in arguments.compilers]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = pool.map(lambda job: check(*job, arguments.torch), jobs)
        for (compiler, header), error in zip(jobs, results):
            if error:
                failures += 1
                print(f"== {header} alone, {compiler}:\n{error}")
    print(f"{len(headers)} headers alone with {', '.join(arguments.compilers)}: "
          f"{failures} failures")

    rows = measure(arguments.compilers[0], core)
    rows.sort(key=lambda row: -row[1])
    print(f"\nseconds of homolog::core's headers, {arguments.compilers[0]}, against <Eigen/Core> "
          f"({statistics.median(row[3] for row in rows):.2f} s):")
    for header, ratio, own, _ in rows:
        print(f"  {ratio:5.2f}x {own:6.2f} s  {header}")
        if ratio > MOST:
            print(f"         more than {MOST:g} times Eigen/Core")
            failures += 1
    if arguments.times:
        with open(arguments.times, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["header", "times_eigen_core", "seconds"])
            writer.writerows((header, f"{ratio:.2f}", f"{own:.2f}")
                             for header, ratio, own, _ in rows)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
