# SPDX-License-Identifier: Apache-2.0
"""Compares what kernel_answers printed on two processors: lines `exact` by their bits, values of
lines `near` to 1e-6 of their size or of 1.
  python3 compare_answers.py FIRST SECOND
"""
import sys


def lines(path):
    with open(path, encoding="utf-8") as file:
        head, *rest = file.read().splitlines()
    return head.removeprefix("instruction set "), rest


(first_set, first), (second_set, second) = map(lines, sys.argv[1:3])
names = [line.split(":")[0] for line in first]
if names != [line.split(":")[0] for line in second] or sum(n.startswith("exact ") for n in names) < 10:
    sys.exit(f"{first_set} and {second_set} answer different questions, or too few: {names}")
different, worst, same, near = [], 0.0, 0, 0
for name, a, b in zip(names, first, second):
    if name.startswith("exact "):
        same += int(a.split(": ")[1].split()[0])
        if a != b:
            different.append(f"{a}\n{b}")
        continue
    pairs = [(float(x), float(y)) for x, y in zip(a.split(":")[1].split(), b.split(":")[1].split(), strict=True)]
    near += len(pairs)
    for x, y in pairs:
        error = abs(x - y) / max(abs(x), 1)
        worst = max(worst, error)
        if not error <= 1e-6:
            different.append(f"{name}: {x} and {y}")
if different:
    sys.exit(f"{first_set} and {second_set} differ:\n" + "\n".join(different[:20]))
print(f"{second_set} gives the bits of {first_set} in {same} values of {sum(n.startswith('exact ') for n in names)} "
      f"kinds; {near} others differ by {worst:.1g} at most")
