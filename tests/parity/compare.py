#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Features of the tool against those of the `transformers` package, on random weights.

usage: compare.py HOMOLOG [--full] [--only NAME ...] [--output FILE.json]

Errors are the largest absolute difference over the standard deviation of the expected tensor, the
worst of patch, class and register tokens; cosines are the smallest over all patches. --full adds
the large models: allow 14 GB of memory and 5 GB of temporary files. --only compares the named
models in all their sizes.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # everything is made here
try:
    import safetensors.torch
    import torch
    import transformers
    from transformers import DINOv3ViTModel, SamVisionModel  # noqa: F401: older releases lack them
except (ImportError, OSError) as reason:
    print(f"[skipped] transformers cannot be imported here: {reason}")
    sys.exit(0)

sys.dont_write_bytecode = True  # the source tree stays as it is
import models

SHARD_SIZE = "20KB"  # small models become several files
HALF_TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Failed(Exception):
    pass


class Comparisons:
    def __init__(self, homolog):
        self.homolog = homolog
        self.rows = []

    def add(self, model, size, what, measure, bound, compute):
        """Prints and keeps one comparison; `compute` gives the value or raises Failed."""
        try:
            value, message = compute(), ""
        except Failed as failure:
            value, message = math.nan, str(failure)
        passed = value > bound if measure == "cosine" else value <= bound
        text = f"{value:.6f}" if measure == "cosine" else f"{value:.1e}"
        print(f"{model.name:27} {size_text(size):9} {what:42} {measure} {text:8} bound {bound:<6g} "
              + ("ok" if passed else "FAILED") + (f": {message}" if message else ""), flush=True)
        self.rows.append({"model": model.name, "size": list(size), "what": what,
                          "measure": measure, "value": value if math.isfinite(value) else None,
                          "bound": bound, "passed": passed, "message": message})

    def run(self, folder, *arguments):
        try:
            result = subprocess.run([self.homolog, *arguments], capture_output=True, text=True,
                                    timeout=3600)
        except subprocess.TimeoutExpired:
            raise Failed("not done within an hour") from None
        if result.returncode != 0:
            lines = result.stderr.strip().splitlines() or ["nothing on stderr"]
            raise Failed(f"status {result.returncode}: "
                         + lines[-1].replace(folder + os.sep, "")[:300])

    def features(self, folder, weights, size, *options):
        output = f"{folder}/features.safetensors"
        self.run(folder, "features", "--weights", f"{folder}/{weights}", "--input",
                 f"{folder}/input_{size_text(size)}.safetensors", "--output", output, *options)
        tensors = safetensors.torch.load_file(output)
        os.remove(output)  # or a later failure to write would pass
        return tensors


def size_text(size):
    return f"{size[0]}x{size[1]}"


def matched(computed, expected):
    """Pairs of tensors of the same name; the names and shapes must be the expected ones."""
    shapes = [{name: list(tensor.shape) for name, tensor in tensors.items()}
              for tensors in (computed, expected)]
    if shapes[0] != shapes[1]:
        raise Failed(f"got {shapes[0]}, expected {shapes[1]}")
    return [(computed[name], expected[name]) for name in expected]


def error(computed, expected):
    errors = [((ours - theirs).abs().max() / theirs.std()).item()
              for ours, theirs in matched(computed, expected)]
    return math.nan if any(map(math.isnan, errors)) else max(errors)


def largest_difference(computed, expected):
    """Zero only for equal bits: equal values of other bits, such as -0, are no number."""
    pairs = matched(computed, expected)
    if all(same_bytes(*pair) for pair in pairs):
        return 0.0
    return max((ours - theirs).abs().max().item() for ours, theirs in pairs) or math.nan


def same_bytes(one, other):
    return torch.equal(one.contiguous().flatten().view(torch.uint8),
                       other.contiguous().flatten().view(torch.uint8))


