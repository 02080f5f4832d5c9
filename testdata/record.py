#!/usr/bin/env python3
"""Records a small, self-contained copy of the configured package index for the tests.

    python3 testdata/record.py --help

It walks everything that the inputs can require in the tests' environments, keeps a few releases of
each project, and writes them as a folder index: a plain file server, or nothing but the folder, makes
an index of it. Kept are names, versions, files, hashes and what a resolver needs of the metadata; no
description, author or other prose. See testdata/README.md for the layout and the command that was run.

Needs Python 3.9 with pip, nothing else: pip tells which index to ask, and brings PyPA's `packaging`.
`--check` looks over a folder that was recorded; it needs neither pip nor the network.
"""

import argparse
import concurrent.futures
import email.parser
import gzip
import hashlib
import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
THREADS = 12
TRIES = 5
LIMIT = 12_000_000

# The environments whose requirements are followed and whose wheels are kept.
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "aarch64"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
)
PYTHON_TAG = re.compile(r"py3|py2\.py3|py3\d|cp311|cp312|cp313")
ABI3_TAG = re.compile(r"cp3(\d|1[0-3])")
PLATFORM_TAG = re.compile(
    r"any|manylinux\w*_(x86_64|aarch64)|linux_(x86_64|aarch64)|macosx_\w+_(arm64|universal2)|win_amd64"
)

# What is kept of METADATA.
FIELDS = {
    "metadata-version",
    "name",
    "version",
    "requires-python",
    "requires-dist",
    "provides-extra",
    "dynamic",
}


def main():
    args = arguments()
    if args.check:
        sys.exit(check(args.output))
    source = Source(args.cache, args.until)
    walk = Walk(source, args)
    for path in args.inputs:
        for line in input_lines(path):
            walk.want(line)
    walk.run()
    write(args.output, walk.projects)
    sys.exit(check(args.output))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("inputs", nargs="*", type=Path, help="requirement files to start from")
    parser.add_argument("-o", "--output", type=Path, default=HERE / "index", help="the folder to write")
    parser.add_argument("--until", type=moment, default=datetime.now(timezone.utc), metavar="DATE",
                        help="ignore what was uploaded later, so that a second recording gives the same")
    parser.add_argument("--days", type=int, default=730, help="how old a release may be (%(default)s)")
    parser.add_argument("--newest", type=int, default=8, metavar="N",
                        help="releases kept of a project (%(default)s)")
    parser.add_argument("--newest-binary", type=int, default=3, metavar="N",
                        help="releases kept of a project with platform wheels (%(default)s)")
    parser.add_argument("--all", action="append", default=[], metavar="NAME", dest="whole",
                        help="keep every release of this project")
    parser.add_argument("--since", action="append", default=[], metavar="NAME=DATE", type=since,
                        help="keep every release of this project from DATE on")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "pinfast-record",
                        help="where answers are kept between two runs (%(default)s)")
    parser.add_argument("--check", action="store_true", help="only look over the folder that is there")
    return parser.parse_args()


def moment(text):
    """A date or an RFC 3339 time; without a zone it is UTC."""
    time_ = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return time_ if time_.tzinfo else time_.replace(tzinfo=timezone.utc)


def since(text):
    name, _, date = text.partition("=")
    return name, moment(date)


