#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every header alone, with every compiler, without a warning; holds the headers of
homolog::core to their room and to their time.

    headers.py [--torch LIBTORCH] [--times FILE.csv] [--markdown FILE.md] COMPILER...

A header is included twice in an otherwise empty source. With further compilers all stand in one
source, and those of homolog::core alone as well, in the compiled mode, without their bodies. With
the first, so do the other headers that leave bodies to a file, and each of these files. Headers of
homolog::core are compiled without LibTorch on the path, must not reach nlohmann-json, and with the
first compiler may take at most 1.75 times the time of <Eigen/Core> alone, measured in turns with
it. Headers that reach <torch/types.h> by themselves find it precompiled, so their time is what they
add to it.
benchmarks/put_results.py puts the Markdown into docs/reference/compile_time.md.
"""
import argparse
import concurrent.futures
import csv
import functools
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include"
SURROUNDINGS = ROOT / "tests" / "surroundings"  # what users may turn on, one option a line
WARNINGS = [f"@{SURROUNDINGS}/warnings.txt", "-Werror"]
GCC_WARNINGS = [f"@{SURROUNDINGS}/warnings_of_gcc.txt"]
MOST = 1.75  # times Eigen/Core
REQUIREMENTS = "homolog/core/detail/requirements.hpp"
PRECOMPILED = "#include <torch/types.h>\n"
# (component, expression over a header's path), the first that matches counts.
RULES = re.findall(r"header_rules (\w+) \[\[(.*)\]\]\)",
                   (ROOT / "cmake/homolog_headers.cmake").read_text(encoding="utf-8"))
# What a header needs besides Eigen and stb, found in the places of Debian's packages.
SYSTEM_FOLDERS = ["/usr/include/eigen3", "/usr/include/stb", "/usr/include/opencv4"]


def component(header):
    """Of the targets homolog::core, homolog::datasets and so on, the one that brings the header."""
    header = re.sub(r"detail/([a-z0-9_]+)_inl\.hpp$", r"\1.hpp", header)
    return next(name for name, expression in RULES if re.search(expression, header))


def source_of(header):
    before = {"testing/doctest.hpp": "#include <doctest/doctest.h>\n"}.get(header, "")
    line = f'#include "homolog/{header}"\n'
    return before + line + line


def command(compiler, torch, *options, language="c++", source="-"):
    folders = [folder for folder in SYSTEM_FOLDERS if os.path.isdir(folder)]
    if torch:
        folders += [f"{torch}/include", f"{torch}/include/torch/csrc/api/include"]
    # Compilers search /usr/include by themselves, last; earlier it would hide the C++ library's own.
    folders = [folder for folder in folders if folder != "/usr/include"]
    system = [part for folder in folders for part in ("-isystem", folder)]
    return [compiler, "-std=c++20", "-x", language, "-I", str(INCLUDE), *system,
            "-DUSE_C10D_GLOO", *options, source]


def warnings(compiler):
    # LibTorch's macros, expanded in our code, are its own business.
    if "clang" in compiler:
        return WARNINGS + ["-Wno-gnu-zero-variadic-macro-arguments"]
    return WARNINGS + GCC_WARNINGS


def run(line, source):
    """The compiler's first words where it refuses or warns, else nothing; and processor seconds."""
    with tempfile.TemporaryFile("w+") as text, tempfile.TemporaryFile("w+") as messages:
        text.write(source)
        text.seek(0)
        child = subprocess.Popen(line, stdin=text, stdout=subprocess.DEVNULL, stderr=messages)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        messages.seek(0)
        words = messages.read(3000) or f"exit status {child.returncode}"
        return words if child.returncode else "", usage.ru_utime + usage.ru_stime


def outside_version_namespace():
    """Lines that open homolog's namespace, but not the inline one that version.hpp's numbers name."""
    numbers = re.findall(r"define HOMOLOG_VERSION_M\w+ (\d+)",
                         (INCLUDE / "homolog/version.hpp").read_text(encoding="utf-8"))
    wanted = f"namespace homolog::inline v{'_'.join(numbers)}"
    for path in sorted(INCLUDE.rglob("*.[hc]*")):
        for line in re.findall(r"^namespace homolog.*", path.read_text(encoding="utf-8"), re.M):
            if not re.match(rf"{wanted}(::\w+)* {{$", line):
                yield f"{path.relative_to(INCLUDE)}: '{line}', expected '{wanted}'"