def smallest_cosine(computed, expected):
    matched(computed, expected)
    return torch.nn.functional.cosine_similarity(
        computed["patch_tokens"].double(), expected["patch_tokens"].double(), dim=-1).min().item()


def tensors_of(model, tokens):
    """Last hidden state or output of a block, under the names the tool uses."""
    if model.family == "sam":
        return {"patch_tokens": tokens}
    prefix = 1 + model.config.get("num_register_tokens", 0)
    tensors = {"patch_tokens": tokens[:, prefix:], "class_token": tokens[:, 0]}
    if prefix > 1:
        tensors["register_tokens"] = tokens[:, 1:prefix]
    return tensors


@torch.no_grad()
def reference(model, built, pixels):
    """Final features and those of the first block, which no norm has touched."""
    outputs = []
    hook = models.first_block(model, built).register_forward_hook(
        lambda module, inputs, output: outputs.append(
            output[0] if isinstance(output, tuple) else output))
    final = models.run(model, built, pixels).last_hidden_state
    hook.remove()
    block = outputs[0]
    if model.family == "sam":  # [B,C,rows,cols] and [B,rows,cols,D]
        final, block = final.flatten(2).transpose(1, 2), block.flatten(1, 2)
    return tensors_of(model, final), tensors_of(model, block)


def write_weights(model, tensors, path):
    """What save_pretrained writes, with the numbers that no published size tells."""
    metadata = {"format": "pt"}
    if not model.published:
        metadata["homolog.heads"] = str(model.heads)
        metadata["homolog.blocks"] = str(model.config["num_hidden_layers"])
    # Loaded tensors may be views of the file that stands at this path.
    safetensors.torch.save_file(tensors, path + ".new", metadata=metadata)
    os.replace(path + ".new", path)


def save_model(model, built, folder):
    built.save_pretrained(folder, max_shard_size="1TB")
    path = f"{folder}/model.safetensors"
    if not model.published:
        write_weights(model, safetensors.torch.load_file(path), path)


def save_shards(model, built, folder):
    built.save_pretrained(folder, max_shard_size=SHARD_SIZE)
    shards = [name for name in os.listdir(folder) if name.endswith(".safetensors")]
    assert len(shards) > 1, "one shard is no sharded file"
    for shard in shards:
        path = f"{folder}/{shard}"
        write_weights(model, safetensors.torch.load_file(path), path)


def compare_model(comparisons, model, sizes):
    with tempfile.TemporaryDirectory() as folder:
        built = models.build(model)
        save_model(model, built, folder)
        references = {}
        for size in sizes:
            pixels = models.random_input(model, size)
            safetensors.torch.save_file({"input": pixels},
                                        f"{folder}/input_{size_text(size)}.safetensors")
            references[size] = reference(model, built, pixels)
        del built  # the tool needs the memory
        for size in sizes:
            compare_outputs(comparisons, model, size, folder, *references[size])
        if model.small:
            compare_files(comparisons, model, sizes[-1], folder, references[sizes[-1]][0])


def compare_outputs(comparisons, model, size, folder, final, block):
    named = ["--backbone", model.name] if model.published else []

    def features(*options):
        return comparisons.features(folder, "model.safetensors", size, *named, *options)

    bound = 1e-4 if model.small else 1e-3
    raw = [] if model.family == "sam" else ["--no-final-norm"]
    comparisons.add(model, size, "float32", "error", bound, lambda: error(features(), final))
    comparisons.add(model, size, "float32, block 0", "error", bound,
                    lambda: error(features("--layer", "0", *raw), block))
    for name in HALF_TYPES if model.small else ["bfloat16"]:
        comparisons.add(model, size, name, "cosine", 0.99,
                        lambda: smallest_cosine(features("--dtype", name), final))