def input_lines(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        if line and not line.startswith("-"):
            yield line


def normalise(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pip_packaging():
    """PyPA's `packaging`, as pip brings it."""
    from pip._vendor.packaging import requirements, specifiers, version  # noqa: PLC0415

    return requirements, specifiers, version


# --- the index that is recorded ---


def configured_index():
    """The Simple API's URL as pip would use it: the environment, pip's configuration, pip's default."""
    if os.environ.get("PIP_INDEX_URL"):
        return os.environ["PIP_INDEX_URL"]
    for scope in ("global", "install", "download"):
        command = [sys.executable, "-m", "pip", "config", "get", f"{scope}.index-url"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.strip():
            return answer.stdout.strip()
    from pip._internal.models.index import PyPI  # noqa: PLC0415

    return PyPI.simple_url


class Source:
    """The index, asked over HTTP with retries; answers are kept in a folder between two runs."""

    def __init__(self, cache, until):
        self.root = configured_index().rstrip("/")
        if not self.root.endswith("/simple"):
            sys.exit("the configured index has no JSON API beside its Simple API")
        self.root = self.root[: -len("/simple")]
        self.cache = cache
        self.until = until
        cache.mkdir(parents=True, exist_ok=True)

    def project(self, name):
        """The JSON API's page of a project, or None where there is no such project."""
        body = self.kept(f"page {name} {self.until}", lambda: self.get(self.page_url(name)))
        return json.loads(body) if body else None

    def page_url(self, name):
        return f"{self.root}/pypi/{name}/json"

    def metadata(self, name, file):
        """The METADATA inside a wheel of the project `name`, trimmed."""
        return self.kept(f"metadata {file['digests']['sha256']}", lambda: trim(self.read_wheel(name, file)))

    def read_wheel(self, name, file):
        url = urllib.parse.urljoin(self.page_url(name), file["url"])
        with zipfile.ZipFile(Ranged(self, url, file["size"])) as wheel:
            inside = [n for n in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n)]
            if len(inside) != 1:
                sys.exit(f"{file['filename']} has {len(inside)} METADATA files")
            return wheel.read(inside[0])

    def kept(self, key, make):
        path = self.cache / hashlib.sha256(key.encode()).hexdigest()
        if not path.exists():
            body = make()
            part = path.with_suffix(f".{os.getpid()}")
            part.write_bytes(body)
            part.replace(path)
        return path.read_bytes()

    def get(self, url, span=None):
        """The body, or the bytes `span` of it; empty on 404."""
        headers = {"Accept-Encoding": "identity", "Range": "bytes=%d-%d" % span} if span else {"Accept-Encoding": "gzip"}
        for attempt in range(TRIES):
            try:
                with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
                    if span and answer.status != 206:
                        sys.exit(f"the index does not answer ranges: {answer.status}")
                    body = answer.read()
                    return gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
            except urllib.error.HTTPError as error:
                if error.code == 404:
                    return b""
                failure = error
            except OSError as error:
                failure = error
            time.sleep(2**attempt / 2)
        raise failure


class Ranged(io.RawIOBase):
    """A remote file that is read in blocks, the last of them first: that is where a wheel's metadata is."""

    BLOCK = 48 * 1024

    def __init__(self, source, url, size):
        super().__init__()
        self.source, self.url, self.size = source, url, size
        self.position = 0
        self.start = max(0, size - self.BLOCK)
        self.block = source.get(url, (self.start, size - 1))

    def seekable(self):
        return True

    def readable(self):
        return True

    def tell(self):
        return self.position

    def seek(self, offset, whence=io.SEEK_SET):
        self.position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}[whence]
        return self.position

    def readinto(self, buffer):
        end = min(self.position + len(buffer), self.size)
        if end <= self.position:
            return 0
        if not self.start <= self.position < self.start + len(self.block):
            self.start = self.position
            last = min(self.size, self.start + max(len(buffer), self.BLOCK)) - 1
            self.block = self.source.get(self.url, (self.start, last))
        piece = self.block[self.position - self.start : end - self.start]
        buffer[: len(piece)] = piece
        self.position += len(piece)
        return len(piece)


def trim(metadata):
    """The fields that a resolver reads, in the order of the original, one line each."""
    message = email.parser.BytesHeaderParser().parsebytes(metadata)
    lines = [f"{key}: {' '.join(str(value).split())}" for key, value in message.items() if key.lower() in FIELDS]
    return ("\n".join(lines) + "\n").encode()


# --- what is kept of it ---


def fits(filename):
    """Whether a wheel is for one of the environments, or the file is an sdist that pip takes."""
    if not filename.endswith(".whl"):
        return filename.endswith((".tar.gz", ".zip"))
    *_, python, abi, platform = filename[: -len(".whl")].split("-")
    tag = ABI3_TAG if "abi3" in abi.split(".") else PYTHON_TAG
    return (
        bool(tag.fullmatch(python))
        and not abi.endswith("t")
        and any(PLATFORM_TAG.fullmatch(p) for p in platform.split("."))
    )


def parsed_version(text):
    """A version; None where it is none by PEP 440."""
    _, _, version = pip_packaging()
    try:
        return version.Version(text)
    except version.InvalidVersion:
        return None


def admits(requires_python, python):
    """Whether a Requires-Python lets `python` in; one that cannot be read does, as with pip."""
    _, specifiers, _ = pip_packaging()
    try:
        return specifiers.SpecifierSet(requires_python or "").contains(python + ".0")
    except specifiers.InvalidSpecifier:
        return True


class Project:
    """A project: its page, which of its releases are kept, and their files' metadata."""

    def __init__(self, name, page, args):
        self.name = name
        self.info = page["info"]
        self.releases = {}
        for text, files in page["releases"].items():
            files = [f for f in files if fits(f["filename"]) and uploaded(f) <= args.until]
            version = parsed_version(text)
            if version and any(f["filename"].endswith(".whl") for f in files):
                self.releases[version] = (text, sorted(files, key=lambda f: f["filename"]))
        self.newest = sorted(self.releases, reverse=True)
        self.kept = set()
        self.metadata = {}
        self.keep_by_age(args)

    def keep_by_age(self, args):
        """The first choice: the newest releases, and all where so told."""
        binary = self.newest and not any(
            f["filename"].endswith("-any.whl") for f in self.releases[self.newest[0]][1]
        )
        oldest = args.until - timedelta(days=args.days)
        recent = [v for v in self.newest if self.age(v) >= oldest]
        count = args.newest_binary if binary else args.newest
        self.kept.update([v for v in recent if not v.is_prerelease][:count])
        self.kept.update([v for v in recent if v.is_prerelease][:1])
        if self.name in args.whole:
            self.kept.update(self.newest)
        for name, date in args.since:
            if name == self.name:
                self.kept.update(v for v in self.newest if self.age(v) >= date)
        self.kept.update(v for v in self.newest if str(v) == self.info["version"])
        if not self.kept:
            self.kept.update(self.newest[:1])

    def age(self, version):
        return max(uploaded(f) for f in self.releases[version][1])

    def keep_matching(self, specifiers):
        """The newest release that a requirement admits is kept too, so that its requirer can be chosen."""
        admitted = [v for v in self.newest if specifiers.contains(v, prereleases=False)]
        for python in PYTHONS:
            self.kept.update([v for v in admitted if self.runs_on(python, v)][:1])

    def runs_on(self, python, version):
        """Whether a release has a wheel for `python` that was not yanked."""
        tag = "cp" + python.replace(".", "")
        return any(
            not f["yanked"]
            and re.search(rf"-(py\d[^-]*-none|[^-]+-abi3|{tag}-{tag})-[^-]+\.whl$", f["filename"])
            and admits(f["requires_python"], python)
            for f in self.releases[version][1]
        )

    def files(self):
        """Version text and file, of the releases kept, in the order of versions and file names."""
        for version in sorted(self.kept):
            text, files = self.releases[version]
            for file in files:
                yield text, file

    def missing(self):
        return [f for _, f in self.files() if f["filename"].endswith(".whl") and f["filename"] not in self.metadata]


def uploaded(file):
    return moment(file["upload_time_iso_8601"])


class Walk:
    """Follows requirements, project by project, until nothing new is met."""

    def __init__(self, source, args):
        self.source, self.args = source, args
        self.projects = {}
        self.extras = {}
        self.specifiers = {}
        self.seen = set()
        self.pool = concurrent.futures.ThreadPoolExecutor(THREADS)

    def want(self, line):
        """Takes note of one requirement."""
        requirements, _, _ = pip_packaging()
        requirement = requirements.Requirement(line)
        name = normalise(requirement.name)
        self.extras.setdefault(name, {""}).update(map(normalise, requirement.extras))
        self.specifiers.setdefault(name, {})[str(requirement.specifier)] = requirement.specifier

    def run(self):
        while self.step():
            files = sum(len(list(p.files())) for p in self.projects.values())
            print(f"{len(self.projects)} projects, {files} files", file=sys.stderr)

    def step(self):
        """One round: pages, then metadata, then what that metadata requires. False when nothing is new."""
        before = self.state()
        new = sorted(set(self.extras) - set(self.projects))
        for name, page in zip(new, self.pool.map(self.source.project, new)):
            if page:
                self.projects[name] = Project(name, page, self.args)
            else:
                sys.exit(f"there is no project {name}")
        for name, project in self.projects.items():
            for specifiers in self.specifiers[name].values():
                project.keep_matching(specifiers)
        missing = [(p, f) for p in self.projects.values() for f in p.missing()]
        texts = self.pool.map(lambda m: self.source.metadata(m[0].name, m[1]), missing)
        for (project, file), text in zip(missing, texts):
            project.metadata[file["filename"]] = text
        for project in list(self.projects.values()):
            self.follow(project)
        return self.state() != before

    def follow(self, project):
        requirements, _, _ = pip_packaging()
        extras = self.extras[project.name]
        texts = {
            line.partition(": ")[2]
            for metadata in project.metadata.values()
            for line in metadata.decode().splitlines()
            if line.startswith("Requires-Dist: ")
        }
        for text in sorted(texts):
            key = (text, frozenset(extras))
            if key not in self.seen:
                self.seen.add(key)
                marker = requirements.Requirement(text).marker
                if marker is None or any(marker.evaluate(e) for e in environments(extras)):
                    self.want(text)

    def state(self):
        return (
            sum(map(len, self.extras.values())),
            sum(map(len, self.specifiers.values())),
            sum(len(p.kept) for p in self.projects.values()),
        )


def environments(extras):
    for python in PYTHONS:
        for platform in PLATFORMS:
            for extra in sorted(extras):
                yield {
                    **platform,
                    "python_version": python,
                    "python_full_version": python + ".0",
                    "implementation_name": "cpython",
                    "platform_python_implementation": "CPython",
                    "extra": extra,
                }


# --- the folder ---


def write(folder, projects):
    for room in ("simple", "pypi", "files"):
        shutil.rmtree(folder / room, ignore_errors=True)
    for name, project in sorted(projects.items()):
        entries = [entry(project, text, file) for text, file in project.files()]
        put(folder / "simple" / name / "index.json", compact(simple_json(name, entries)))
        put(folder / "simple" / name / "index.html", simple_html(name, entries))
        put(folder / "pypi" / name / "json", compact(json_api(project, entries)))
        for filename, metadata in project.metadata.items():
            put(folder / "files" / name / f"{filename}.metadata", metadata.decode())
    names = sorted(projects)
    put(folder / "simple" / "index.json",
        compact({"meta": {"api-version": "1.1"}, "projects": [{"name": n} for n in names]}))
    put(folder / "simple" / "index.html", page("Simple index", [f'<a href="{n}/">{n}</a><br>' for n in names]))


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True) + "\n"


