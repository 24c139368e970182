#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes files by torch.save (and by the safetensors package, when it is installed) into a folder,
for the C++ tests of the readers. Usage: make_reference_files.py FOLDER

Every tensor's values follow one formula of its row-major index (see `values`), so that the tests
need no second file to compare with.
"""
import collections
import os
import sys

import torch


def values(shape, dtype=torch.float32, start=0):
    """start, start + 1, ... modulo 251, row-major: exact in every dtype but bool and int8."""
    count = 1
    for size in shape:
        count *= size
    return ((torch.arange(count) + start) % 251).reshape(shape).to(dtype)


class Foreign:
    def __reduce__(self):
        return (os.system, ("exit 7",))


def write_torch_files(folder):
    def save(name, value, **options):
        torch.save(value, os.path.join(folder, name), **options)

    dtypes = {
        "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64,
        "i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "u8": torch.uint8,
    }
    plain = {name: values((3, 5), dtype) for name, dtype in dtypes.items()}
    plain["i8"] = (torch.arange(10) - 5).to(torch.int8)
    plain["bool"] = torch.tensor([True, False, True])
    plain["scalar"] = torch.tensor(7.0)
    plain["empty"] = torch.zeros((2, 0, 3))
    save("dtypes.pth", plain)
    save("dtypes_protocol4.pth", plain, pickle_protocol=4)

    base = values((6, 8))
    save("views.pth", {
        "base": base,
        "transposed": base.t(),
        "rows": base[1:4],
        "columns": base[:, 2:5],
        "steps": base[::2, ::3],
        "permuted": values((2, 3, 4)).permute(2, 0, 1),
        "expanded": values((3, 1)).expand(3, 4),
        "element": base[5, 7],
    })

    torch.manual_seed(3)
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 2), torch.nn.BatchNorm2d(4))
    with torch.no_grad():
        module[0].weight.copy_(values((4, 3, 2, 2)))
    save("module.pth", module.state_dict())  # an OrderedDict with _metadata
    save("parameters.pth", {"weight": torch.nn.Parameter(values((2, 3))),
                            "frozen": torch.nn.Parameter(values((4,)), requires_grad=False)})
    inner = collections.OrderedDict(weight=values((2, 3)))
    save("wrapped_model.pth", {"model": inner, "epoch": 3, "rate": 0.5, "notes": ["a", None, True],
                               "size": torch.Size([1, 2]), "device": torch.device("cpu"),
                               "dtype": torch.float16, "big": 1 << 40})
    save("wrapped_teacher.pth", {"teacher": {"state_dict": inner}, "student": inner})
    save("wrapped_twice.pth", {"teacher": inner, "model": inner})
    save("many.pth", {f"key.{i}": values((2,), start=i) for i in range(1500)})
    save("legacy.pth", inner, _use_new_zipfile_serialization=False)
    save("foreign.pth", {"weight": values((2,)), "code": Foreign()})
    save("whole_module.pth", torch.nn.Linear(2, 2))
    save("conjugate.pth", {"weight": torch.tensor([1 + 2j, 3 - 1j]).conj().imag})
    save("not_a_dict.pth", values((2,)))
    save("nested.pth", {"weight": values((2,)), "more": {"weight": values((2,))}})


def write_safetensors_files(folder):
    try:
        from safetensors import safe_open
        from safetensors.torch import load_file, save_file
    except ImportError:
        print("make_reference_files: no safetensors package here, its files are left out")
        return
    names = ["bool", "uint8", "int8", "int16", "uint16", "float16", "bfloat16", "int32", "uint32",
             "float32", "complex64", "float64", "int64", "uint64", "float8_e4m3fn", "float8_e5m2"]
    tensors = {name: values((3, 5)).to(getattr(torch, name)) for name in names}
    tensors["scalar"] = torch.tensor(7.0)
    tensors["empty"] = torch.zeros((2, 0, 3))
    tensors['odd "name"\n\u00e9'] = values((3,), torch.uint8)
    save_file(tensors, os.path.join(folder, "dtypes.safetensors"), metadata={"format": "pt"})
    # A file that the C++ writer left here is read back by the reference package.
    ours = os.path.join(folder, "written_by_homolog.safetensors")
    if os.path.exists(ours):
        loaded = load_file(ours)
        assert loaded.keys() == tensors.keys(), loaded.keys() ^ tensors.keys()
        for key, tensor in tensors.items():
            same = loaded[key].reshape(-1).view(torch.uint8) if tensor.dim() else loaded[key]
            want = tensor.reshape(-1).view(torch.uint8) if tensor.dim() else tensor
            assert loaded[key].dtype == tensor.dtype and torch.equal(same, want), key
        with safe_open(ours, "pt") as opened:
            assert opened.metadata() == {"format": "pt"}
        print("make_reference_files: the reference package reads written_by_homolog.safetensors")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make_reference_files.py FOLDER")
    os.makedirs(sys.argv[1], exist_ok=True)
    write_torch_files(sys.argv[1])
    write_safetensors_files(sys.argv[1])