def body_of(header):
    """The file that a header leaves bodies to."""
    folder, _, name = header.rpartition("/")
    return f"{folder}/detail/".lstrip("/") + name.replace(".hpp", "_inl.hpp")


@functools.cache
def included(header):
    """What a header's own lines include."""
    return re.findall(r'^ *# *include [<"]([^>"]+)[>"]',
                      (INCLUDE / "homolog" / header).read_text(encoding="utf-8"), re.M)


def reaches(header, wanted):
    """Whether a header, or one of homolog's headers that it reaches, includes `wanted`."""
    seen, todo = set(), [header]
    while todo:
        names = included(todo.pop())
        if wanted in names:
            return True
        own = {name.removeprefix("homolog/") for name in names if name.startswith("homolog/")}
        todo += own - seen
        seen |= own
    return False


def precompile(compiler, torch, folder):
    """Path to include in place of <torch/types.h>."""
    path = pathlib.Path(folder) / "torch_types.hpp"
    path.write_text(PRECOMPILED, encoding="utf-8")
    # With the warnings, as -Wpedantic changes what is defined, and GCC then takes no such file.
    error, _ = run(command(compiler, torch, *warnings(compiler), "-o", f"{path}.gch",
                           language="c++-header", source=str(path)), "")
    if error:
        sys.exit(f"<torch/types.h> cannot be precompiled:\n{error}")
    path.write_text('#error "the precompiled file was not taken"\n', encoding="utf-8")
    return str(path)


def check(compiler, headers, torch, precompiled=None, compiled_mode=False):
    options = ["-fsyntax-only", *warnings(compiler), *["-DHOMOLOG_COMPILED"] * compiled_mode]
    if precompiled:
        options += ["-include", precompiled]
    return run(command(compiler, torch, *options), "".join(map(source_of, headers)))


def measure(compiler, header):
    """Compiles a header of homolog::core in turns with <Eigen/Core>, until the median turn is within
    the bound, at most 15 times. Errors; seconds; and the median turn's ratio."""
    own, ratios = [], []
    with tempfile.NamedTemporaryFile("r") as reached:
        line = command(compiler, None, "-fsyntax-only", *warnings(compiler), "-MD", "-MF",
                       reached.name)
        while not own or (statistics.median(ratios) > MOST and len(own) < 15):
            eigen = run(line, "#include <Eigen/Core>\n")[1]
            error, seconds = run(line, source_of(header))
            if error:
                return error, seconds, 0
            own.append(seconds)
            ratios.append(seconds / eigen)
        if "/nlohmann/" in reached.read():
            error = "belongs to homolog::core and includes nlohmann-json"
    return error, statistics.median(own), statistics.median(ratios)


