#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every C++ block of README.md and docs/, and checks that every link there leads to a
file, or a heading of one, and every option in a command of the tool exists.

    code_blocks.py [--torch LIBTORCH] [--homolog TOOL] COMPILER...

Each block becomes a namespace of one source, which includes all headers a block may need. A block of
statements is put into a function; one with a type, a function or a law macro stays as it is.
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/gates"))
from headers import command, warnings  # noqa: E402

HEAD = """#include <torch/torch.h>
#undef CHECK
#undef CHECK_EQ
#undef CHECK_NE
#undef CHECK_LT
#undef CHECK_LE
#undef CHECK_GT
#undef CHECK_GE
#include <doctest/doctest.h>
#include <cstdio>
#include <fstream>
#include <homolog/homolog.hpp>
#include <homolog/interop/opencv.hpp>
#include <homolog/interop/torch.hpp>
#include <homolog/testing/doctest.hpp>
#include <homolog/train/finetune.hpp>
#include <homolog/train/losses.hpp>
"""


def pages():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page, language):
    """(line of the first code line, code) of each block in a language."""
    found, code, first = [], None, 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if code is None and line.strip() == f"```{language}":
            code, first = [], number + 1
        elif code is not None and line.strip() == "```":
            found.append((first, "\n".join(code)))
            code = None
        elif code is not None:
            code.append(line)
    return found


def as_source(page, first, code, index):
    includes = re.findall(r"^#include .*$", code, re.M)
    body = re.sub(r"^#include .*$", "", code, flags=re.M)
    body = re.sub(r"^int main(\(.*\))", r"void program\1; void program\1", body, flags=re.M)
    declares = re.search(r"^(struct |void program|HOMOLOG_TEST_)", body, re.M)
    if not declares:
        body = f"void block();\nvoid block() {{\n#line {first} \"{page.relative_to(ROOT)}\"\n{body}\n}}"
    return includes, f"namespace block_{index} {{\n#line {first} \"{page.relative_to(ROOT)}\"\n{body}\n}}\n"


def compile_blocks(compilers, torch):
    includes, bodies = [], []
    for page in pages():
        for first, code in blocks(page, "cpp"):
            more, body = as_source(page, first, code, len(bodies))
            includes += more
            bodies.append(body)
    source = HEAD + "\n".join(dict.fromkeys(includes)) + "\n" + "\n".join(bodies)
    failures = 0
    for compiler in compilers:
        # Examples name what they do not use, and narrow where it is plain.
        quiet = ["-Wno-unused-variable", "-Wno-unused-but-set-variable", "-Wno-shadow",
                 "-Wno-unused-function", "-Wno-conversion", "-Wno-double-promotion"]
        result = subprocess.run(command(compiler, torch, "-fsyntax-only", *warnings(compiler), *quiet),
                                input=source, capture_output=True, text=True)
        if result.returncode:
            failures += 1
            print(f"== {compiler}:\n{result.stderr[:4000]}")
    print(f"{len(bodies)} C++ blocks with {', '.join(compilers)}: {failures} failures")
    return failures if bodies else 1


def headings(page):
    """The anchors of a page's headings, as GitHub and MkDocs write them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    words = (re.sub(r"[^\w\s-]", "", line).strip().lower() for line in re.findall(r"^#+ (.*)$", text, re.M))
    return {re.sub(r"[-\s]+", "-", line) for line in words}


def check_links():
    failures = 0
    for page in pages():
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text(encoding="utf-8")):
            file = page.parent / target if target else page
            if target.startswith("http"):
                continue
            if not file.exists():
                print(f"{page.relative_to(ROOT)}: no such file: {target}")
                failures += 1
            elif anchor and anchor not in headings(file):
                print(f"{page.relative_to(ROOT)}: no such heading: {target}#{anchor}")
                failures += 1
    return failures


def check_options(tool):
    """Long options of `homolog SUBCOMMAND ...` in shell blocks are in that subcommand's help."""
    failures, checked, helps = 0, 0, {}
    for page in pages():
        for _, code in blocks(page, "sh"):
            for line in code.replace("\\\n", " ").splitlines():
                words = re.match(r"(?:\S*/)?homolog (\w+)(.*)", line.split("#")[0].strip())
                if not words:
                    continue
                name, rest = words.groups()
                if name not in helps:
                    helps[name] = subprocess.run([tool, name, "--help"], capture_output=True,
                                                 text=True).stdout
                for option in re.findall(r"--[a-z][a-z-]*", rest):
                    checked += 1
                    if option not in helps[name]:
                        print(f"{page.relative_to(ROOT)}: homolog {name} has no {option}")
                        failures += 1
    print(f"{checked} options of the tool in docs: {failures} unknown")
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("compilers", nargs="+")
    parser.add_argument("--torch")
    parser.add_argument("--homolog")
    arguments = parser.parse_args()
    failures = compile_blocks(arguments.compilers, arguments.torch) + check_links()
    if arguments.homolog:
        failures += check_options(arguments.homolog)
    else:
        print("[skipped] the tool is not built yet: its options in docs are not looked up")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