def entry(project, version, file):
    """One file as the pages tell of it."""
    metadata = project.metadata.get(file["filename"])
    return {
        "version": version,
        "filename": file["filename"],
        "url": f"../../files/{project.name}/{urllib.parse.quote(file['filename'])}",
        "sha256": file["digests"]["sha256"],
        "requires_python": file["requires_python"] or None,
        "size": file["size"],
        "uploaded": file["upload_time_iso_8601"],
        "yanked": file["yanked"],
        "reason": reason(file),
        "metadata": hashlib.sha256(metadata).hexdigest() if metadata else None,
    }


def reason(file):
    """Why it was yanked, where that is a few words; a story or a link is left out."""
    text = file["yanked_reason"] or ""
    return text if file["yanked"] and len(text) <= 60 and "://" not in text else None


def simple_json(name, entries):
    files = []
    for e in entries:
        file = {"filename": e["filename"], "url": e["url"], "hashes": {"sha256": e["sha256"]}}
        if e["requires_python"]:
            file["requires-python"] = e["requires_python"]
        file.update({"size": e["size"], "upload-time": e["uploaded"]})
        file["yanked"] = (e["reason"] or True) if e["yanked"] else False
        file["core-metadata"] = {"sha256": e["metadata"]} if e["metadata"] else False
        files.append(file)
    versions = list(dict.fromkeys(e["version"] for e in entries))
    return {"meta": {"api-version": "1.1"}, "name": name, "versions": versions, "files": files}


