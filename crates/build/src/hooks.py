# Calls one hook of a build backend (PEP 517): `hooks.py CALL RESULT`, both JSON files.
#
# This process forks. The child leads a session of its own and imports the backend; the parent waits for it. The
# parent kills the child's process group when the child ends, and when the standard input is closed: the time is
# up, or pinfast is gone. Works with Python 3.6 and newer.

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
    def kill_when_input_ends():
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        kill(child)
        os._exit(3)

    threading.Thread(target=kill_when_input_ends, daemon=True).start()
    status = os.waitpid(child, 0)[1]
    kill(child)
    os._exit(0 if status == 0 else 1)


def kill(child):
    for end in (os.killpg, os.kill):
        try:
            end(child, signal.SIGKILL)
        except OSError:
            pass


def run(call, result):
    import json

    with open(call, encoding="utf-8") as file:
        call = json.load(file)
    if call["network"] == "isolated":
        leave_the_network()
    # Some setup scripts read their arguments.
    sys.argv = ["setup.py"]
    backend = load(call["backend"], call["backend_path"])
    value = call_hook(backend, call)
    with open(result, "w", encoding="utf-8") as file:
        json.dump(value, file)


def leave_the_network():
    # A new network namespace has no way out. A user who is not root needs a new user namespace around it, which
    # maps their ids to themselves. If the system permits neither, the network stays.
    import ctypes

    CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    uid, gid = os.getuid(), os.getgid()
    if unshare is None or unshare(CLONE_NEWNET) == 0 or unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
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
        # PEP 517: a backend with a backend-path must come from there.
        place = os.path.realpath(getattr(backend, "__file__", None) or os.sep)
        inside = (os.path.realpath(folder) + os.sep for folder in path)
        if not any(place.startswith(folder) for folder in inside):
            sys.exit("the backend `%s` does not come from its backend-path" % name)
    for part in attribute.split(".") if attribute else ():
        backend = getattr(backend, part)
    return backend


def call_hook(backend, call):
    if call["hook"] == "requirements":
        get_requires = getattr(backend, "get_requires_for_build_wheel", None)
        return {"requirements": list(get_requires(None)) if get_requires else []}
    if call["hook"] == "wheel":
        return {"wheel": backend.build_wheel(call["out"], None, None)}
    prepare = getattr(backend, "prepare_metadata_for_build_wheel", None)
    if prepare:
        return {"folder": prepare(call["out"], None)}
    return {"wheel": backend.build_wheel(call["out"], None, None)}


main()
