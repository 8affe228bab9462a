"""Downloads end with the right files, or with one line that says whose fault it is."""

import errno
import gzip
import hashlib
import http.server
import os
import random
import re
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import pytest

from lazybook import datasets
from lazybook.datasets import download
from lazybook.errors import DataError


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """The servers of these tests are on this machine."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def checksum(path: Path) -> str:
    return hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()


@pytest.fixture
def mirrors(folders, tmp_path, monkeypatch) -> SimpleNamespace:
    """A data set of two tiny files, and three mirrors: one empty, one damaged, one right."""
    contents = {"a.gz": b"alpha" * 999, "b.gz": b"beta" * 999}
    where = {name: tmp_path / name for name in ("empty", "damaged", "right")}
    for folder in where.values():
        folder.mkdir()
    for file, content in contents.items():
        (where["right"] / file).write_bytes(gzip.compress(content))
        (where["damaged"] / file).write_bytes(gzip.compress(content)[:-20])
    checksums = {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
    urls = {name: folder.as_uri() + "/" for name, folder in where.items()}

    def use(torchvisions: list[str], ours: list[str]) -> None:
        loader = SimpleNamespace(mirrors=[urls[name] for name in torchvisions])
        files = datasets._Files("Tiny", tuple(urls[name] for name in ours), checksums)
        monkeypatch.setattr(datasets, "_FILES", {"tiny": files})
        monkeypatch.setattr(datasets, "_loader", lambda name: loader)

    return SimpleNamespace(use=use, urls=urls, where=where, checksums=checksums)


def test_fetch_goes_on_to_the_next_mirror_until_a_file_is_right(folders, mirrors):
    mirrors.use(["empty", "damaged"], ours=["right"])
    seen = []
    folder = datasets.fetch("tiny", progress=lambda *call: seen.append(call))
    assert folder == folders.cache / "tiny"
    assert sorted(path.name for path in folder.iterdir()) == ["a.gz", "b.gz"]
    assert {file: checksum(folder / file) for file in mirrors.checksums} == mirrors.checksums
    size = (folder / "a.gz").stat().st_size
    assert ("a.gz", size, size) in seen


def test_fetch_keeps_what_is_right_and_replaces_what_is_not(folders, mirrors, monkeypatch):
    mirrors.use(["right"], ours=[])
    folder = datasets.fetch("tiny")
    (folder / "a.gz").write_bytes(b"not gzip")
    before = (folder / "b.gz").stat()
    datasets.fetch("tiny")
    assert checksum(folder / "a.gz") == mirrors.checksums["a.gz"]
    assert (folder / "b.gz").stat() == before
    monkeypatch.setattr(datasets, "_loader", None)  # which takes seconds, is not asked in vain
    datasets.fetch("tiny")


def test_fetch_lists_each_mirror_with_its_reason_and_leaves_nothing_behind(folders, mirrors):
    mirrors.use(["empty"], ours=["damaged"])
    with pytest.raises(DataError) as caught:
        datasets.fetch("tiny")
    message = str(caught.value)
    assert message.startswith("no mirror has a.gz of tiny: ")
    assert re.search(re.escape(mirrors.urls["empty"]) + r" \(.*No such file", message)
    damaged = re.escape(mirrors.urls["damaged"])
    assert re.search(
        damaged + rf" \(.*[0-9a-f]{{64}}, expected {mirrors.checksums['a.gz']}", message
    )
    assert "\n" not in message
    assert list((folders.cache / "tiny").iterdir()) == []


def test_fetch_says_when_its_folder_cannot_be_written(folders, mirrors):
    mirrors.use(["right"], ours=[])
    folders.cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=f"cannot write to {re.escape(str(folders.cache))}"):
        datasets.fetch("tiny")


CONTENTS = random.Random(0).randbytes(300_000)
PACKED = gzip.compress(CONTENTS, mtime=0)
Answer = Callable[["Server", int], None]


class Server(http.server.BaseHTTPRequestHandler):
    """Answers each request by the next of `answers`, and by the last again and again."""

    answers: list[Answer]
    asked: list[tuple[str, int]]  # paths, and the byte that was asked to begin with

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "bytes=0-")
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.asked.append((self.path, start))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            answer(self, start)
        except OSError:  # nobody listens any more
            self.close_connection = True

    def send(self, body: bytes, start: int = 0, size: int | None = None) -> None:
        """Send ``body`` as what begins at byte ``start`` of a file of so many bytes."""
        size = len(body) if size is None else size
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - start))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def right(server: Server, start: int) -> None:
    if start >= len(PACKED):
        server.send_error(416)
    else:
        server.send(PACKED[start:], start, len(PACKED))


def without_ranges(server: Server, start: int) -> None:
    server.send(PACKED)


def breaking_off(after: int, answer: Answer = right) -> Answer:
    """As ``answer``, but the connection ends after so many bytes."""

    def broken(server: Server, start: int) -> None:
        write, left = server.wfile.write, after

        def cut(body: bytes) -> None:
            nonlocal left
            if body.startswith(b"HTTP/"):
                write(body)
            else:
                write(body[:left])
                left = max(0, left - len(body))

        server.wfile.write = cut
        answer(server, start)

    return broken


def page(server: Server, start: int) -> None:
    server.send(b"  <!doctype html><title>Sign in to this network</title>")


def missing(server: Server, start: int) -> None:
    server.send_error(404)


def endless(server: Server, start: int) -> None:
    server.send_response(200)
    server.end_headers()
    while True:
        server.wfile.write(bytes(1 << 16))


def huge(server: Server, start: int) -> None:
    server.send(b"", size=10**15)


def nothing(server: Server, start: int) -> None:
    server.send(b"", size=50)


def silent(server: Server, start: int) -> None:
    server.server.closing.wait()


def no_http(server: Server, start: int) -> None:
    server.wfile.write(b"\0\1\2 what is this\r\n\r\n")


def bad_length(server: Server, start: int) -> None:
    server.send_response(200)
    server.send_header("Content-Length", "-5")
    server.end_headers()


@pytest.fixture
def serve(folders, monkeypatch) -> Iterator[Callable[..., SimpleNamespace]]:
    """Start a server for each mirror of a data set of one file, each with its answers."""
    servers = []

    def start(*mirrors: list[Answer], samples: int = 60_000) -> SimpleNamespace:
        asked = []
        for answers in mirrors:
            handler = type("Handler", (Server,), {"answers": answers, "asked": asked})
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            server.closing = threading.Event()
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            servers.append((server, thread))
        urls = [f"http://127.0.0.1:{server.server_port}/" for server, _ in servers]
        sums = {"a.gz": hashlib.sha256(CONTENTS).hexdigest()}
        files = datasets._Files("Tiny", tuple(urls), sums, train=samples, test=1)
        monkeypatch.setattr(datasets, "_FILES", {"tiny": files})
        monkeypatch.setattr(datasets, "_loader", lambda name: None)
        return SimpleNamespace(asked=asked, urls=urls, folder=folders.cache / "tiny")

    yield start
    for server, thread in servers:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def fetched() -> None:
    """Fetch, and see that the right file is there and nothing else."""
    folder = datasets.fetch("tiny")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.gz": PACKED}


@pytest.mark.parametrize("after", [1, 70_000, len(PACKED) - 1])
def test_a_download_that_breaks_off_goes_on_where_it_ended(serve, after):
    asked = serve([breaking_off(after), right]).asked
    fetched()
    assert asked == [("/a.gz", 0), ("/a.gz", after)]


def test_another_mirror_goes_on_where_one_broke_off(serve):
    asked = serve([breaking_off(50_000), missing], [right]).asked
    fetched()
    assert [start for _, start in asked] == [0, 50_000, 50_000]


def test_a_later_call_goes_on_where_an_earlier_one_broke_off(serve):
    mirror = serve([breaking_off(50_000), missing, right])
    with pytest.raises(DataError, match=r"^no mirror has a.gz of tiny: .*404"):
        datasets.fetch("tiny")
    fetched()
    assert [start for _, start in mirror.asked] == [0, 50_000, 50_000]


def test_a_mirror_that_knows_no_ranges_sends_all_of_it(serve):
    asked = serve([breaking_off(50_000), without_ranges]).asked
    fetched()
    assert len(asked) == 2


def test_a_mirror_that_always_breaks_off_is_left_in_the_end(serve):
    asked = serve([breaking_off(100)], [right]).asked
    fetched()
    assert len(asked) == download.ATTEMPTS + 1


def test_a_mirror_that_does_not_get_further_is_left(serve):
    asked = serve([breaking_off(100, without_ranges)]).asked
    with pytest.raises(DataError, match=r"\(it stopped after 100 of"):
        datasets.fetch("tiny")
    assert len(asked) == 2


@pytest.mark.parametrize(
    "junk", [b"junk", bytes(len(PACKED) - 1), bytes(len(PACKED)), PACKED + b"and more"], ids=len
)
def test_a_part_that_does_not_fit_is_given_up(serve, junk):
    folder = serve([right]).folder
    folder.mkdir(parents=True)
    (folder / "a.gz.part").write_bytes(junk)
    fetched()


KILLED = """
import os, signal, sys
from lazybook import datasets
datasets._FILES = {"tiny": datasets._Files("Tiny", (sys.argv[1],), {"a.gz": sys.argv[2]})}
datasets._loader = lambda name: None
datasets.fetch("tiny", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_what_a_killed_process_left_is_taken_up(serve, tmp_path):
    mirror = serve([breaking_off(50_000), right])
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "home")}
    sums = hashlib.sha256(CONTENTS).hexdigest()
    command = [sys.executable, "-c", KILLED, mirror.urls[0], sums]
    ran = subprocess.run(command, env=environment, capture_output=True)
    assert ran.returncode == -9, ran.stderr
    [folder] = tmp_path.glob("home/*/tiny")
    [left] = folder.iterdir()
    received = left.stat().st_size
    files = datasets._Files("Tiny", tuple(mirror.urls), {"a.gz": sums})
    download.fetch("tiny", files, folder, lambda: mirror.urls, None)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.gz": PACKED}
    assert mirror.asked == [("/a.gz", 0), *([("/a.gz", received)] if received else [])]


