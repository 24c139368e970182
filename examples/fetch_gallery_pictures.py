#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetches the two photographs of the gallery and writes them as PNG: cat.png and raccoon.png.

The cat is "Chelsea" by Stefan van der Walt (CC0), from the PyPI package scikit-image; the raccoon is
from public-domain-image.com (public domain), from the PyPI package scipy, cropped to its head.

usage: fetch_gallery_pictures.py FOLDER   (needs the package pillow)
"""
import bz2
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

from PIL import Image


def from_wheel(package, name):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                        "--only-binary=:all:", "--python-version=3.11", "--dest", folder, package],
                       check=True)
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(name)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    cat = Image.open(io.BytesIO(from_wheel("scikit-image==0.25.2", "skimage/data/chelsea.png")))
    cat.convert("RGB").save(folder / "cat.png")
    face = bz2.decompress(from_wheel("scipy==1.9.3", "scipy/misc/face.dat"))
    raccoon = Image.frombytes("RGB", (1024, 768), face).resize((600, 450), Image.Resampling.LANCZOS)
    raccoon.crop((200, 0, 600, 300)).save(folder / "raccoon.png")


main()
