"""Uploads are opened in a bounded process: whatever they are, the answer is numbers or a refusal."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from governance.biometrics import limits
from governance.biometrics.media import Look, listen, look_at_film, look_at_picture
from governance.errors import MediaRefused, NoFace
from tests.governance.biometrics.films import HOUSE, write_film


def look(path: Path) -> tuple[Look, ...]:
    return look_at_film(path, per_second=5, describe=False)


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size, and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(png(60_000, 60_000), "pixels", id="a picture that would fill the memory"),
        pytest.param(png(300, 300), "damaged", id="a picture without pixels"),
        pytest.param(png(3, 3), "larger", id="a picture too small for a face"),
        pytest.param(
            b"<svg xmlns='http://www.w3.org/2000/svg'/>", "JPEG, PNG or WebP", id="a drawing by text"
        ),
        pytest.param(b"", "empty", id="nothing"),
    ],
)
def test_a_picture_that_is_none_is_refused_with_a_reason(tmp_path: Path, data, told):
    path = tmp_path / "picture"
    path.write_bytes(data)
    with pytest.raises(MediaRefused, match=told):
        look_at_picture(path)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "MP4 or WebM", id="a playlist"),
        pytest.param(b"ffconcat version 1.0\nfile /etc/passwd\n", "MP4 or WebM", id="a list of files"),
        pytest.param(b"\x00\x00\x00\x18ftypmp42" + bytes(200), "damaged|safely", id="a head without a body"),
        pytest.param(b"\x1aE\xdf\xa3" + bytes(200), "damaged|safely|no picture", id="the same as WebM"),
    ],
)
def test_a_film_that_is_none_is_refused_with_a_reason(tmp_path: Path, data, told):
    path = tmp_path / "film"
    path.write_bytes(data)
    with pytest.raises(MediaRefused, match=told):
        look(path)


@given(data=st.binary(min_size=8, max_size=400))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_film_is_refused_or_read_and_nothing_else(small_film: Path, tmp_path: Path, data):
    whole = small_film.read_bytes()
    place = int.from_bytes(data[:4], "big") % len(whole)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(whole[:8] + whole[8:place] + data + whole[place + len(data) :])
    try:
        looks = look_at_film(path, per_second=5, describe=False)
    except MediaRefused:
        return
    assert len(looks) <= 6


@pytest.fixture(scope="module")
def small_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    grey = np.full((64, 64, 3), 90, np.uint8)
    return write_film(tmp_path_factory.mktemp("small") / "film.mp4", [grey] * 5, fps=5)


def test_a_film_longer_than_a_ceremony_is_refused(tmp_path: Path):
    grey = np.full((64, 64, 3), 90, np.uint8)
    long = write_film(tmp_path / "long.mp4", [grey] * 63, fps=1)
    with pytest.raises(MediaRefused, match="longer than 60 s"):
        look(long)


def test_a_film_larger_than_a_screen_is_refused(tmp_path: Path):
    large = write_film(tmp_path / "large.mp4", [np.zeros((1200, 2000, 3), np.uint8)])
    with pytest.raises(MediaRefused, match="1920 by 1080"):
        look(large)


def test_a_file_larger_than_may_be_sent_is_not_even_opened(tmp_path: Path):
    path = tmp_path / "huge.mp4"
    with path.open("wb") as file:
        file.truncate(limits.MAX_BYTES + 1)
    with pytest.raises(MediaRefused, match="64 MiB"):
        look(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(MediaRefused, match="cannot be read"):
        listen(tmp_path / "nothing.mp4")


def test_a_worker_that_hangs_is_killed_and_the_upload_refused(
    small_film: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(limits, "WALL_SECONDS", 0.01)
    before = _children()
    with pytest.raises(MediaRefused, match="too long"):
        look(small_film)
    assert _children() <= before


def _children() -> set[str]:
    """Of this process, those that have ended and were not waited for too."""
    tasks = Path("/proc/self/task").glob("*/children")
    return {child for task in tasks for child in task.read_text().split()}


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts other code in the worker's place; gives a film to ask it about."""

    def put(code: str) -> Path:
        package = tmp_path / "governance" / "biometrics"
        package.mkdir(parents=True)
        (package / "worker.py").write_text(code)
        monkeypatch.setattr("governance.biometrics.media._ROOT", tmp_path)
        (tmp_path / "film.mp4").write_bytes(b"film")
        return tmp_path / "film.mp4"

    return put


@pytest.mark.parametrize("code", ["import os; os.abort()", "raise MemoryError", "x = bytes(1 << 40)"])
def test_a_worker_that_dies_is_a_refusal(stand_in, code):
    with pytest.raises(MediaRefused, match="read safely"):
        look(stand_in(code))


def test_the_worker_is_given_no_secret_of_its_parent(stand_in, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VERNISSAGE_DATABASE", "postgresql://secret")
    monkeypatch.setenv("VERNISSAGE_KEYS", "secret")
    told = look(
        stand_in(
            "import json, os\n"
            "names = [name for name in os.environ if 'DATABASE' in name or 'KEYS' in name]\n"
            "print(json.dumps({'looks': [[0, 0, [], ''] for name in names]}))"
        )
    )
    assert told == ()


@pytest.mark.parametrize(
    "answer",
    ["", "[]", "{}", '{"looks": [[0, 1, [1], ""]]}', '{"looks": 3}', '{"refused": "KeysError"}', "[" * 99999],
)
def test_a_worker_that_answers_nonsense_is_not_believed(stand_in, answer):
    with pytest.raises(MediaRefused):
        look(stand_in(f"print({answer!r})"))


def test_the_worker_limits_itself_before_it_reads(stand_in):
    """What it may do is set before the upload is touched, and cannot be raised again."""
    told = look(
        stand_in(
            "import json, resource, sys\n"
            f"sys.path.insert(0, {str(Path(__file__).parents[3])!r})\n"
            "del sys.modules['governance'], sys.modules['governance.biometrics']\n"
            "from governance.biometrics import worker\n"
            "worker._limit()\n"
            "kinds = 'AS', 'CPU', 'FSIZE', 'NOFILE', 'CORE'\n"
            "rooms = [resource.getrlimit(getattr(resource, f'RLIMIT_{kind}')) for kind in kinds]\n"
            "print(json.dumps({'looks': [[most, 0, [], ''] for room in rooms for most in room]}))"
        )
    )
    assert [each.at for each in told] == [
        float(most)
        for most in (
            limits.MEMORY_BYTES,
            limits.CPU_SECONDS,
            limits.ANSWER_BYTES,
            limits.OPEN_FILES,
            0,
        )
        for _ in range(2)
    ]


def test_a_picture_is_upright_as_its_camera_says(tmp_path: Path):
    image = Image.open(HOUSE["oil_portrait"].path).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    image.save(tmp_path / "lying.jpg")
    assert look_at_picture(tmp_path / "turned.jpg")


def test_sound_is_heard_as_it_was_recorded():
    clip = HOUSE["oil_portrait"].clip
    assert len(listen(clip.path)) / limits.SAMPLE_RATE == pytest.approx(clip.seconds, abs=0.05)


def test_a_picture_without_a_face_says_what_to_do(tmp_path: Path):
    Image.new("RGB", (200, 200), (90, 120, 90)).save(tmp_path / "green.png")
    with pytest.raises(NoFace, match="from the front"):
        look_at_picture(tmp_path / "green.png")
