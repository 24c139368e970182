#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seconds and peak memory of one forward, next to the `transformers` package on the same weights.

usage: backbone_forward.py BACKBONE_FORWARD [--models NAME[@HxW] ...] [--dtypes float32 bfloat16]
                           [--attention sdpa|eager] [--device cpu|cuda] [--batch 1]
                           [--repeats 5] [--threads 2]
                           [--output FILE.json] [--markdown FILE.md]

Each side is a process of its own that loads the weights once and then runs on request, so that
both can take turns: what else the machine does falls on both alike. The ratio is the median over
the pairs of turns. Models too large for two processes run one after the other; their ratio is that
of the medians. Peak memory is the most that was resident from start to end, loading and the mapped
weights file included, for transformers also its interpreter.

On a CUDA device peak memory is still the host's. Weights and input lie there before the clock
starts, a run ends when the device is done, and float32 is computed without TF32 on both sides.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "parity"))
sys.dont_write_bytecode = True  # the source tree stays as it is
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # everything is made here

DEFAULT_MODELS = ["dinov2_vitb14@518x518", "dinov2_vitb14_reg@224x224", "dinov3_vitl16@512x512",
                  "dinov3_vitl16@480x640", "sam_vit_l@1024x1024"]
RATIO_BOUND = 1.05  # seconds, ours over theirs
WARM_UPS = {"cpu": 1, "cuda": 10}  # a GPU raises its clocks only under load
TOGETHER_LIMIT = 3e9  # bytes of weights with which both processes may be alive at once


def save(arguments):
    """Writes a model's weights in one dtype; a process of its own gives its memory back."""
    import models
    import torch
    import transformers
    name, dtype, folder = arguments
    transformers.utils.logging.disable_progress_bar()
    built = models.build(models.model_named(name)).to(getattr(torch, dtype))
    built.save_pretrained(folder, max_shard_size="1TB")


def save_input(arguments):
    import models
    import safetensors.torch
    name, height, width, path = arguments
    pixels = models.random_input(models.model_named(name), (int(height), int(width)))
    safetensors.torch.save_file({"input": pixels}, path)


def worker(arguments):
    """The transformers side of the protocol that BACKBONE_FORWARD speaks."""
    import models
    import safetensors.torch
    import torch
    import transformers
    name, folder, input_path, dtype, threads, attention, device, batch = arguments
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(int(threads))
    if device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    model_class = models.classes(models.model_named(name))[1]
    dtype = getattr(torch, dtype)
    model = model_class.from_pretrained(folder, dtype=dtype, attn_implementation=attention).eval()
    model.to(device)
    pixels = safetensors.torch.load_file(input_path)["input"].to(device, dtype)
    if int(batch) > 1:
        pixels = pixels.repeat(int(batch), 1, 1, 1)
    print("ready", flush=True)
    with torch.inference_mode():
        for line in sys.stdin:
            assert line == "run\n", line
            start = time.perf_counter()
            output = model(pixels).last_hidden_state
            if device == "cuda":
                torch.cuda.synchronize()
            seconds = time.perf_counter() - start
            del output
            print(f"seconds {seconds:.6f}", flush=True)
    with open("/proc/self/status", encoding="ascii") as status:
        print("peak_kb", next(line.split()[1] for line in status if line.startswith("VmHWM")))


class Runner:
    """One side: a child process that is ready to run."""

    def __init__(self, command):
        self.command = command
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True)
        self.answer("ready")

    def answer(self, word):
        line = self.child.stdout.readline().split()
        if not line or line[0] != word:
            self.child.kill()
            sys.exit(f"{self.command[0]}: said {' '.join(line)!r}, expected {word}")
        return line[1] if len(line) > 1 else None

    def run(self):
        self.child.stdin.write("run\n")
        self.child.stdin.flush()
        return float(self.answer("seconds"))

    def finish(self):
        """Ends the process; its peak memory in MB."""
        self.child.stdin.close()
        peak = int(self.answer("peak_kb")) * 1024 / 1e6
        if self.child.wait() != 0:
            sys.exit(f"{self.command[0]}: ended with status {self.child.returncode}")
        return peak


def measure_together(commands, repeats, warm_ups):
    runners = [Runner(command) for command in commands]
    for runner in runners:
        for _ in range(warm_ups):
            runner.run()
    seconds = [[], []]
    for repeat in range(repeats):
        for side in (0, 1) if repeat % 2 == 0 else (1, 0):
            seconds[side].append(runners[side].run())
    return seconds, [runner.finish() for runner in runners]


def measure_apart(commands, repeats, warm_ups):
    seconds, peaks = [], []
    for command in commands:
        runner = Runner(command)
        for _ in range(warm_ups):
            runner.run()
        seconds.append([runner.run() for _ in range(repeats)])
        peaks.append(runner.finish())
    return seconds, peaks