def write_markdown(path, core, others, on_torch, eigen, torch):
    def table(head, rows):
        return ["", f"| {head} | times Eigen/Core | s |", "|---|---|---|",
                *(f"| `{header}` | {ratio:.2f} | {own:.2f} |" for header, ratio, own in rows)]

    lines = [f"`<Eigen/Core>` alone: {eigen:.2f} s; `<torch/types.h>` alone: {torch:.1f} s."]
    lines += table("header of `homolog::core`", core)
    lines += table("other header, nothing precompiled", others)
    lines += table("header on LibTorch: what it adds to `<torch/types.h>`", on_torch)
    pathlib.Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("compilers", nargs="+")
    parser.add_argument("--torch", required=True, help="folder with LibTorch's include/")
    parser.add_argument("--times", help="CSV to write")
    parser.add_argument("--markdown", help="the times as tables")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    everything = sorted(str(path.relative_to(INCLUDE / "homolog"))
                        for path in (INCLUDE / "homolog").rglob("*.hpp"))
    bodies = [header for header in everything if header.endswith("_inl.hpp")]
    headers = [header for header in everything if header not in bodies]
    core = [header for header in headers
            if component(header) == "core" or header == "testing/doctest.hpp"]
    rest = [header for header in headers if header not in core]
    on_torch = [header for header in rest if reaches(header, "torch/types.h")]
    first, *further = arguments.compilers
    failures = [*outside_version_namespace(), *(
        f"{header}: does not reach {REQUIREMENTS}" for header in headers
        if f"homolog/{header}" != REQUIREMENTS and not reaches(header, REQUIREMENTS))]

    with (concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool,
          tempfile.TemporaryDirectory() as folder):
        # The longest first.
        every = [header for header in headers if header != "testing/doctest.hpp"]
        together = {
            f"{len(every)} headers, {compiler}": pool.submit(check, compiler, every, arguments.torch)
            for compiler in further}
        torch_alone = pool.submit(run, command(first, arguments.torch, "-fsyntax-only"),
                                  PRECOMPILED)
        precompiled = pool.submit(precompile, first, arguments.torch, folder).result()
        alone = {header: pool.submit(check, first, (header,), arguments.torch,
                                     precompiled if header in on_torch else None)
                 for header in rest}
        measured = {header: pool.submit(measure, first, header) for header in core}
        checked = {
            (header, compiler): pool.submit(check, compiler, (header,), arguments.torch, None, True)
            for header in core for compiler in further}
        # What is compiled once may include what it likes, but must not rely on its neighbours.
        checked |= {
            (header, first): pool.submit(check, first, (header,), arguments.torch,
                                         precompiled if reaches(header, "torch/types.h") else None,
                                         True)
            for header in (*bodies, *(header for header in rest if body_of(header) in bodies))}
        for what, job in together.items():
            if job.result()[0]:
                failures.append(f"{what}:\n{job.result()[0]}")
        for header, job in (alone | measured).items():
            if job.result()[0]:
                failures.append(f"{header}, {first}:\n{job.result()[0]}")
        for (header, compiler), job in checked.items():
            if job.result()[0]:
                failures.append(f"{header} in the compiled mode, {compiler}:\n{job.result()[0]}")

    eigen = statistics.median(own / ratio for _, own, ratio in
                              (job.result() for job in measured.values()) if ratio)

    def slowest_first(rows):
        return sorted(rows, key=lambda row: -row[1])

    core_rows = slowest_first((header, job.result()[2], job.result()[1])
                              for header, job in measured.items())
    failures += [f"{header}: more than {MOST:g} times <Eigen/Core>"
                 for header, ratio, _ in core_rows if ratio > MOST]
    rows = [(header, job.result()[1] / eigen, job.result()[1]) for header, job in alone.items()]
    others = slowest_first(row for row in rows if row[0] not in on_torch)
    torch_rows = slowest_first(row for row in rows if row[0] in on_torch)

    for title, table in ((f"homolog::core, at most {MOST:g} times", core_rows),
                         ("others, nothing precompiled", others),
                         ("others, what they add to <torch/types.h>", torch_rows)):
        print(f"{title}:")
        for header, ratio, own in table:
            print(f"  {ratio:5.2f}x {own:6.2f} s  {header}")
    torch_seconds = torch_alone.result()[1]
    print(f"processor seconds of each header alone, {first}; <Eigen/Core>: {eigen:.2f} s, "
          f"<torch/types.h>: {torch_seconds:.1f} s")
    for failure in failures:
        print(f"== {failure}")
    print(f"{len(headers)} headers and {len(bodies)} of bodies alone with {first}; all headers together, and "
          f"{len(core)} alone in the compiled mode, with {', '.join(further) or 'no other'}: {len(failures)} failures")
    if arguments.times:
        with open(arguments.times, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["header", "precompiled", "times_eigen_core", "seconds"])
            for table, before in ((core_rows, ""), (others, ""), (torch_rows, "torch/types.h")):
                writer.writerows((header, before, f"{ratio:.2f}", f"{own:.2f}")
                                 for header, ratio, own in table)
    if arguments.markdown:
        write_markdown(arguments.markdown, core_rows, others, torch_rows, eigen, torch_seconds)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
