"""``vernissage animate`` and ``vernissage pose``: a sealed film, or one clear line and nothing at all."""

import hashlib
import math
import os
import re
import resource
import shutil
import signal
import subprocess
import time
import wave
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import assets
from generator.face.decoder import WEIGHTS
from generator.motion import Motion, driver
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait
from generator.sitters import Sitter
from generator.speech.audio import Speech
from generator.video import probe
from governance.provenance import Declaration, State, house_trust, read

Outcome = subprocess.CompletedProcess[str]
Vernissage = Callable[..., Outcome]
Refusal = Callable[..., str]

SMALL = ("--size", "192")


def declared(film: Path, keys: Path) -> Declaration:
    reading = read(film, house_trust(keys))
    assert reading.state is State.TRUSTED
    assert reading.declaration is not None
    return reading.declaration


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def frames(film: Path) -> NDArray[np.uint8]:
    """(T, H, W) luma."""
    with av.open(str(film)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def difference(film: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean, in levels; each film has a mark of its own, which hardly touches luma."""
    return float(np.abs(film.astype(float) - other).mean())


@pytest.fixture(scope="session")
def stranger(own_sitter: Sitter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wide picture this house does not know."""
    path = tmp_path_factory.mktemp("stranger") / "somebody.png"
    with Image.open(own_sitter.path) as picture:
        width, height = picture.size
        picture.resize((512, 512)).crop((0, 0, 512, 384)).save(path)
    assert width == height
    return path


@pytest.fixture(scope="session")
def short_film(
    vernissage: Vernissage, own_sitter: Sitter, speech: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("short") / "short.mp4"
    done = vernissage("animate", own_sitter.name, speech, "-o", path, "--seed", 7, *SMALL)
    assert done.returncode == 0, done.stderr
    return path


# a sitter speaks


def test_the_film_lasts_as_long_as_what_is_said(film: Path, own_sitter: Sitter):
    info = probe(film)
    spoken = Speech.open(own_sitter.clip.path).seconds
    assert info.frames == math.ceil(25 * spoken)
    assert (info.fps, info.start, info.audio_start) == (25, 0, 0)
    assert info.audio_seconds is not None
    assert info.seconds == pytest.approx(spoken, abs=0.04)
    assert info.seconds == pytest.approx(info.audio_seconds, abs=0.04)


def test_the_film_plays_anywhere_and_from_its_first_bytes(film: Path):
    with av.open(str(film)) as container:
        video, sound = container.streams.video[0].codec_context, container.streams.audio[0].codec_context
        assert (video.name, video.pix_fmt, video.width, video.height) == ("h264", "yuv420p", 512, 512)
        assert sound.name == "aac"
    content = film.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_the_house_says_what_it_made_and_how_fast(premiere: tuple[Path, Outcome], film: Path):
    _, told = premiere
    assert re.fullmatch(
        rf"{re.escape(str(film))}: \d+\.\d s in {probe(film).frames} frames, \d+ frames a second, Trusted\n",
        told.stdout,
    )
    assert told.stderr == ""
    assert [path.name for path in film.parent.iterdir()] == [film.name]


def test_the_manifest_names_every_input_by_its_hash(film: Path, keys: Path, own_sitter: Sitter):
    said = declared(film, keys)
    assert [(entry.role, entry.sha256) for entry in said.ingredients] == [
        ("portrait", own_sitter.sha256),
        ("speech", own_sitter.clip.sha256),
        ("weights", digest(WEIGHTS)),
        ("weights", digest(assets.path("face_landmarker.task"))),
        *(("weights", digest(weights)) for weights in driver.get("learned").weights),
    ]
    assert (said.title, said.rights) == (film.name, "sitter-of-the-house")
    assert (said.driver, said.seed) == ("learned", 0)


def test_one_seed_always_gives_the_same_frames_and_another_others(
    vernissage: Vernissage, films: Path, keys: Path, own_sitter: Sitter, speech: Path
):
    for name, seed in (("first", 7), ("again", 7), ("other", 8)):
        path = films / f"{name}.mp4"
        assert (
            vernissage("animate", own_sitter.name, speech, "-o", path, "--seed", seed, *SMALL).returncode == 0
        )
        assert declared(path, keys).seed == seed
    first, again, other = (frames(films / f"{name}.mp4") for name in ("first", "again", "other"))
    assert first.shape[0] == math.ceil(25 * Speech.open(speech).seconds) == 31
    assert 2 * difference(first, again) < difference(first, other)


def test_a_film_replaces_the_one_before(
    vernissage: Vernissage, films: Path, own_sitter: Sitter, speech: Path
):
    (films / "a.mp4").write_bytes(b"the film before")
    assert vernissage("animate", own_sitter.name, speech, "-o", "a.mp4", *SMALL, cwd=films).returncode == 0
    assert probe(films / "a.mp4").frames == 31
    assert [path.name for path in films.iterdir()] == ["a.mp4"]


def test_any_file_name_will_do(
    vernissage: Vernissage, films: Path, keys: Path, own_sitter: Sitter, speech: Path
):
    words = shutil.copy(speech, films / "mots [été] 言葉.wav")
    name = "-[bold] " + 60 * "映" + "\n.MP4"
    done = vernissage("animate", own_sitter.name, words, "-o", f"./{name}", *SMALL, cwd=films)
    assert done.returncode == 0, done.stderr
    assert name in done.stdout
    assert declared(films / name, keys).title == name.replace("\n", "\N{REPLACEMENT CHARACTER}")


# by what right


def test_a_strangers_face_needs_a_declaration(refusal: Refusal, films: Path, stranger: Path, speech: Path):
    said = refusal("animate", stranger, speech, "-o", films / "a.mp4")
    assert "somebody.png is not one of our own sitters" in said
    for right in ("public-domain", "fictional", "own-likeness"):
        assert right in said


def test_what_is_declared_is_written_into_the_film(
    vernissage: Vernissage, films: Path, keys: Path, stranger: Path, speech: Path
):
    options = ("--rights", "fictional", "--aspect", "own", "--size", "256")
    done = vernissage("animate", stranger, speech, "-o", films / "a.mp4", *options)
    assert done.returncode == 0, done.stderr
    info, said = probe(films / "a.mp4"), declared(films / "a.mp4", keys)
    assert (info.width, info.height) == (256, 192)
    assert said.rights == "fictional"
    assert said.ingredients[0].sha256 == digest(stranger)
    assert said.ingredients[0].title == "somebody.png"


# pose


def test_a_portrait_moves_in_silence_as_a_motion_file_says(
    vernissage: Vernissage, films: Path, keys: Path, own_sitter: Sitter, tmp_path: Path
):
    values = np.zeros((20, 59), np.float32)
    values[:, 51] = np.linspace(0, 10, 20)
    Motion(values, fps=30).save(tmp_path / "turn.safetensors")
    done = vernissage("pose", own_sitter.name, tmp_path / "turn.safetensors", "-o", films / "a.mp4", *SMALL)
    assert done.returncode == 0, done.stderr
    info, said = probe(films / "a.mp4"), declared(films / "a.mp4", keys)
    assert (info.frames, info.fps, info.audio_seconds) == (20, 30, None)
    assert said.driver == "motion-file"
    assert [entry.role for entry in said.ingredients] == ["portrait", "motion", "weights", "weights"]
    assert said.ingredients[1].sha256 == digest(tmp_path / "turn.safetensors")


@pytest.mark.parametrize("content", [b"", b"no motion at all", None])
def test_a_file_that_holds_no_motion_is_refused(
    refusal: Refusal, films: Path, own_sitter: Sitter, tmp_path: Path, content: bytes | None
):
    path = tmp_path / "turn.safetensors"
    if content is not None:
        path.write_bytes(content)
    assert "turn.safetensors" in refusal("pose", own_sitter.name, path, "-o", films / "a.mp4")


# several faces


@pytest.fixture(scope="session")
def couple(own_sitter: Sitter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two faces, the larger one on the right."""
    both = Image.new("RGB", (1000, 600), (120, 130, 140))
    with Image.open(own_sitter.path) as picture:
        both.paste(picture.resize((400, 400)), (20, 100))
        both.paste(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((560, 560)), (430, 20))
    path = tmp_path_factory.mktemp("couple") / "couple.png"
    both.save(path)
    return path


def test_of_several_faces_the_largest_speaks_unless_another_is_chosen(
    vernissage: Vernissage, films: Path, couple: Path, tmp_path: Path
):
    Motion.rest(2).save(tmp_path / "rest.safetensors")
    shown = {}
    for face in ("", "0", "1"):
        path = films / f"face{face}.mp4"
        choice = ("--face", face) if face else ()
        asked = ("pose", couple, tmp_path / "rest.safetensors", "-o", path, "--rights", "fictional")
        done = vernissage(*asked, *SMALL, *choice)
        assert done.returncode == 0, done.stderr
        note = "note The picture holds 2 faces; the largest speaks. Choose another with --face 0 to 1.\n"
        assert done.stderr == ("" if face else note)
        shown[face] = frames(path)
    assert 2 * difference(shown[""], shown["0"]) < difference(shown[""], shown["1"])


def test_a_face_that_is_not_there_cannot_be_chosen(refusal: Refusal, films: Path, couple: Path, speech: Path):
    asked = ("animate", couple, speech, "-o", films / "a.mp4", "--rights", "fictional", "--face")
    assert "choose --face from 0 to 1" in refusal(*asked, 7)
    assert "choose --face from 0 to 1" in refusal(*asked, -1)


# pictures that cannot be animated


def turned(portrait: Portrait, yaw_deg: float) -> NDArray[np.uint8]:
    """The portrait's face alone, its landmarks turned in space: a view the film itself never goes to."""
    centre = portrait.landmarks[:468].mean(0)
    points = portrait.landmarks[:468] - centre
    cos, sin = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    x, depth = points[:, 0] * cos - points[:, 2] * sin, points[:, 0] * sin + points[:, 2] * cos
    here = portrait.landmarks[:468, :2].astype(np.float32)
    there = np.column_stack([x + centre[0], here[:, 1]]).astype(np.float32)
    picture = np.full_like(portrait.frame, 128)
    _, triangles = FaceLandmarker().canonical
    for corners in triangles[np.argsort(-depth[triangles].mean(1))]:
        mask = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, np.round(there[corners]).astype(np.int32), 1)
        affine = cv2.getAffineTransform(here[corners], there[corners])
        picture[mask > 0] = cv2.warpAffine(portrait.frame, affine, picture.shape[1::-1])[mask > 0]
    return picture


def not_a_picture(path: Path, _: Portrait) -> None:
    path.write_text("a face, in so many words")


def nothing_at_all(path: Path, _: Portrait) -> None:
    path.write_bytes(b"")


def half_a_picture(path: Path, portrait: Portrait) -> None:
    Image.fromarray(portrait.frame).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def a_decompression_bomb(path: Path, _: Portrait) -> None:
    Image.new("1", (12_000, 12_000)).save(path)
    assert path.stat().st_size < 100_000


def a_landscape(path: Path, _: Portrait) -> None:
    Image.linear_gradient("L").convert("RGB").save(path)


def a_distant_face(path: Path, portrait: Portrait) -> None:
    Image.fromarray(portrait.frame).resize((112, 112)).save(path)


def a_profile(path: Path, portrait: Portrait) -> None:
    Image.fromarray(turned(portrait, -70)).save(path)


def a_folder(path: Path, _: Portrait) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (not_a_picture, "is not a picture this version reads: save it as JPEG"),
        (nothing_at_all, "is empty: give a picture"),
        (half_a_picture, "is damaged or incomplete: give an intact copy"),
        (a_decompression_bomb, "has more than 64 million pixels: give a smaller version"),
        (a_landscape, "No face was found in the picture. Choose one in which"),
        (a_distant_face, r"The face is only \d\d px high; at least 64 px are needed"),
        (a_profile, r"The head is turned by \d\d degrees; up to 45 can be animated"),
        (a_folder, "There is no picture at"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_picture_that_cannot_be_animated_is_refused(
    refusal: Refusal,
    films: Path,
    speech: Path,
    portrait: Portrait,
    make: Callable[[Path, Portrait], None],
    told: str,
):
    picture = films.parent / "picture.png"
    make(picture, portrait)
    said = refusal("animate", picture, speech, "-o", films / "a.mp4", "--rights", "fictional")
    assert re.search(told, said), said


@pytest.mark.parametrize("rights", [(), ("--rights", "fictional")])
def test_a_picture_that_is_not_there_is_refused(
    refusal: Refusal, films: Path, speech: Path, rights: tuple[str, ...]
):
    said = refusal("animate", "nobody.png", speech, "-o", films / "a.mp4", *rights)
    assert "nobody.png" in said


# sound that cannot be spoken


def sound(path: Path, samples: NDArray[np.int16]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.astype("<i2").tobytes())


def missing(_: Path) -> None:
    pass


def empty(path: Path) -> None:
    path.write_bytes(b"")


def corrupt(path: Path) -> None:
    path.write_bytes(b"RIFF\x24\0\0\0WAVEfmt " + bytes(range(200)))


def a_text(path: Path) -> None:
    path.write_text("To be, or not to be")


def silent(path: Path) -> None:
    sound(path, np.zeros(16_000, np.int16))


def a_moment(path: Path) -> None:
    sound(path, np.full(160, 9_000, np.int16))


def cut_short(path: Path) -> None:
    sound(path, np.resize(np.arange(-9_000, 9_000, 100, dtype=np.int16), 32_000))
    path.write_bytes(path.read_bytes()[:20_000])


def a_whole_day(path: Path) -> None:
    """31 minutes of nothing, on a disk that need not hold them."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8_000)
        file.setnframes(31 * 60 * 8_000)
        file.writeframesraw(b"")
    os.truncate(path, 44 + 31 * 60 * 8_000)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (missing, "There is no file at .*words.wav; give the path"),
        (empty, "words.wav is empty; give a file"),
        (corrupt, "words.wav is not a readable sound file or is damaged"),
        (a_text, "words.wav is not a readable sound file or is damaged"),
        (silent, "words.wav is silent; give a recording"),
        (a_moment, "words.wav holds less than 0.1 s of sound"),
        (cut_short, "words.wav is damaged; export it again"),
        (a_whole_day, "words.wav lasts at least 1860 s, more than the 1800 s that are accepted"),
        (Path.mkdir, "There is no file at .*words.wav; give the path"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_sound_that_cannot_be_spoken_is_refused(
    refusal: Refusal, films: Path, own_sitter: Sitter, make: Callable[[Path], None], told: str
):
    words = films.parent / "words.wav"
    make(words)
    said = refusal("animate", own_sitter.name, words, "-o", films / "a.mp4")
    assert re.search(told, said), said


# where the film goes


def test_a_folder_that_is_not_there_is_named(refusal: Refusal, films: Path, own_sitter: Sitter, speech: Path):
    asked = ("animate", own_sitter.name, speech, "-o")
    assert "nowhere does not exist: create it first" in refusal(*asked, films / "nowhere" / "a.mp4")
    (films / "a.mp4").write_bytes(b"a film")
    assert "does not exist: create it first" in refusal(*asked, films / "a.mp4" / "a.mp4")


@pytest.mark.parametrize("name", ["film.avi", ".mp4", ""])
def test_a_film_is_an_mp4(refusal: Refusal, films: Path, own_sitter: Sitter, speech: Path, name: str):
    assert "ends in .mp4" in refusal("animate", own_sitter.name, speech, "-o", films / name)


def test_a_folder_in_place_of_the_film_is_refused(
    refusal: Refusal, films: Path, own_sitter: Sitter, speech: Path
):
    (films / "a.mp4").mkdir()
    assert "a.mp4 is a folder" in refusal("animate", own_sitter.name, speech, "-o", films / "a.mp4")


def test_a_folder_that_cannot_be_written_is_refused(refusal: Refusal, own_sitter: Sitter, speech: Path):
    said = refusal("animate", own_sitter.name, speech, "-o", "/proc/self/a.mp4")
    assert said.startswith("/proc/self/a.mp4 cannot be written")


def test_a_name_that_no_disk_takes_is_refused(
    refusal: Refusal, films: Path, own_sitter: Sitter, speech: Path
):
    assert "File name too long" in refusal(
        "animate", own_sitter.name, speech, "-o", films / f"{300 * 'a'}.mp4"
    )


def test_a_film_never_takes_the_place_of_what_it_is_made_from(
    refusal: Refusal, films: Path, own_sitter: Sitter, film: Path
):
    shutil.copy(film, films / "a.mp4")
    (films / "link.mp4").symlink_to("a.mp4")
    for out in ("a.mp4", "link.mp4"):
        said = refusal("animate", own_sitter.name, films / "a.mp4", "-o", films / out)
        assert f"{out} is what the film is made from" in said


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit on the size of files")
@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_full_disk_is_explained(
    refusal: Refusal, films: Path, short_film: Path, own_sitter: Sitter, speech: Path, share: float
):
    asked = ("animate", own_sitter.name, speech, *SMALL, "--seed", 7, "-o")
    limit = int(share * short_film.stat().st_size)

    def fill_the_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    (films / "a.mp4").write_bytes(b"the film before")
    said = refusal(*asked, films / "a.mp4", preexec_fn=fill_the_disk)
    assert "/films/a.mp4 cannot be" in said
    assert "File too large" in said
    assert "unsealed" not in said


# ended early


@pytest.mark.parametrize(
    ("number", "status", "told"),
    [
        (signal.SIGINT, 130, "error stopped; nothing was left behind\n"),
        (signal.SIGTERM, 143, ""),
    ],
)
def test_a_film_ended_midway_leaves_nothing_and_spares_the_one_before(
    environment: dict[str, str], program: Path, films: Path, own_sitter: Sitter, long_speech: Path,
    number: signal.Signals, status: int, told: str,
):  # fmt: skip
    before = films / "a.mp4"
    before.write_bytes(b"the film before")
    asked = [program, "animate", own_sitter.name, long_speech, "-o", before, "--size", "1024"]
    with subprocess.Popen(asked, env=environment, stderr=subprocess.PIPE, text=True) as running:
        while not any(path != before and path.stat().st_size for path in films.iterdir()):
            assert running.poll() is None, "it ended too early"
            time.sleep(0.01)
        running.send_signal(number)
        _, complaint = running.communicate(timeout=30)
    assert (running.returncode, complaint) == (status, told)
    assert [path.name for path in films.iterdir()] == ["a.mp4"]
    assert before.read_bytes() == b"the film before"


# what the house lacks


def test_without_keys_it_tells_how_to_make_them(
    refusal: Refusal, films: Path, own_sitter: Sitter, speech: Path, tmp_path: Path
):
    asked = ("animate", own_sitter.name, speech, "-o", films / "a.mp4")
    assert "vernissage keys init" in refusal(*asked, env={"VERNISSAGE_KEYS": str(tmp_path / "keys")})


def test_keys_that_others_may_read_are_not_used(
    refusal: Refusal, films: Path, keys: Path, own_sitter: Sitter, speech: Path, tmp_path: Path
):
    shutil.copytree(keys, tmp_path / "keys")
    (tmp_path / "keys" / "signer.pem").chmod(0o644)
    asked = ("animate", own_sitter.name, speech, "-o", films / "a.mp4")
    said = refusal(*asked, env={"VERNISSAGE_KEYS": str(tmp_path / "keys")})
    assert "chmod 600" in said


def test_without_the_landmark_model_it_tells_how_to_fetch_it(
    refusal: Refusal, films: Path, own_sitter: Sitter, speech: Path, tmp_path: Path
):
    asked = ("animate", own_sitter.name, speech, "-o", films / "a.mp4")
    assert "vernissage assets fetch" in refusal(*asked, env={"VERNISSAGE_ASSETS": str(tmp_path)})


# the command line itself


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--size", "255"), "choose an even size from 128 to 1024"),
        (("--size", "1026"), "choose an even size from 128 to 1024"),
        (("--size", "large"), "--size"),
        (("--driver", "oracle"), "There is no motion driver 'oracle'; choose one of: rules"),
        (("--seed", "-1"), "--seed"),
        (("--seed", str(2**63)), "The seed must be from 0 to"),
        (("--rights", "stolen"), "'public-domain', 'fictional', 'own-likeness'"),
        (("--aspect", "round"), "'square', 'own'"),
        (("--loud",), "--loud"),
    ],
)
def test_an_option_out_of_range_is_refused(
    refusal: Refusal, films: Path, own_sitter: Sitter, speech: Path, options: tuple[str, ...], told: str
):
    said = refusal("animate", own_sitter.name, speech, "-o", films / "a.mp4", *options)
    assert told in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("animate", "a.png", "b.wav"), "Missing option '--output' / '-o': see `vernissage animate --help`"),
        (("animate", "-o", "a.mp4"), "Missing argument 'PORTRAIT'"),
        (("quux",), "No such command 'quux': see `vernissage --help`"),
    ],
)
def test_a_command_that_is_not_understood_says_where_help_is(
    refusal: Refusal, arguments: tuple[str, ...], told: str
):
    assert told in refusal(*arguments)