def measure(options, name, size, dtype, folder, input_path):
    weights = f"{folder}/model.safetensors"
    threads, batch = str(options.threads), str(options.batch)
    commands = [
        [options.backbone_forward, "--weights", weights, "--input", input_path, "--dtype", dtype,
         "--threads", threads, "--device", options.device, "--batch", batch],
        [sys.executable, __file__, "--worker", name, folder, input_path, dtype, threads,
         options.attention, options.device, batch]]
    together = os.path.getsize(weights) < TOGETHER_LIMIT
    if not together:
        print(f"{name} {dtype}: too large for both at once, so one after the other", flush=True)
    seconds, peaks = (measure_together if together else measure_apart)(
        commands, options.repeats, WARM_UPS[options.device])
    medians = [statistics.median(side) for side in seconds]
    ratio = (statistics.median(ours / theirs for ours, theirs in zip(*seconds)) if together
             else medians[0] / medians[1])
    return {"model": name, "input": f"{size[0]}x{size[1]}", "dtype": dtype,
            "attention": options.attention, "device": options.device_name,
            "batch": options.batch, "interleaved": together,
            "seconds_homolog": medians[0], "seconds_transformers": medians[1],
            "ratio": ratio, "ratio_bound": RATIO_BOUND,
            "peak_mb_homolog": peaks[0], "peak_mb_transformers": peaks[1],
            "runs": {"homolog": seconds[0], "transformers": seconds[1]}}


def markdown(rows):
    # The usual table, one picture on the CPU, needs neither column.
    usual = all(row["device"] == "cpu" and row["batch"] == 1 for row in rows)
    digits = 3 if usual else 5
    lines = [f"| model | input | dtype | attention {'' if usual else '| device | batch '}"
             f"| s homolog | s transformers "
             f"| ratio (bound {RATIO_BOUND}) | peak MB homolog | peak MB transformers |",
             "|---|---|---|---|---|---|---|---|---|" + ("" if usual else "---|---|")]
    for row in rows:
        where = "" if usual else f"| {row['device']} | {row['batch']} "
        lines.append(f"| {row['model']} | {row['input']} | {row['dtype']} | {row['attention']} "
                     f"{where}| {row['seconds_homolog']:.{digits}f} "
                     f"| {row['seconds_transformers']:.{digits}f} "
                     f"| {row['ratio']:.3f}{'' if row['ratio'] <= RATIO_BOUND else ' (over)'} "
                     f"| {row['peak_mb_homolog']:.0f} | {row['peak_mb_transformers']:.0f} |")
    return "\n".join(lines) + "\n"


def cases(names):
    """Model name to input sizes, in the order given; without a size all of the parity table's."""
    import models
    chosen = {}
    for entry in names:
        name, _, size = entry.partition("@")
        model = models.model_named(name)
        sizes = chosen.setdefault(name, [])
        if size:
            try:
                height, width = map(int, size.split("x"))
            except ValueError:
                sys.exit(f"'{entry}': expected NAME or NAME@HEIGHTxWIDTH")
            sizes.append((height, width))
        else:
            sizes.extend(model.sizes + model.full_sizes)
    return chosen


def own(*arguments):
    subprocess.run([sys.executable, __file__, *arguments], check=True)


def main():
    for flag, part in (("--worker", worker), ("--save", save), ("--save-input", save_input)):
        if sys.argv[1:2] == [flag]:
            return part(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backbone_forward", metavar="BACKBONE_FORWARD")
    parser.add_argument("--models", nargs="+", metavar="NAME[@HxW]", default=DEFAULT_MODELS)
    parser.add_argument("--dtypes", nargs="+", metavar="DTYPE", default=["float32", "bfloat16"],
                        choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--attention", choices=["sdpa", "eager"], default="sdpa",
                        help="of transformers")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--batch", type=int, default=1, metavar="N",
                        help="the input so many times in one forward")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", metavar="FILE", help="write the result as JSON")
    parser.add_argument("--markdown", metavar="FILE", help="write the table")
    options = parser.parse_args()
    try:
        import torch
        import transformers
    except (ImportError, OSError) as reason:
        print(f"[skipped] transformers cannot be imported here: {reason}")
        return 0
    if options.device == "cuda" and not torch.cuda.is_available():
        print("[skipped] no CUDA device here")
        return 0
    options.device_name = torch.cuda.get_device_name() if options.device == "cuda" else "cpu"

    rows = []
    for name, sizes in cases(options.models).items():
        with tempfile.TemporaryDirectory() as folder:
            for dtype in options.dtypes:
                own("--save", name, dtype, f"{folder}/{dtype}")
                for size in sizes:
                    input_path = f"{folder}/input.safetensors"
                    own("--save-input", name, *map(str, size), input_path)
                    rows.append(measure(options, name, size, dtype, f"{folder}/{dtype}",
                                        input_path))
                    print(markdown(rows[-1:]).splitlines()[-1], flush=True)
    print("\n" + markdown(rows), end="")
    if options.markdown:
        pathlib.Path(options.markdown).write_text(markdown(rows), encoding="utf-8")
    if options.output:
        result = {"torch": torch.__version__, "transformers": transformers.__version__,
                  "threads": options.threads, "repeats": options.repeats, "rows": rows}
        pathlib.Path(options.output).write_text(json.dumps(result, indent=2) + "\n",
                                                encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