def simple_html(name, entries):
    return page(f"Links for {name}", [anchor(e) for e in entries])


def page(title, lines):
    head = ["<!DOCTYPE html>", "<html><head>", '<meta name="pypi:repository-version" content="1.1">',
            f"<title>{title}</title></head><body>"]
    return "\n".join([*head, *lines, "</body></html>", ""])


def anchor(e):
    attributes = [("href", f"{e['url']}#sha256={e['sha256']}")]
    if e["requires_python"]:
        attributes.append(("data-requires-python", e["requires_python"]))
    if e["yanked"]:
        attributes.append(("data-yanked", e["reason"] or ""))
    if e["metadata"]:
        attributes.append(("data-core-metadata", f"sha256={e['metadata']}"))
    told = " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes)
    return f"<a {told}>{e['filename']}</a><br>"


def json_api(project, entries):
    releases = {}
    for e in entries:
        releases.setdefault(e["version"], []).append({
            "filename": e["filename"],
            "url": e["url"],
            "digests": {"sha256": e["sha256"]},
            "requires_python": e["requires_python"],
            "size": e["size"],
            "upload_time_iso_8601": e["uploaded"],
            "yanked": e["yanked"],
            "yanked_reason": e["reason"],
        })
    told = ("name", "version", "requires_dist", "requires_python", "provides_extra", "yanked")
    info = {key: project.info.get(key) for key in told}
    return {"info": info, "releases": releases, "urls": releases.get(info["version"], [])}


