#!/usr/bin/env python3
"""Compares a universal lock of pinfast with uv's, on the index that pip is configured for.

    python3 tests/live/universal.py [INPUT] [--python-version 3.11] [--pinfast target/release/pinfast]

Prints each environment in which the two pin different releases, with the differences. Two right answers may differ;
what is printed is for people to judge. Needs uv on the path (or `--uv`) and pip's `packaging`.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

from pip._vendor.packaging.markers import Marker

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)(?:\s*;\s*([^\\]+))?")
SYSTEMS = [("linux", "Linux", "posix"), ("darwin", "Darwin", "posix"), ("win32", "Windows", "nt")]
MACHINES = ["x86_64", "aarch64", "arm64", "AMD64"]
IMPLEMENTATIONS = [("CPython", "cpython"), ("PyPy", "pypy")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "examples/marketing-bot/requirements.in"
    parser.add_argument("input", type=Path, nargs="?", default=default)
    parser.add_argument("--python-version", default="3.11")
    parser.add_argument("--pinfast", default=str(ROOT / "target/release/pinfast"))
    parser.add_argument("--uv", default="uv")
    args = parser.parse_args()
    common = [str(args.input), "--universal", "--python-version", args.python_version]
    with tempfile.TemporaryDirectory() as folder:
        ours = locked([args.pinfast, "lock", *common], Path(folder) / "pinfast.txt")
        theirs = locked([args.uv, "pip", "compile", "-q", *common], Path(folder) / "uv.txt")
    differing = 0
    for label, environment in environments(int(args.python_version.split(".")[1])):
        difference = compared(held(ours, environment), held(theirs, environment))
        if difference:
            differing += 1
            print(f"{label}: {', '.join(difference)}")
    print(f"{differing} environments differ; {len(ours)} pins of pinfast, {len(theirs)} of uv")


def locked(command, output):
    done = subprocess.run([*command, "-o", str(output)], stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"failed: {' '.join(command)}")
    found = (PIN.match(line) for line in output.read_text().splitlines())
    return [(m[1], m[2], Marker(m[3].strip()) if m[3] else None) for m in found if m]


def held(pins, environment):
    return {name: version for name, version, m in pins if m is None or m.evaluate(environment)}


def compared(ours, theirs):
    names = sorted(ours.keys() | theirs.keys())
    different = [name for name in names if ours.get(name) != theirs.get(name)]
    return [f"{name} {ours.get(name, '-')} (uv: {theirs.get(name, '-')})" for name in different]


def environments(lowest):
    for minor, system, machine, kind in product(range(lowest, 16), SYSTEMS, MACHINES, IMPLEMENTATIONS):
        environment = {
            "python_version": f"3.{minor}",
            "python_full_version": f"3.{minor}.5",
            "implementation_version": f"3.{minor}.5",
            "sys_platform": system[0],
            "platform_system": system[1],
            "os_name": system[2],
            "platform_machine": machine,
            "platform_python_implementation": kind[0],
            "implementation_name": kind[1],
            "platform_release": "",
            "platform_version": "",
            "extra": "",
        }
        yield f"{kind[0]} 3.{minor} {system[0]} {machine}", environment


if __name__ == "__main__":
    main()