def test_two_at_once_both_end_with_the_right_file(serve):
    both = threading.Barrier(2)

    def together(server: Server, start: int) -> None:
        both.wait()
        right(server, start)

    serve([together])
    failures = []

    def fetch() -> None:
        try:
            datasets.fetch("tiny")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    fetched()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (missing, "404"),
        (page, "it sends a web page"),
        (endless, "it sends more than 1,800 bytes"),
        (huge, "it sends more than 1,800 bytes"),
        (no_http, "what is this"),
        (bad_length, "truncated: unpacked"),
        (nothing, "it stopped after 0 of 50 bytes"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_mirror_does_wrong_is_told_once_for_all_that_do_it(serve, answer, reason):
    urls = serve([answer], [answer], samples=1).urls
    with pytest.raises(DataError) as caught:
        datasets.fetch("tiny")
    message = str(caught.value)
    assert message.startswith(f"no mirror has a.gz of tiny: {urls[0]}, {urls[1]} (")
    assert re.search(reason, message)
    assert "\n" not in message
    assert not (datasets.paths.cache() / "tiny" / "a.gz").exists()


def test_a_mirror_that_says_nothing_is_left(serve, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.2)
    asked = serve([silent], [right]).asked
    fetched()
    assert len(asked) == 2


def test_a_mirror_that_sends_too_slowly_is_left(serve, monkeypatch):
    clock = iter(range(0, 10**9, 31))
    monkeypatch.setattr(download, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(download, "CHUNK", 20_000)  # in 31 seconds
    serve([right])
    with pytest.raises(DataError, match="it sends less than 1,000 bytes a second"):
        datasets.fetch("tiny")


@pytest.mark.parametrize("proxy", [False, True])
def test_who_cannot_be_reached_is_told_with_what_may_help(serve, monkeypatch, proxy):
    serve([right])
    if proxy:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
        hint = r"is the proxy right that https_proxy or http_proxy names\?"
    else:
        files = datasets._FILES["tiny"]
        nobody = datasets._Files(files.loader, ("http://127.0.0.1:1/",), files.checksums)
        monkeypatch.setattr(datasets, "_FILES", {"tiny": nobody})
        hint = "behind a proxy, set https_proxy and http_proxy"
    with pytest.raises(DataError, match=rf"^no mirror has .*refused\); {hint}$"):
        datasets.fetch("tiny")


def test_a_certificate_that_is_not_trusted_is_told_with_what_to_set(serve, monkeypatch):
    serve([right], [right])

    def distrust(*_: object, **__: object) -> None:
        raise URLError(ssl.SSLCertVerificationError(1, "certificate verify failed"))

    monkeypatch.setattr(download, "build_opener", lambda: SimpleNamespace(open=distrust))
    with pytest.raises(
        DataError, match=r"certificate verify failed.*; set SSL_CERT_FILE"
    ) as caught:
        datasets.fetch("tiny")
    assert str(caught.value).count("verify failed") == 1


def test_a_full_disk_is_not_the_mirrors_fault(serve, monkeypatch):
    mirror = serve([right], [right])
    opened = Path.open

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, chunk):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def full(path, mode="r", **how):
        file = opened(path, mode, **how)
        return Full(file) if mode in ("wb", "ab") else file

    monkeypatch.setattr(Path, "open", full)
    no_space = f"^cannot write to {mirror.folder}: No space left on device"
    with pytest.raises(DataError, match=no_space):
        datasets.fetch("tiny")
    assert len(mirror.asked) == 1


def test_what_the_disk_has_no_room_for_is_not_begun(serve, monkeypatch):
    mirror = serve([right], [right])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100_000))
    size = f"{len(PACKED):,} bytes are needed, 100,000 are free"
    with pytest.raises(DataError, match=rf"^cannot write to {mirror.folder}: No space .*: {size}$"):
        datasets.fetch("tiny")
    assert len(mirror.asked) == 1
    assert list(mirror.folder.iterdir()) == []


