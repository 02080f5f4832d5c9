#!/usr/bin/env python3
"""Checks a lock without pinfast: with PyPA's `packaging`, on each wheel's own METADATA.

    python3 tests/live/independent.py LOCK INPUT --python-version 3.11

Every requirement of the input and of every pin must be pinned in a version that its specifiers contain,
and every pin must be wanted by one of them. The environment is CPython on Linux x86_64. The index is the
one that pip is configured for; needs Python 3.9 with pip.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "testdata"))

import record  # noqa: E402

requirements, _, versions = record.pip_packaging()
Requirement, Version = requirements.Requirement, versions.Version

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?:\s*;\s*([^\\]+))?")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lock", type=Path)
    parser.add_argument("input", type=Path)
    parser.add_argument("--python-version", default="3.11")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "pinfast-independent")
    args = parser.parse_args()
    environment = linux(args.python_version)
    pins = read_pins(args.lock, environment)
    source = record.Source(args.cache, None)
    faults, wanted = check(pins, lines(args.input), source, environment)
    unneeded = sorted(set(pins) - wanted)
    faults += [f"{name} is pinned, but nothing wants it" for name in unneeded]
    print("\n".join(faults) or f"{len(pins)} pins: every requirement holds, and every pin is needed")
    sys.exit(1 if faults else 0)


def linux(python):
    full = python if python.count(".") == 2 else f"{python}.0"
    return {
        "implementation_name": "cpython", "implementation_version": full, "os_name": "posix",
        "platform_machine": "x86_64", "platform_python_implementation": "CPython", "platform_release": "",
        "platform_system": "Linux", "platform_version": "", "python_full_version": full,
        "python_version": ".".join(full.split(".")[:2]), "sys_platform": "linux",
    }


def read_pins(path, environment):
    pins = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        pin = PIN.match(line)
        if pin and holds(pin.group(3), environment, ""):
            pins[record.normalise(pin.group(1))] = pin.group(2)
    return pins


def holds(marker, environment, extra):
    if marker is None:
        return True
    return Requirement(f"x ; {marker.strip()}").marker.evaluate({**environment, "extra": extra})


def lines(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        text = re.sub(r"(^|\s)#.*$", "", line).strip()
        if text and not text.startswith("-"):
            yield Requirement(text)


def check(pins, wanted_lines, source, environment):
    faults, wanted, seen = [], set(), set()
    queue = [("the input", requirement, "") for requirement in wanted_lines]
    while queue:
        asker, requirement, asking_extra = queue.pop()
        if requirement.marker and not requirement.marker.evaluate({**environment, "extra": asking_extra}):
            continue
        name = record.normalise(requirement.name)
        if name not in pins:
            faults.append(f"{asker} wants {requirement}, which is not pinned")
            continue
        wanted.add(name)
        if not requirement.specifier.contains(Version(pins[name]), prereleases=True):
            faults.append(f"{asker} wants {requirement}, but {name} is pinned to {pins[name]}")
        for extra in [""] + sorted(requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                for text in requires(source, name, pins[name]):
                    queue.append((f"{name} {pins[name]}", Requirement(text), extra))
    return faults, wanted


def requires(source, name, version):
    """The Requires-Dist of the wheel of a release that fits Linux on x86_64 best by its name."""
    of_release = [file for file in files(source, name) if is_wheel(file["filename"], version)]
    if not of_release:
        sys.exit(f"{name} {version} has no wheel, so its metadata cannot be read without a build")
    fitting = [file for file in of_release if re.search(r"(none-any|x86_64)\.whl$", file["filename"])]
    metadata = source.metadata(name, (fitting or of_release)[0]).decode()
    return [line[len("Requires-Dist:"):].strip() for line in metadata.splitlines() if line.startswith("Requires-Dist:")]


def files(source, name):
    return [file for release in source.project(name)["releases"].values() for file in release]


def is_wheel(filename, version):
    if not filename.endswith(".whl"):
        return False
    try:
        return Version(filename.split("-")[1]) == Version(version)
    except versions.InvalidVersion:
        return False


if __name__ == "__main__":
    main()