def compare_files(comparisons, model, size, folder, final):
    """The same weights in other files."""
    stored = safetensors.torch.load_file(f"{folder}/model.safetensors")

    def compare(what, weights, expected=final):
        comparisons.add(model, size, what, "error", 1e-4,
                        lambda: error(comparisons.features(folder, weights, size), expected))

    built = models.build(model)
    if model.family in ("dinov3", "sam"):  # DINOv2's names in memory are nobody's file format
        write_weights(model, built.state_dict(), f"{folder}/in_memory.safetensors")
        compare("file: state_dict() as it is in memory", "in_memory.safetensors")
    save_shards(model, built, f"{folder}/shards")
    compare("file: shards", "shards/model.safetensors.index.json")
    for name, dtype in HALF_TYPES.items():
        write_weights(model, {key: tensor.to(dtype) for key, tensor in stored.items()},
                      f"{folder}/{name}.safetensors")
        rounded = models.build(model)
        for parameter in rounded.parameters():  # and no buffer: RoPE's frequencies stay exact
            parameter.copy_(parameter.to(dtype))
        compare(f"file: {name}", f"{name}.safetensors",
                reference(model, rounded, models.random_input(model, size))[0])
    compare_conversions(comparisons, model, size, folder, stored)


def compare_conversions(comparisons, model, size, folder, stored):
    # Original keys bring the original project's position rule with them, unless told otherwise.
    named_rule = model.family in ("dinov2", "vit")
    rule = ["--position-interpolation", "huggingface"] if named_rule else []

    def convert(source, target, style):
        comparisons.run(folder, "convert", f"{folder}/{source}", f"{folder}/{target}", "--to",
                        style)

    def features(weights):
        return comparisons.features(folder, weights, size, *rule)

    def converted():
        convert("model.safetensors", "original.safetensors", "original")
        return largest_difference(features("original.safetensors"), features("model.safetensors"))

    def there_and_back():
        convert("original.safetensors", "back.safetensors", "huggingface")
        return differing_tensors(safetensors.torch.load_file(f"{folder}/back.safetensors"), stored)

    def pickled():
        if not os.path.exists(f"{folder}/original.safetensors"):
            raise Failed("there is no file with original keys")
        torch.save(safetensors.torch.load_file(f"{folder}/original.safetensors"),
                   f"{folder}/original.pth")
        return largest_difference(features("original.pth"), features("model.safetensors"))

    comparisons.add(model, size, "convert --to original", "difference", 0, converted)
    comparisons.add(model, size, "convert --to huggingface, tensors changed", "count", 0,
                    there_and_back)
    # A .pth cannot tell the heads, nor that transformers' norms of a plain one have another epsilon.
    if model.family == "sam" or (model.head_dimension == 64 and model.family not in ("vit", "mae")):
        comparisons.add(model, size, "file: .pth, original keys", "difference", 0, pickled)


def differing_tensors(computed, expected):
    return sum(key not in computed or key not in expected
               or computed[key].dtype != expected[key].dtype
               or computed[key].shape != expected[key].shape
               or not same_bytes(computed[key], expected[key])
               for key in computed.keys() | expected.keys())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("homolog", metavar="HOMOLOG", help="the tool")
    parser.add_argument("--full", action="store_true", help="the large models too")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these models, in all sizes")
    parser.add_argument("--output", metavar="FILE", help="write the result as JSON")
    options = parser.parse_args()
    if not os.access(options.homolog, os.X_OK):
        parser.error(f"{options.homolog} is no program")
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()

    chosen = [models.model_named(name) for name in options.only or []] or models.MODELS
    comparisons = Comparisons(options.homolog)
    for model in chosen:
        sizes = model.sizes + (model.full_sizes if options.full or options.only else ())
        if sizes:
            compare_model(comparisons, model, sizes)

    failed = sum(not row["passed"] for row in comparisons.rows)
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump({"torch": torch.__version__, "transformers": transformers.__version__,
                       "comparisons": comparisons.rows}, file, indent=2)
            file.write("\n")
    print(f"{len(comparisons.rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
