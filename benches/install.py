#!/usr/bin/env python3
"""Times installing a lock by pinfast, `uv pip sync` and pip, whole processes in turns, from one index on 127.0.0.1.

    python3 benches/install.py [--pinfast target/release/pinfast] [--uv uv] [--python python3.11] [--rounds 5]

Locks the example, downloads its files once from the index that pip is configured for, serves them over HTTP, and
prints for each case the median of the wall time and its ratio to uv's, as a table. `warm` is a new
environment from a full cache, `nothing` an environment that is right already, `cold` a new one with an empty cache.
"""

import argparse
import http.server
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pinfast", type=Path, default=ROOT / "target/release/pinfast")
    parser.add_argument("--uv", default=shutil.which("uv") or "uv")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        index = laid_out(folder, args)
        contenders = contenders_of(folder, args, index)
        print("| case | " + " | ".join(f"{name} s | to uv" for name in contenders) + " |")
        print("|---|" + "---|" * 2 * len(contenders))
        for case in ["warm", "nothing", "cold"]:
            print(row(case, {name: [] for name in contenders}, contenders, folder, args))


def laid_out(folder, args):
    """The lock and its files, served; the URL of the index."""
    shutil.copy(ROOT / "examples/marketing-bot/requirements.in", folder)
    pinfast = str(args.pinfast.resolve())
    subprocess.run([pinfast, "-q", "lock", "--python", args.python, "--only-binary", ":all:"], cwd=folder, check=True)
    subprocess.run([pinfast, "-q", "download", "-d", "files"], cwd=folder, check=True)
    handler = lambda *it: Quiet(*it, directory=str(folder / "files"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/simple"


def contenders_of(folder, args, index):
    """For each contender its name, and its command for an environment `venv`."""
    python = ["--python", args.python]
    here = ["--index-url", index]

    def inside(venv):
        return str(folder / venv / "bin/python")

    return {
        "pinfast": lambda venv: [[str(args.pinfast.resolve()), "-q", "install", "--venv", venv, *python, *here]],
        "uv": lambda venv: [
            [args.uv, "venv", "-q", "--allow-existing", *python, venv],
            [args.uv, "pip", "sync", "-q", "--require-hashes", "--python", inside(venv), *here, "requirements.txt"],
        ],
        "pip": lambda venv: [
            [args.python, "-m", "venv", "--without-pip", venv],
            [args.python, "-m", "pip", "--python", inside(venv), "install", "-q", "--no-compile", "--no-deps",
             "--require-hashes", "--disable-pip-version-check", *here, "-r", "requirements.txt"],
        ],
    }


def row(case, times, contenders, folder, args):
    for name, commands in contenders.items():
        run_all(commands(f"{name}-venv"), name, folder)
    for _ in range(args.rounds):
        for name, commands in contenders.items():
            venv, cache = folder / f"{name}-venv", folder / f"{name}-cache"
            if case != "nothing":
                shutil.rmtree(venv)
            if case == "cold":
                shutil.rmtree(cache, ignore_errors=True)
            # An environment that is there is no part of what nothing to do costs.
            todo = commands(venv.name)[-1:] if case == "nothing" else commands(venv.name)
            begun = time.perf_counter()
            run_all(todo, name, folder)
            times[name].append(time.perf_counter() - begun)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    cells = (f"{medians[name]:.3f} | {medians[name] / medians['uv']:.2f}" for name in contenders)
    return f"| {case} | " + " | ".join(cells) + " |"


def run_all(commands, name, folder):
    """Runs the commands one after the other, each contender with a cache of its own."""
    cache = str(folder / f"{name}-cache")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_", "PINFAST_"))}
    environment |= {"PINFAST_CACHE_DIR": cache, "UV_CACHE_DIR": cache, "PIP_CACHE_DIR": cache,
                    "PIP_CONFIG_FILE": os.devnull}
    for command in commands:
        done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(f"failed: {' '.join(command)}")


if __name__ == "__main__":
    main()
