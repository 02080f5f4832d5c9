#!/usr/bin/env python3
"""Installs awkward wheels of the index that pip is configured for by pinfast and by pip, and compares the two trees.

    python3 tests/live/trees.py [--pinfast target/release/pinfast] [--python python3.11] [REQUIREMENT ...]

Every file is compared byte for byte, with its x bit, and every RECORD row by row; what is meant to differ is listed in
docs/install.md, and counted here. Ends with 1 where anything else differs. Needs the network and pip 22.3 or newer.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Data scripts, headers, data files, namespaces, .pth files, the stable ABI, shared libraries, long paths.
AWKWARD = """
ruff cmake ninja pre-commit black[d] pyinstaller watchfiles maturin
greenlet pybind11 cffi
jupyterlab notebook ipykernel nbconvert widgetsnbextension
google-cloud-storage protobuf zope-interface ruamel-yaml azure-core sphinxcontrib-jsmath backports-tarfile jaraco-text
setuptools coverage debugpy
cryptography bcrypt pynacl argon2-cffi-bindings
numpy pandas lxml pillow psycopg2-binary grpcio pyyaml pydantic-core matplotlib scikit-learn orjson uvloop
django babel tzdata pytz certifi botocore fonttools
""".split()

# Each environment's own, not a package's.
OWN = {"pyvenv.cfg", ".gitignore", ".pinfast", "lib64"}
ACTIVATION = ("python", "activate", "Activate", "pypy")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("requirements", nargs="*", default=AWKWARD)
    parser.add_argument("--pinfast", type=Path, default=ROOT / "target/release/pinfast")
    parser.add_argument("--python", default=sys.executable)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        (folder / "requirements.in").write_text("\n".join(args.requirements) + "\n")
        ours, theirs = folder / "ours", folder / "pip"
        pinfast = [str(args.pinfast.resolve()), "-q"]
        run(folder, *pinfast, "lock", "--python", args.python, "--only-binary", ":all:")
        run(folder, *pinfast, "install", "--python", args.python, "--venv", "ours")
        run(folder, args.python, "-m", "venv", "--without-pip", "pip")
        run(folder, args.python, "-m", "pip", "--python", str(theirs / "bin/python"), "install", "-q",
            "--require-hashes", "--no-deps", "--no-compile", "--disable-pip-version-check", "-r", "requirements.txt")
        packages = sum(1 for _ in ours.glob("lib/python*/site-packages/*.dist-info"))
        meant, wrong = compared(tree(ours), tree(theirs))
    print(f"{packages} packages; {sum(meant.values())} meant differences: "
          + ", ".join(f"{count} {what}" for what, count in sorted(meant.items())))
    print("\n".join(wrong) or "nothing else differs")
    sys.exit(bool(wrong))


def run(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"failed: {' '.join(command)}\n{done.stderr}")


def tree(root):
    """The files of an environment by their path in it: bytes, with its own path made one, and x bit."""
    files = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        own = name.parts[0] in OWN or (name.parts[0] == "bin" and path.name.startswith(ACTIVATION))
        if own or "__pycache__" in name.parts or not path.is_file():
            continue
        content = path.read_bytes().replace(os.fsencode(root), b"@ENVIRONMENT@")
        files[name.as_posix()] = (content, bool(path.stat().st_mode & 0o100))
    return files


def compared(ours, theirs):
    meant, wrong = Counter(), []
    for name in sorted(ours.keys() | theirs.keys()):
        if name.endswith(".dist-info/REQUESTED") and name not in ours:
            meant["REQUESTED of what the inputs do not name"] += 1
        elif name not in ours or name not in theirs:
            wrong.append(f"{name}: only in {'pip' if name in theirs else 'pinfast'}'s")
        elif ours[name] != theirs[name]:
            what = difference(name, ours[name], theirs[name])
            meant.update([what] if what else [])
            wrong.extend([] if what else [f"{name}: differs"])
    return meant, wrong


def difference(name, ours, theirs):
    """What is meant by a difference; None where it is not meant."""
    (our_bytes, our_x), (their_bytes, their_x) = ours, theirs
    if our_x != their_x:
        return None
    if name.endswith(".dist-info/INSTALLER") and (our_bytes.strip(), their_bytes.strip()) == (b"pinfast", b"pip"):
        return "INSTALLER"
    if name.endswith(".dist-info/RECORD") and rows(our_bytes) == rows(their_bytes):
        return "RECORD (order, and the rows of what else is meant)"
    if name.startswith("bin/") and our_bytes.splitlines()[0] == their_bytes.splitlines()[0]:
        return "bodies of console scripts"
    return None


def rows(record):
    """The rows of a RECORD, without the hashes and sizes of what is meant to differ."""
    told = set()
    for path, digest, size in csv.reader(record.decode().splitlines()):
        if path.endswith(".dist-info/REQUESTED"):
            continue
        differs = path.startswith("../../../bin/") or path.endswith("/INSTALLER")
        told.add((path, None, None) if differs else (path, digest, size))
    return told


if __name__ == "__main__":
    main()
