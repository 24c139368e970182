#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training steps of homolog against the same steps written in PyTorch, on random weights.

usage: train_step.py TRAIN_STEP [--only NAME ...]

Each case is computed in float32 and in float64 on both sides. Errors are the largest ones:
  loss      |difference| / |expected|, over the steps, and the same of the gradient's norm
  gradient  |difference| / largest |expected| of that tensor at that step. Queries, keys and values
            are one tensor, so the gradient of the keys' bias, zero in exact arithmetic without
            rotary positions, is held against those of the two others
  own       the same between PyTorch's float32 and its float64: with losses in grid cells, or after
            some steps, up to 4e-5 on some processors. Where a step's is above the bound of
            gradients, it is the bound of them and of their norm at that step
  tuned     |difference| of a weight after the last step. PyTorch's own between float32 and float64
            is the bound where it is above that of tuned weights, as with gradients
Both sides must be of one version of LibTorch: with 2.6 on one side and 2.13 on the other, float64
was 1e-9 to 1e-6 apart, where either with itself is 1e-14.
Adam's first step is little more than the sign of the gradient: where that is rounding noise, two
right answers can be 2 * learning rate apart. In float32 such weights (|gradient| <= 1e-6 of the
tensor's largest at some step, unless both sides say exactly zero) are counted as `unsure` and only
held to that distance a step; their number is bounded by that of the keys' biases and 0.01 % of the
others. In float64 the keys' bias alone has a bound of its own: its gradient is rounding noise of
the last bit, which Adam divides by its epsilon of 1e-8.
"""
import argparse
import dataclasses
import json
import math
import os
import subprocess
import sys
import tempfile
import time

from compare import Failed, save_model  # says [skipped] where transformers is missing
import models
import safetensors.torch
import torch
import transformers


@dataclasses.dataclass(frozen=True)
class Bounds:
    loss: float
    gradient: float
    gradient_noise: float  # absolute, for tensors whose gradient is (nearly) zero
    tuned: float


# The largest gradient's error in float32 depends on the BLAS: 1.23e-5 with LibTorch 2.6 and OpenBLAS,
# in a case of three steps that is 1.7e-14 in float64, below 1e-5 with MKL and the reference BLAS.
BOUNDS = {torch.float32: Bounds(1e-5, 2e-5, 2e-8, 1e-5),
          torch.float64: Bounds(1e-12, 1e-11, 1e-16, 1e-11)}
UNSURE = 1e-6  # of the largest gradient
KEY_BIAS_NOISE = 1e-14  # float64, absolute, of a gradient that is zero in exact arithmetic

MSE = {"name": "coordinate_mse", "temperature": 50}
GAUSSIAN = {"name": "gaussian_cross_entropy", "temperature": 1 / 0.03, "sigma": 0.8, "radius": 1}
INFO_NCE = {"name": "info_nce", "temperature": 1 / 0.07}


@dataclasses.dataclass(frozen=True)
class Case:
    model: str
    loss: dict
    unfreeze: int = 1
    layer: int = -1
    final_norm: bool = True
    lora: dict | None = None
    query: str = "nearest"
    letterbox: bool = False
    clip_norm: float = 0
    weight_decay: float = 0.01
    learning_rate: float = 1e-3
    learning_rate_factors: tuple = (1,)  # one a step

    @property
    def name(self):
        words = [self.model, self.loss["name"], f"k={self.unfreeze}"]
        words += [f"layer {self.layer}"] * (self.layer != -1)
        words += ["no final norm"] * (not self.final_norm)
        words += ["bilinear"] * (self.query == "bilinear")
        words += ["letterbox"] * self.letterbox
        words += [f"clip {self.clip_norm:g}"] * (self.clip_norm > 0)
        words += ["LoRA"] * (self.lora is not None)
        words += [f"{len(self.learning_rate_factors)} steps"] * (self.steps > 1)
        return ", ".join(words)

    @property
    def steps(self):
        return len(self.learning_rate_factors)


SCHEDULE = (1, 0.5, 0.25)
LORA = {"rank": 4, "alpha": 6, "seed": 5}
CASES = [
    Case("dinov2_small_mlp", MSE),
    Case("dinov2_small_mlp", GAUSSIAN, unfreeze=2),
    Case("dinov2_small_mlp", INFO_NCE, query="bilinear", letterbox=True),
    Case("dinov2_small_mlp", MSE, clip_norm=0.5, learning_rate_factors=SCHEDULE),
    Case("dinov2_small_mlp", GAUSSIAN, layer=0),
    Case("dinov2_small_mlp", INFO_NCE, lora=LORA, learning_rate_factors=SCHEDULE),
    Case("dinov2_small_swiglu", MSE, unfreeze=2),
    Case("dinov2_small_swiglu", GAUSSIAN, weight_decay=0.3, learning_rate_factors=SCHEDULE),
    Case("dinov2_small_swiglu", INFO_NCE, final_norm=False),
    Case("dinov2_small_registers", MSE, query="bilinear"),
    Case("dinov2_small_registers", GAUSSIAN, letterbox=True),
    Case("dinov2_small_registers", INFO_NCE, unfreeze=2),
    Case("dinov3_small_mlp", MSE, unfreeze=2, letterbox=True),
    Case("dinov3_small_mlp", GAUSSIAN, query="bilinear"),
    Case("dinov3_small_mlp", INFO_NCE, weight_decay=0.3, learning_rate_factors=SCHEDULE),
    Case("dinov3_small_gated", MSE, lora=LORA, unfreeze=2, query="bilinear",
         learning_rate_factors=SCHEDULE),
    Case("dinov3_small_gated", GAUSSIAN, unfreeze=2, clip_norm=0.1),
    Case("dinov3_small_gated", INFO_NCE, layer=0, final_norm=False),
    Case("dinov3_small_7b", GAUSSIAN, unfreeze=2),
    Case("sam_small", MSE, unfreeze=2, letterbox=True, query="bilinear"),
    Case("sam_small", GAUSSIAN, clip_norm=0.1, learning_rate_factors=SCHEDULE),
    Case("sam_small", INFO_NCE, layer=0),
    Case("sam_small", GAUSSIAN, lora=LORA, unfreeze=2, letterbox=True,
         learning_rate_factors=SCHEDULE),
    Case("sam_small", MSE, final_norm=False),
]

# --- What both sides are given ------------------------------------------------------------------

# Pairs (source, target, keypoints) of two batches: pictures are shared between pairs, and pairs
# have different numbers of keypoints.
PAIRS = [(3, [(0, 1, 6), (1, 2, 1), (0, 2, 3)]), (2, [(0, 1, 4), (1, 0, 2)])]
PATCH_SIZE = {"dinov2": 14, "dinov2_registers": 14, "dinov3": 16, "sam": 16}


def make_batches(case, model):
    """Two batches, of different input sizes where the model takes them."""
    random = torch.Generator().manual_seed(7)
    inputs, batches = {}, []
    for number, (pictures, pairs) in enumerate(PAIRS):
        height, width = model.sizes[-1 - number % len(model.sizes)]
        patch = PATCH_SIZE[model.family]
        rows, cols = height // patch, width // patch
        inputs[f"input_{number}"] = torch.randn(pictures, 3, height, width, generator=random)
        content = [[0, 0, cols, rows] for _ in range(pictures)]
        if case.letterbox:  # bars left and right of one picture, below another
            content[0] = [1, 0, cols - 1, rows]
            content[1] = [0, 0, cols, rows - 1]

        def cells(picture, count, steps_a_cell=None):
            """Anywhere on the picture, whose edges are half a cell beyond the outer centres."""
            x1, y1, x2, y2 = content[picture]
            places = torch.rand(count, 2, generator=random, dtype=torch.float64)
            places = places * torch.tensor([x2 - x1, y2 - y1]) + torch.tensor([x1, y1]) - 0.5
            if steps_a_cell:
                places = (places * steps_a_cell).round() / steps_a_cell
            return places.tolist()

        # Fractions of sources are dyadic, because homolog weighs the four cells in float32.
        batches.append({"input": f"input_{number}", "content": content, "pairs": [
            {"source": source, "target": target, "source_cells": cells(source, count, 64),
             "target_cells": cells(target, count)} for source, target, count in pairs]})
    return inputs, batches


# --- The step in PyTorch ------------------------------------------------------------------------

def parameters_of(model, built, case):
    """homolog's name of each tuned tensor -> the parameters that make it up, stacked in this order;
    None stands for zeros."""
    known = dict(built.named_parameters())
    stem, final = {"dinov2": ("encoder.layer.", "layernorm"),
                   "dinov2_registers": ("encoder.layer.", "layernorm"),
                   "dinov3": ("model.layer.", "norm"),
                   "sam": ("vision_encoder.layers.", "vision_encoder.neck.")}[model.family]
    if model.family == "sam":
        layers = {"norm1": ["layer_norm1"], "attn.qkv": ["attn.qkv"], "attn.proj": ["attn.proj"],
                  "norm2": ["layer_norm2"], "mlp.in": ["mlp.lin1"], "mlp.out": ["mlp.lin2"]}
    else:
        two = any("fc1" in name for name in known)
        layers = {"norm1": ["norm1"],
                  "attn.qkv": [f"attention.{letter}_proj" for letter in "qkv"],
                  "attn.proj": ["attention.o_proj"], "norm2": ["norm2"],
                  "mlp.gate": ["mlp.gate_proj"],
                  "mlp.in": ["mlp.fc1" if two else "mlp.up_proj"],
                  "mlp.out": ["mlp.fc2" if two else "mlp.down_proj"]}
    names = {}
    last = range(model.config["num_hidden_layers"])[case.layer]
    for index in range(last + 1 - case.unfreeze, last + 1):
        block = {f"{ours}.{kind}": [f"{layer}.{kind}" for layer in theirs]
                 for ours, theirs in layers.items() for kind in ("weight", "bias")}
        block |= {f"ls{i}.gamma": [f"layer_scale{i}.lambda1"] for i in (1, 2)}
        block |= {f"attn.rel_pos_{axis}": [f"attn.rel_pos_{axis}"] for axis in "hw"}
        names |= {f"blocks.{index}.{ours}": [f"{stem}{index}.{part}" for part in theirs]
                  for ours, theirs in block.items()}
    if case.final_norm and model.family != "sam":
        names |= {f"norm.{kind}": [f"{final}.{kind}"] for kind in ("weight", "bias")}
    if case.final_norm and model.family == "sam" and last + 1 == model.config["num_hidden_layers"]:
        for index, layer in enumerate(("conv1", "layer_norm1", "conv2", "layer_norm2")):
            names |= {f"neck.{index}.{kind}": [f"{final}{layer}.{kind}"]
                      for kind in ("weight", "bias")}
    return {ours: [part if part in known else None for part in theirs]
            for ours, theirs in names.items() if any(part in known for part in theirs)}


class LowRank(torch.nn.Module):
    """weight + scale * up @ down, of some rows of `up`."""

    def __init__(self, down, up, rows, scale):
        super().__init__()
        self.down, self.up, self.rows, self.scale = down, up, rows, scale

    def forward(self, weight):
        return weight + self.scale * self.up[self.rows] @ self.down


def add_low_rank_terms(built, parameters, lora, start):
    """Leaves under homolog's names, which start with the values that homolog drew."""
    leaves = {}
    for name, parts in parameters.items():
        if not name.endswith(("attn.qkv.weight", "attn.proj.weight")):
            continue
        down, up = (torch.nn.Parameter(start[f"{name}.lora_{letter}"].clone()) for letter in "ab")
        leaves |= {f"{name}.lora_a": down, f"{name}.lora_b": up}
        end = 0
        for part in parts:
            module = built.get_submodule(part.rsplit(".", 1)[0])
            begin, end = end, end + module.weight.shape[0]
            torch.nn.utils.parametrize.register_parametrization(
                module, "weight",
                LowRank(down, up, slice(begin, end), lora["alpha"] / lora["rank"]))
        assert end == up.shape[0], f"{name}.lora_b has {up.shape[0]} rows, expected {end}"
    return leaves


def grid_features(model, built, case, pixels):
    """L2-normalised features [B,rows,cols,D]."""
    layers = {"dinov2": lambda: built.encoder.layer, "dinov2_registers": lambda: built.encoder.layer,
              "dinov3": lambda: built.model.layer,
              "sam": lambda: built.vision_encoder.layers}[model.family]()
    outputs = []
    hook = layers[case.layer].register_forward_hook(
        lambda module, inputs, output: outputs.append(output))
    built(pixels)
    hook.remove()
    tokens, = outputs
    patch = PATCH_SIZE[model.family]
    rows, cols = pixels.shape[2] // patch, pixels.shape[3] // patch
    if model.family == "sam":
        if case.final_norm and layers[case.layer] is layers[-1]:
            tokens = built.vision_encoder.neck(tokens).permute(0, 2, 3, 1)
    else:
        if case.final_norm:
            tokens = (built.norm if model.family == "dinov3" else built.layernorm)(tokens)
        tokens = tokens[:, -rows * cols:].unflatten(1, (rows, cols))
    return tokens / tokens.norm(dim=-1, keepdim=True)


def read_query(features, content, x, y, query):
    x1, y1, x2, y2 = content

    def cell(column, row):
        return features[min(max(row, y1), y2 - 1), min(max(column, x1), x2 - 1)]

    if query == "nearest":
        return cell(math.floor(x + 0.5), math.floor(y + 0.5))
    x, y = min(max(x, x1), x2 - 1), min(max(y, y1), y2 - 1)
    left, top = math.floor(x), math.floor(y)
    right, below = x - left, y - top
    mixed = ((1 - below) * ((1 - right) * cell(left, top) + right * cell(left + 1, top))
             + below * ((1 - right) * cell(left, top + 1) + right * cell(left + 1, top + 1)))
    return mixed / mixed.norm()


def keypoint_loss(loss, cosine, cells, truth):
    """Of one keypoint.

    cosine: [M] with the cells that show the target picture; cells: [M,2] their columns and rows;
    truth: [2] column and row
    """
    logits = loss["temperature"] * cosine
    if loss["name"] == "coordinate_mse":
        predicted = (torch.softmax(logits, 0).unsqueeze(1) * cells).sum(0)
        return ((predicted - truth) ** 2).sum()
    square = ((cells - truth) ** 2).sum(1)
    nearest = square.argmin()
    if loss["name"] == "info_nce":
        return torch.nn.functional.cross_entropy(logits, nearest)
    weight = torch.exp(-square / (2 * loss["sigma"] ** 2))
    weight[(cells - cells[nearest]).abs().amax(1) > loss["radius"]] = 0
    return torch.nn.functional.cross_entropy(logits, weight / weight.sum())


def step_loss(model, built, case, inputs, batches, dtype):
    """Mean over all keypoints of the step."""
    losses = []
    for batch in batches:
        features = grid_features(model, built, case, inputs[batch["input"]].to(dtype))
        for pair in batch["pairs"]:
            source, target = features[pair["source"]], features[pair["target"]]
            x1, y1, x2, y2 = batch["content"][pair["target"]]
            cells = torch.tensor([(x, y) for y in range(y1, y2) for x in range(x1, x2)],
                                 dtype=dtype)
            visible = target[y1:y2, x1:x2].flatten(0, 1)
            for (x, y), truth in zip(pair["source_cells"], pair["target_cells"], strict=True):
                query = read_query(source, batch["content"][pair["source"]], x, y, case.query)
                losses.append(keypoint_loss(case.loss, visible @ query, cells,
                                            torch.tensor(truth, dtype=dtype)))
    return torch.stack(losses).mean()


def original_rotary_table(built):
    """Cosines and sines of rotary positions as DINOv3's own code has them: in float32, dividing by
    the period. transformers multiplies by the inverse, which in float64 is no longer the same."""
    quarter = built.config.hidden_size // built.config.num_attention_heads // 4
    periods = (100 ** (torch.arange(quarter, dtype=torch.float64) / quarter)).float()

    def table(pixels):
        axes = [(torch.arange(0.5, side // 16) / (side // 16)) * 2 - 1 for side in pixels.shape[2:]]
        places = torch.cartesian_prod(*axes)  # [N,2] y, x
        angles = (2 * math.pi * places.unsqueeze(2) / periods).flatten(1).tile(2)
        return angles.cos().to(pixels.dtype), angles.sin().to(pixels.dtype)

    return table


def build(model, dtype):
    built = models.build(model).to(dtype)
    if dtype == torch.float64 and model.family == "dinov3":
        built.rope_embeddings.forward = original_rotary_table(built)
    if dtype == torch.float64 and model.family == "sam":
        # The other attention of transformers rounds its softmax to float32.
        from transformers.models.sam.modeling_sam import SamVisionSdpaAttention
        for layer in built.vision_encoder.layers:
            layer.attn.forward = SamVisionSdpaAttention.forward.__get__(layer.attn)
    return built


def take_steps(model, case, inputs, batches, dtype, start):
    """What the program writes, computed here; `start` are its start values of LoRA."""
    built = build(model, dtype)
    known = dict(built.named_parameters())
    parameters = parameters_of(model, built, case)
    if case.lora:
        leaves = add_low_rank_terms(built, parameters, case.lora, start)
        parameters = {name: [name] for name in leaves}
    else:
        leaves = {part: known[part] for parts in parameters.values() for part in parts if part}
    for leaf in leaves.values():
        leaf.requires_grad_(True)

    def stacked(value):
        """Per name of homolog, `value` of the leaves."""
        tensors = {}
        for name, parts in parameters.items():
            values = [value(leaves[part]).detach().clone() if part else None for part in parts]
            filled = next(one for one in values if one is not None)
            tensors[name] = torch.cat([torch.zeros_like(filled) if one is None else one
                                       for one in values])
        return tensors

    result = {f"start/{name}": value for name, value in stacked(lambda leaf: leaf).items()}
    optimizer = torch.optim.AdamW(leaves.values(), lr=case.learning_rate, betas=(0.9, 0.999),
                                  eps=1e-8, weight_decay=case.weight_decay)
    losses, norms, gradients = [], [], []
    for factor in case.learning_rate_factors:
        optimizer.zero_grad()
        loss = step_loss(model, built, case, inputs, batches, dtype)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(leaves.values(), case.clip_norm or math.inf))
        losses.append(loss.detach())
        gradients.append(stacked(lambda leaf: leaf.grad))
        for group in optimizer.param_groups:
            group["lr"] = case.learning_rate * factor
        optimizer.step()
    result |= {"loss": torch.stack(losses).double(), "gradient_norm": torch.stack(norms).double()}
    for name in parameters:
        result[f"grad/{name}"] = torch.stack([step[name] for step in gradients])
    return result | {f"tuned/{name}": value for name, value in stacked(lambda leaf: leaf).items()}


# --- The comparison -----------------------------------------------------------------------------

def run_program(program, folder, case, inputs, batches, dtype):
    asked = dataclasses.asdict(case) | {"dtype": str(dtype).removeprefix("torch."),
                                        "batches": batches}
    with open(f"{folder}/case.json", "w", encoding="utf-8") as file:
        json.dump(asked, file)
    safetensors.torch.save_file(inputs, f"{folder}/inputs.safetensors")
    output = f"{folder}/output.safetensors"
    result = subprocess.run([program, f"{folder}/model.safetensors", f"{folder}/case.json",
                             f"{folder}/inputs.safetensors", output],
                            capture_output=True, text=True, timeout=300)
    if result.returncode != 0:
        raise Failed(f"status {result.returncode}: {result.stderr.strip()[-300:]}")
    tensors = {name: tensor.clone() for name, tensor in safetensors.torch.load_file(output).items()}
    os.remove(output)  # or a later failure to write would pass
    return tensors


def require_same_tensors(computed, expected):
    def described(tensors):
        return {name: (tensor.dtype, list(tensor.shape)) for name, tensor in tensors.items()}
    ours, theirs = described(computed), described(expected)
    differing = [name for name in sorted(ours.keys() | theirs.keys())
                 if ours.get(name) != theirs.get(name)]
    if differing:
        name = differing[0]
        raise Failed(f"{len(differing)} tensors differ in kind, {name}: got {ours.get(name)}, "
                     f"expected {theirs.get(name)}")
    for name, tensor in computed.items():
        if not tensor.isfinite().all():
            raise Failed(f"{name} is not finite")


def require_start(case, computed, expected):
    """Tuning starts from the weights of the file; LoRA from no change at all."""
    for name, tensor in expected.items():
        if name.startswith("start/") and not torch.equal(computed[name], tensor):
            raise Failed(f"{name} is not the weight of the file")
        if name.startswith("start/") and name.endswith("lora_b") and computed[name].any():
            raise Failed(f"{name} is not zero")
        if name.startswith("start/") and name.endswith("lora_a"):
            limit = computed[name].shape[1] ** -0.5
            if not 0.9 * limit < computed[name].abs().max() <= limit:
                raise Failed(f"{name} does not fill [-{limit:.3g}, {limit:.3g}]")
    # A tensor without a gradient would compare equal whatever the step does.
    for name, tensor in expected.items():
        if name.startswith("grad/") and tensor[-1].abs().max() < 1e-9:
            raise Failed(f"{name} is zero: this case tests nothing there")


@dataclasses.dataclass
class Errors:
    loss: float = 0
    norm: float = 0
    gradient: float = 0  # over `largest + noise / bound`
    own: float = 0  # the reference's own, of float32
    gradients_hold: bool = True
    tuned: float = 0
    own_tuned: float = 0
    unsure: int = 0
    worst: str = ""  # tensor of the largest error of a gradient


def relative_errors(name, computed, expected):
    """Of a number, per step."""
    return ((computed[name] - expected[name]) / expected[name]).abs()


def gradient_errors(name, computed, expected, bounds):
    """Of one tensor, per step; and the largest expected gradient of each step."""
    ours, theirs = (side[f"grad/{name}"].double() for side in (computed, expected))
    per_step = tuple(range(1, theirs.dim()))
    largest = theirs.abs().amax(per_step)
    scale = largest + bounds.gradient_noise / bounds.gradient
    return (ours - theirs).abs().amax(per_step) / scale, largest


def compare(case, computed, expected, exact, bounds):
    """`exact` is what PyTorch computes in float64, where `expected` is float32; else None."""
    float64 = exact is None
    errors = Errors(loss=relative_errors("loss", computed, expected).max().item())
    names = [key.removeprefix("grad/") for key in expected if key.startswith("grad/")]
    own = torch.zeros(case.steps, dtype=torch.float64)
    if not float64:
        own = torch.stack([gradient_errors(name, expected, exact, bounds)[0]
                           for name in names]).amax(0)
        errors.own = own.max().item()
    allowed = own.clamp(min=bounds.gradient)
    norm_error = relative_errors("gradient_norm", computed, expected)
    errors.norm = norm_error.max().item()
    errors.gradients_hold = bool((norm_error <= allowed).all())
    key_biases = others = 0
    for name in names:
        ours, theirs = computed[f"grad/{name}"], expected[f"grad/{name}"]
        error, largest = gradient_errors(name, computed, expected, bounds)
        if error.max() > errors.gradient:
            errors.gradient, errors.worst = error.max().item(), name
        errors.gradients_hold &= bool((error <= allowed).all())
        moved = (computed[f"tuned/{name}"] - expected[f"tuned/{name}"]).abs()
        unsure = torch.zeros_like(moved, dtype=torch.bool)
        rate = case.learning_rate * sum(case.learning_rate_factors)
        farthest = 2 * rate + bounds.tuned
        if not float64:
            low = theirs.abs() <= UNSURE * largest.view(-1, *[1] * (theirs.dim() - 1))
            unsure = (low & ((ours != 0) | (theirs != 0))).any(0)
            errors.unsure += int(unsure.sum())
        elif name.endswith("qkv.bias"):
            third = moved.numel() // 3
            unsure[third:2 * third] = True
            farthest = rate / 1e-8 * KEY_BIAS_NOISE
        if unsure.any() and moved[unsure].max() > farthest:
            raise Failed(f"{name}: an unsure weight moved {moved[unsure].max():.1e} away")
        if not unsure.all():
            errors.tuned = max(errors.tuned, moved[~unsure].max().item())
            if not float64:
                own_moved = (expected[f"tuned/{name}"] - exact[f"tuned/{name}"]).abs()
                errors.own_tuned = max(errors.own_tuned, own_moved[~unsure].max().item())
        others += moved.numel()
        key_biases += moved.numel() // 3 * name.endswith("qkv.bias")
    if errors.unsure > key_biases + 1e-4 * others:
        raise Failed(f"{errors.unsure} of {others} weights are unsure, of which {key_biases} may be")
    return errors


def run_case(program, folder, case, dtype):
    """One line of the table, and whether it passed."""
    model, bounds = models.model_named(case.model), BOUNDS[dtype]
    inputs, batches = make_batches(case, model)
    began = time.perf_counter()
    text = f"{case.name:72} {str(dtype).removeprefix('torch.')} "
    try:
        computed = run_program(program, folder, case, inputs, batches, dtype)
        start = {name.removeprefix("start/"): tensor for name, tensor in computed.items()
                 if name.startswith("start/")}
        expected = take_steps(model, case, inputs, batches, dtype, start)
        require_same_tensors(computed, expected)
        require_start(case, computed, expected)
        exact = None
        if dtype != torch.float64:
            start = {name: tensor.double() for name, tensor in start.items()}
            exact = take_steps(model, case, inputs, batches, torch.float64, start)
        errors = compare(case, computed, expected, exact, bounds)
    except Failed as failure:
        return f"{text} FAILED: {failure}", False
    passed = (errors.loss <= bounds.loss and errors.gradients_hold
              and errors.tuned <= max(bounds.tuned, errors.own_tuned))
    text += (f"loss {errors.loss:.0e} norm {errors.norm:.0e} gradient {errors.gradient:.0e} "
             f"{f'own {errors.own:.0e}' if exact else '':9} "
             f"tuned {errors.tuned:.0e} "
             f"{f'own {errors.own_tuned:.0e}' if exact else '':9} unsure {errors.unsure:3} "
             f"{time.perf_counter() - began:.1f} s ")
    return text + ("ok" if passed else f"FAILED: bounds {bounds}, worst gradient {errors.worst}"), \
        passed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", metavar="TRAIN_STEP", help="the program built beside this file")
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="cases whose name has this text")
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        parser.error(f"{options.program} is no program")
    linked = subprocess.run([options.program, "--version"], check=True, capture_output=True,
                            text=True).stdout.strip()
    if linked.split(".")[:2] != torch.__version__.split(".")[:2]:
        print(f"[skipped] LibTorch {linked} is linked, Python has PyTorch {torch.__version__}: "
              "training steps are compared where both are of one version")
        return 0
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    torch.set_num_threads(1)

    chosen = [case for case in CASES
              if not options.only or any(text in case.name for text in options.only)]
    if not chosen:
        parser.error("no case has such a name")
    results = []
    for name in dict.fromkeys(case.model for case in chosen):
        with tempfile.TemporaryDirectory() as folder:
            save_model(models.model_named(name), models.build(models.model_named(name)), folder)
            for case in (case for case in chosen if case.model == name):
                for dtype in BOUNDS:
                    line, passed = run_case(options.program, folder, case, dtype)
                    print(line, flush=True)
                    results.append(passed)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