# --- looking over what was written ---


def check(folder):
    """Prints what is wrong with the folder and a summary; the exit code."""
    wrong, told, files, size = [], set(), 0, 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        body = path.read_bytes()
        files, size = files + 1, size + len(body)
        if b"://" in body:
            wrong.append(f"{path.relative_to(folder)} holds an absolute URL")
    names = sorted(p.name for p in (folder / "pypi").glob("*"))
    for name in names:
        pages = [read_json_api(folder, name), read_simple_json(folder, name), read_simple_html(folder, name)]
        if not pages[0] or not pages[0] == pages[1] == pages[2]:
            wrong.append(f"the three pages of {name} tell different files")
        told |= set(pages[1].values())
        for (filename, _), metadata in pages[1].items():
            wrong += check_file(folder, name, filename, metadata)
    found = {p.relative_to(folder).as_posix() for p in (folder / "files").rglob("*") if p.is_file()}
    wrong += [f"{path} stands on no page" for path in sorted(found - {path for path, _ in told})]
    if sorted(p.name for p in (folder / "simple").iterdir() if p.is_dir()) != names:
        wrong.append("simple/ and pypi/ have different projects")
    if not names or size > LIMIT:
        wrong.append(f"{len(names)} projects in {size} bytes; at least one in at most {LIMIT} expected")
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(names)} projects, {files} files, {size / 1e6:.1f} MB, {len(wrong)} wrong")
    return 1 if wrong else 0


def check_file(folder, name, filename, metadata):
    path, sha256 = metadata
    if sha256 is None:
        return [] if not filename.endswith(".whl") else [f"{filename} has no metadata"]
    body = (folder / path).read_bytes() if (folder / path).is_file() else b""
    if hashlib.sha256(body).hexdigest() != sha256:
        return [f"{path} does not match its hash"]
    inside = dict(line.split(": ", 1) for line in body.decode().splitlines())
    known = {key.lower() for key in inside} <= FIELDS
    return [] if known and normalise(inside["Name"]) == name else [f"{path} is not trimmed, or not {name}'s"]


def metadata_path(url):
    return in_folder(url) + ".metadata"


def in_folder(url):
    """The path in the folder of a URL on a page two folders down."""
    if not url.startswith("../../files/"):
        raise ValueError(f"{url} does not point into files/")
    return urllib.parse.unquote(url[len("../../") :])


# Each reader gives {(filename, sha256 of the file): (path of its metadata, sha256 of that)}; the JSON API
# tells nothing of metadata, so the second half of it is taken from the Simple page in `check`.


def read_json_api(folder, name):
    page_ = json.loads((folder / "pypi" / name / "json").read_text(encoding="utf-8"))
    files = [f for release in page_["releases"].values() for f in release]
    other = read_simple_json(folder, name)
    return {
        (f["filename"], f["digests"]["sha256"]): other.get((f["filename"], f["digests"]["sha256"]))
        for f in files
        if in_folder(f["url"]).endswith("/" + f["filename"])
    }


def read_simple_json(folder, name):
    page_ = json.loads((folder / "simple" / name / "index.json").read_text(encoding="utf-8"))
    return {
        (f["filename"], f["hashes"]["sha256"]): (
            metadata_path(f["url"]),
            f["core-metadata"]["sha256"] if f["core-metadata"] else None,
        )
        for f in page_["files"]
    }


def read_simple_html(folder, name):
    text = (folder / "simple" / name / "index.html").read_text(encoding="utf-8")
    anchors = re.findall(r'<a href="([^"#]+)#sha256=([0-9a-f]{64})"([^>]*)>([^<]+)</a>', text)
    told = {}
    for url, sha256, rest, filename in anchors:
        metadata = re.search(r'data-core-metadata="sha256=([0-9a-f]{64})"', rest)
        told[filename, sha256] = (metadata_path(url), metadata.group(1) if metadata else None)
    return told


if __name__ == "__main__":
    main()