def test_a_file_in_place_of_the_folder_and_a_folder_in_place_of_a_file_are_named(serve):
    folder = serve([right]).folder
    folder.parent.mkdir()
    folder.write_text("a file")
    with pytest.raises(DataError, match=rf"^cannot write to {folder}: it is not a folder$"):
        datasets.fetch("tiny")
    folder.unlink()
    (folder / "a.gz").mkdir(parents=True)
    with pytest.raises(DataError, match=rf"^cannot write to {folder}/a.gz: Is a directory$"):
        datasets.fetch("tiny")


def test_a_pipe_in_place_of_a_file_is_replaced(serve):
    folder = serve([right]).folder
    folder.mkdir(parents=True)
    os.mkfifo(folder / "a.gz")
    fetched()


def test_torchvisions_mirrors_come_first_and_none_is_asked_twice(serve, monkeypatch):
    urls = serve([missing], [right]).urls
    theirs = ["http://127.0.0.1:1/", urls[1]]
    assert datasets._mirrors("tiny") == urls
    monkeypatch.setattr(datasets, "_loader", lambda name: SimpleNamespace(mirrors=theirs))
    assert datasets._mirrors("tiny") == [*theirs, urls[0]]


def test_without_torchvision_there_is_no_loader(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    monkeypatch.setitem(sys.modules, "torchvision", None)
    assert datasets._loader("mnist") is None
    assert len(datasets._mirrors("mnist")) >= 3
