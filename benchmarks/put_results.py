#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts a file between a page's two comment lines, in place of what stands there.

usage: put_results.py FILE PAGE
"""
import pathlib
import sys

results, page = map(pathlib.Path, sys.argv[1:])
before, rest = page.read_text(encoding="utf-8").split("<!-- results: begin -->\n")
after = rest.split("<!-- results: end -->")[1]
text = results.read_text(encoding="utf-8").strip()
page.write_text(f"{before}<!-- results: begin -->\n{text}\n<!-- results: end -->{after}",
                encoding="utf-8")
