#!/usr/bin/env python3
"""Times installing a lock by pinfast, `uv pip sync` and pip, whole processes in turns, from one index on 127.0.0.1.

    python3 benches/install.py [--pinfast target/release/pinfast] [--uv uv] [--python python3.11] [--rounds 3]

Locks the example, downloads its files once from the index that pip is configured for, serves them over HTTP, and
prints for each case the medians of the wall time and of the peak memory, and the ratio of the times to uv's, as a
table. `cold` is a new environment with an empty cache; `second` a new one from the cache that `cold` filled, whose
environment is still there; `first` a new one from a full cache that no other environment was made from; `nothing` an
environment that is right already. pip is slow, and measured once.

Nothing is removed before the end, since some file systems are slow to use again what was removed just now: that would
measure what ran before; `--folder` names a disk that nobody else works on. A round takes some 2 GB. A peak of memory
below this program's own is told as that.
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


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """Clients may leave when they have what they want."""


class Contender:
    """A tool: its commands, and for each round caches and environments of its own."""

    def __init__(self, name, folder, create, install, fill):
        self.name, self.folder, self.create, self.install, self.fill = name, folder, create, install, fill

    def run(self, commands, cache):
        """Runs the commands one after the other; the seconds, and the largest peak of memory in MB."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_", "PINFAST_"))}
        cache = str(self.folder / cache)
        environment |= {"PINFAST_CACHE_DIR": cache, "UV_CACHE_DIR": cache, "PIP_CACHE_DIR": cache,
                        "PIP_CONFIG_FILE": os.devnull}
        # What earlier runs left to be written is none of this one's work.
        os.sync()
        peak, begun = 0, time.perf_counter()
        for command in commands:
            process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                sys.exit(f"failed: {' '.join(command)}")
            peak = max(peak, usage.ru_maxrss / 1024)
        return time.perf_counter() - begun, peak

    def round(self, number):
        """One measure of each case, by its name."""
        cold, warm = f"{self.name}-cold-{number}", f"{self.name}-warm-{number}"
        venvs = [f"{self.name}-venv-{number}-{case}" for case in range(3)]
        commands = [self.create(venv) + self.install(venv) for venv in venvs]
        yield "cold", self.run(commands[0], cold)
        yield "second", self.run(commands[1], cold)
        # Each tool asks an interpreter once what it is.
        self.run(self.install(venvs[1]), cold)
        yield "nothing", self.run(self.install(venvs[1]), cold)
        if self.fill:
            self.run(self.fill, warm)
        yield "first", self.run(commands[2], warm if self.fill else cold)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pinfast", type=Path, default=ROOT / "target/release/pinfast")
    parser.add_argument("--uv", default=shutil.which("uv") or "uv")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="where to work, instead of the system's folder for what is temporary")
    parser.add_argument("--no-pip", action="store_true", help="leave pip out, which takes most of the time")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        folder = Path(folder).resolve()
        contenders = contenders_of(folder, args, laid_out(folder, args))
        seen = {}
        for number in range(args.rounds):
            for contender in contenders if number == 0 else contenders[:2]:
                for case, measure in contender.round(number):
                    seen.setdefault(case, {}).setdefault(contender.name, []).append(measure)
        print("| case | " + " | ".join(f"{it.name} s | MB | to uv" for it in contenders) + " |")
        print("|---|" + "---|" * 3 * len(contenders))
        for case in ["first", "second", "nothing", "cold"]:
            print(row(case, seen[case]))


def laid_out(folder, args):
    """The lock and its files, served; the URL of the index."""
    shutil.copy(ROOT / "examples/marketing-bot/requirements.in", folder)
    pinfast = str(args.pinfast.resolve())
    lock = [pinfast, "-q", "lock", "--python", args.python, "--only-binary", ":all:", "--hashes", "targets"]
    subprocess.run(lock, cwd=folder, check=True)
    subprocess.run([pinfast, "-q", "download", "-d", "files"], cwd=folder, check=True)
    handler = lambda *it: Quiet(*it, directory=str(folder / "files"))
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/simple"


def contenders_of(folder, args, index):
    """pinfast, uv and, last, pip."""
    python = ["--python", args.python]
    here = ["--index-url", index]
    pinfast = [str(args.pinfast.resolve()), "-q", "install", *python, *here, "--venv"]
    pip = [args.python, "-m", "pip", "--python"]
    options = ["install", "-q", "--no-compile", "--no-deps", "--require-hashes", "--disable-pip-version-check", *here]

    def inside(venv):
        return str(folder / venv / "bin/python")

    sync = [args.uv, "pip", "sync", "-q", "--require-hashes", *here, "requirements.txt", "--python"]
    found = [
        # Only pinfast tells a first environment of a cache from a second.
        Contender("pinfast", folder, lambda _: [], lambda venv: [[*pinfast, venv]], [[*pinfast, "none", "--dry-run"]]),
        Contender("uv", folder, lambda venv: [[args.uv, "venv", "-q", *python, venv]],
                  lambda venv: [[*sync, inside(venv)]], None),
        Contender("pip", folder, lambda venv: [[args.python, "-m", "venv", "--without-pip", venv]],
                  lambda venv: [[*pip, inside(venv), *options, "-r", "requirements.txt"]], None),
    ]
    return found[:2] if args.no_pip else found


def row(case, seen):
    """A line of the table: for each contender the medians, and the ratio of the times to uv's."""
    medians = {name: [statistics.median(part) for part in zip(*them)] for name, them in seen.items()}
    cells = (f"{time:.3f} | {peak:.0f} | {time / medians['uv'][0]:.2f}" for time, peak in medians.values())
    return f"| {case} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
