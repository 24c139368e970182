#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every header alone, with every compiler, without a warning; holds the headers of
homolog::core to their room and to their time.

    headers.py [--torch LIBTORCH] [--times FILE.csv] [--markdown FILE.md] COMPILER...

A header is included twice in an otherwise empty source. With further compilers that is done for
homolog::core; the rest, up to 20 s each, stands in one source. Headers of homolog::core must not
reach LibTorch or nlohmann-json, and with the first compiler may take at most twice the time of
<Eigen/Core> alone, measured in the same run. benchmarks/put_results.py puts the Markdown into
docs/compile_time.md.
"""
import argparse
import concurrent.futures
import csv
import os
import pathlib
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


def compile_alone(line, source):
    """Exit status, messages and processor seconds of one compiler run."""
    with tempfile.TemporaryFile("w+") as text, tempfile.TemporaryFile("w+") as messages:
        text.write(source)
        text.seek(0)
        child = subprocess.Popen(line, stdin=text, stdout=subprocess.DEVNULL, stderr=messages)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        messages.seek(0)
        return child.returncode, messages.read(3000), usage.ru_utime + usage.ru_stime


def check(compiler, headers, torch):
    """The compiler's first words where it refuses or warns, else nothing; and its seconds."""
    options = list(WARNINGS)
    if "clang" in compiler:
        # LibTorch's macros, expanded in our code, are its own business.
        options.append("-Wno-gnu-zero-variadic-macro-arguments")
    status, messages, seconds = compile_alone(command(compiler, torch, *options),
                                              "".join(map(source_of, headers)))
    return messages or f"exit status {status}" if status else "", seconds


def reached(compiler, header):
    """Folders of LibTorch or JSON that a header includes, without LibTorch on the path."""
    result = subprocess.run(command(compiler, None, "-M"), input=source_of(header),
                            capture_output=True, text=True)
    return [word for word in ("nlohmann/", "torch/", "ATen/", "c10/")
            if f"/{word}" in result.stdout]


def seconds_without_torch(compiler, source):
    """Fails where LibTorch's headers would be needed."""
    status, messages, seconds = compile_alone(command(compiler, None), source)
    if status:
        sys.exit(f"without LibTorch on its path, {compiler} refuses\n{source}{messages}")
    return seconds


def measure(compiler, headers):
    """Times of Eigen/Core and processor seconds of each header, the least of turns that alternate
    with Eigen/Core: one turn, up to five where that is above the bound."""
    rows = []
    for header in headers:
        own, eigen = [], []
        while not own or (min(own) > MOST * min(eigen) and len(own) < 5):
            eigen.append(seconds_without_torch(compiler, "#include <Eigen/Core>\n"))
            own.append(seconds_without_torch(compiler, source_of(header)))
        rows.append((header, min(own) / min(eigen), min(own), min(eigen)))
    return rows


def write_markdown(path, bound, others, eigen):
    lines = [f"`<Eigen/Core>` alone: {eigen:.2f} s.", "",
             "| header of `homolog::core` | times Eigen/Core | s |", "|---|---|---|"]
    lines += [f"| `{header}` | {ratio:.2f} | {own:.2f} |" for header, ratio, own, _ in bound]
    lines += ["", "| other header | times Eigen/Core | s |", "|---|---|---|"]
    lines += [f"| `{header}` | {own / eigen:.1f} | {own:.1f} |" for header, own in others]
    pathlib.Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("compilers", nargs="+")
    parser.add_argument("--torch", help="folder with LibTorch's include/")
    parser.add_argument("--times", help="CSV to write")
    parser.add_argument("--markdown", help="the times as tables")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    headers = sorted(str(path.relative_to(INCLUDE / "homolog"))
                     for path in (INCLUDE / "homolog").rglob("*.hpp"))
    core = [header for header in headers if component(header) == "core"]
    first = arguments.compilers[0]
    failures = 0

    for header in core:
        for word in reached(first, header):
            print(f"{header}: belongs to homolog::core and includes {word}")
            failures += 1

    rest = [header for header in headers if header not in core]
    jobs = [(first, (header,)) for header in headers]
    for compiler in arguments.compilers[1:]:
        jobs += [(compiler, rest), *((compiler, (header,)) for header in core)]
    others = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = pool.map(lambda job: check(*job, arguments.torch), jobs)
        for (compiler, together), (error, seconds) in zip(jobs, results):
            name = together[0] if len(together) == 1 else f"{len(together)} headers"
            if error:
                failures += 1
                print(f"== {name}, {compiler}:\n{error}")
            if compiler == first and name not in core:
                others.append((name, seconds))
    print(f"{len(headers)} headers alone with {first}; {len(core)} alone and the rest together with "
          f"{', '.join(arguments.compilers[1:]) or 'no other'}: {failures} failures")

    bound = sorted(measure(first, core), key=lambda row: -row[1])
    others.sort(key=lambda row: -row[1])
    eigen = statistics.median(row[3] for row in bound)
    print(f"\nprocessor seconds of each header alone, {first}; <Eigen/Core>: {eigen:.2f} s")
    for header, own in others:
        print(f"  {own / eigen:5.1f}x {own:6.2f} s  {header}")
    print(f"homolog::core, at most {MOST:g} times:")
    for header, ratio, own, _ in bound:
        print(f"  {ratio:5.2f}x {own:6.2f} s  {header}")
        if ratio > MOST:
            print(f"         more than {MOST:g} times Eigen/Core")
            failures += 1
    if arguments.times:
        with open(arguments.times, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["header", "times_eigen_core", "seconds"])
            writer.writerows((header, f"{own / eigen:.2f}", f"{own:.2f}") for header, own in others)
            writer.writerows((header, f"{ratio:.2f}", f"{own:.2f}")
                             for header, ratio, own, _ in bound)
    if arguments.markdown:
        write_markdown(arguments.markdown, bound, others, eigen)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
