# Tells what pinfast asks of an interpreter, as one JSON document behind a marker line.
# Runs on every CPython and PyPy from 3.6 on; imports nothing that it can do without.
import json, os, platform, sys, sysconfig


def version_of(info):
    text = "{0.major}.{0.minor}.{0.micro}".format(info)
    return text if info.releaselevel == "final" else text + info.releaselevel[0] + str(info.serial)


def markers():
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": version_of(sys.implementation.version),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        # A build from a checkout ends in "+", which no version may.
        "python_full_version": platform.python_version().rstrip("+"),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def glibc():
    try:
        return os.confstr("CS_GNU_LIBC_VERSION").split()[1]
    except (AttributeError, OSError, ValueError, IndexError):
        pass
    try:
        import ctypes

        tell = ctypes.CDLL(None).gnu_get_libc_version
        tell.restype = ctypes.c_char_p
        return tell().decode("ascii")
    except (ImportError, AttributeError, OSError, TypeError):
        return None


def elf():
    """Class, byte order, machine, flags and program interpreter of the executable."""
    import struct

    with open(sys.executable, "rb") as f:
        ident = f.read(16)
        if ident[:4] != b"\x7fELF":
            return None
        bits, order = (32 if ident[4] == 1 else 64), ("<" if ident[5] == 1 else ">")
        form = "HHIIIIIHHH" if bits == 32 else "HHIQQQIHHH"
        head = struct.unpack(order + form, f.read(struct.calcsize(order + form)))
        found = {"bits": bits, "little": ident[5] == 1, "machine": head[1], "flags": head[6]}
        for number in range(head[9]):
            f.seek(head[4] + head[8] * number)
            if bits == 32:
                kind, offset, _, _, size = struct.unpack(order + "IIIII", f.read(20))
            else:
                kind, _, offset, _, _, size = struct.unpack(order + "IIQQQQ", f.read(40))
            if kind == 3 and size < 4096:
                f.seek(offset)
                found["interpreter"] = f.read(size).strip(b"\0").decode("utf-8", "replace")
        return found


def musl(interpreter):
    if not interpreter or "musl" not in interpreter:
        return None
    import re, subprocess

    run = subprocess.Popen([interpreter], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = run.communicate()[1].decode("utf-8", "replace")
    found = re.search(r"^Version (\d+\.\d+)", said, re.M)
    return found.group(1) if found else None


def macos():
    version = platform.mac_ver()[0]
    if version.split(".")[:2] == ["10", "16"]:
        # Built against an old SDK, the interpreter is told 10.16 for every newer system.
        import subprocess

        ask = [sys.executable, "-sS", "-c", "import platform; print(platform.mac_ver()[0])"]
        env = dict(os.environ, SYSTEM_VERSION_COMPAT="0")
        version = subprocess.check_output(ask, env=env).decode("ascii", "replace").strip()
    return version


def platform_facts():
    facts = {
        "platform": sysconfig.get_platform(),
        "pointer_bits": 64 if sys.maxsize > 2**32 else 32,
        "glibc": None, "musl": None, "macos": None, "elf": None,
    }
    if sys.platform.startswith("linux"):
        try:
            facts["elf"] = elf()
        except Exception:
            pass
        facts["glibc"] = glibc()
        facts["musl"] = musl((facts["elf"] or {}).get("interpreter"))
    elif sys.platform == "darwin":
        facts["macos"] = macos()
    return facts


def abi_facts():
    from importlib.machinery import EXTENSION_SUFFIXES

    var = sysconfig.get_config_var
    debug = var("Py_DEBUG")
    if debug is None:
        debug = hasattr(sys, "gettotalrefcount") or "_d.pyd" in EXTENSION_SUFFIXES
    return {
        "gil_disabled": bool(var("Py_GIL_DISABLED")),
        "debug": bool(debug),
        "soabi": var("SOABI"),
        "ext_suffix": var("EXT_SUFFIX"),
    }


def constant(wheel):
    """The default index that pip names: the one in `wheel`, or the installed one."""
    if wheel:
        sys.path.insert(0, wheel)
    try:
        from pip._internal.models.index import PyPI

        return PyPI.simple_url
    finally:
        if wheel:
            sys.path.remove(wheel)
        for name in [name for name in sys.modules if name == "pip" or name.startswith("pip.")]:
            del sys.modules[name]


def pips():
    """Where a pip may be: installed (None), then in the wheel that ensurepip would install."""
    import glob
    from importlib.util import find_spec

    yield None
    ensurepip = find_spec("ensurepip")
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR"), "/usr/share/python-wheels"]
    if ensurepip and ensurepip.origin:
        folders.insert(0, os.path.join(os.path.dirname(ensurepip.origin), "_bundled"))
    for folder in folders:
        if folder:
            for wheel in sorted(glob.glob(os.path.join(glob.escape(folder), "pip-*.whl"))):
                yield wheel


def default_index():
    for wheel in pips():
        try:
            return constant(wheel)
        except Exception:
            continue
    return None


def main():
    if sys.version_info < (3, 6):
        return {"too_old": platform.python_version()}
    base = getattr(sys, "base_prefix", sys.prefix)
    return {
        "markers": markers(),
        "platform": platform_facts(),
        "abi": abi_facts(),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "base_prefix": base,
        "base_executable": getattr(sys, "_base_executable", None),
        "paths": {k: v for k, v in sysconfig.get_paths().items()
                  if k in ("purelib", "platlib", "scripts", "data", "include", "stdlib")},
        "default_index": default_index(),
    }


sys.stdout.write("\n--pinfast--\n" + json.dumps(main()) + "\n")
