# Runs one hook of a build backend (PEP 517): `hooks.py TASK ANSWER`, both JSON files.
#
# This process watches; the backend runs in a child that leads a session of its own. When the standard
# input ends (the time is up, or pinfast is gone), the whole group of the child is killed; what the child
# leaves running is killed too. Works from Python 3.6 on.

import os
import signal
import sys
import threading


def main():
    child = os.fork()
    if child != 0:
        watch(child)
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    run(sys.argv[1], sys.argv[2])


def watch(child):
    def wait_for_the_end():
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        kill(child)
        os._exit(3)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    status = os.waitpid(child, 0)[1]
    kill(child)
    os._exit(0 if status == 0 else 1)


def kill(child):
    for end in (os.killpg, os.kill):
        try:
            end(child, signal.SIGKILL)
        except OSError:
            pass


def run(task, answer):
    import json

    with open(task, encoding="utf-8") as file:
        task = json.load(file)
    if task["network"] == "none":
        leave_the_network()
    sys.argv = ["setup.py"]
    backend = load(task["backend"], task["backend_path"])
    found = hook(backend, task)
    with open(answer, "w", encoding="utf-8") as file:
        json.dump(found, file)


def leave_the_network():
    # A network namespace of its own has no way out. Who is not root needs a user namespace around it, in which
    # they stay who they are. Where the system permits neither, the network stays.
    import ctypes

    user, network = 0x10000000, 0x40000000
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    uid, gid = os.getuid(), os.getgid()
    if unshare is None or unshare(network) == 0 or unshare(user | network) != 0:
        return
    for name, text in (("setgroups", "deny"), ("uid_map", "%d %d 1" % (uid, uid)), ("gid_map", "%d %d 1" % (gid, gid))):
        try:
            with open("/proc/self/" + name, "w") as file:
                file.write(text)
        except OSError:
            pass


def load(name, path):
    import importlib

    sys.path[:0] = path
    module, _, attribute = name.partition(":")
    backend = importlib.import_module(module)
    if path:
        place = os.path.realpath(getattr(backend, "__file__", None) or os.sep)
        inside = (os.path.realpath(folder) + os.sep for folder in path)
        if not any(place.startswith(folder) for folder in inside):
            sys.exit("the backend `%s` does not come from its backend-path" % name)
    for part in attribute.split(".") if attribute else ():
        backend = getattr(backend, part)
    return backend


def hook(backend, task):
    if task["want"] == "requirements":
        ask = getattr(backend, "get_requires_for_build_wheel", None)
        return {"requirements": list(ask(None)) if ask else []}
    if task["want"] == "wheel":
        return {"wheel": backend.build_wheel(task["out"], None, None)}
    prepare = getattr(backend, "prepare_metadata_for_build_wheel", None)
    if prepare:
        return {"folder": prepare(task["out"], None)}
    return {"wheel": backend.build_wheel(task["out"], None, None)}


main()
