"""A known face is known again, as long as it is the same face or the same picture."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from governance.biometrics import FaceGallery, VoiceGallery
from governance.biometrics.media import Likeness, look_at_picture
from governance.biometrics.pictures import SAME_PICTURE, likeness, print_of
from governance.errors import SeveralFaces
from governance.storage import Database
from tests.governance.biometrics.films import HOUSE

NOW = datetime(2027, 1, 1, tzinfo=UTC)


@cache
def measured(path: Path) -> Likeness:
    """Once, for both databases."""
    return look_at_picture(path)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Likeness]:
    """The painted lady as people send her around."""
    folder = tmp_path_factory.mktemp("copies")
    image = Image.open(HOUSE["oil_portrait"].path).convert("RGB")
    width, height = image.size
    made = {
        "smaller": image.resize((width // 2, height // 2)),
        "mirrored": image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "cropped": image.crop((width // 10, height // 20, width - width // 12, height - height // 20)),
        "darker and grey": image.point(lambda value: round(value * 0.6)).convert("L").convert("RGB"),
    }
    for name, copy in made.items():
        copy.save(folder / f"{name}.jpg", quality=60)
    return {name: measured(folder / f"{name}.jpg") for name in made}


def test_a_refused_picture_cannot_come_back_in_another_shape(
    database: Database, keys: Path, copies: dict[str, Likeness]
):
    gallery = FaceGallery(keys)
    with database.transaction() as session:
        refused = gallery.keep(session, measured(HOUSE["oil_portrait"].path), NOW)
    with database.transaction() as session:
        for name, copy in copies.items():
            assert gallery.like(session, copy) == (refused,), name
        assert gallery.like(session, measured(HOUSE["terracotta_bust"].path)) == ()
        gallery.forget(session, refused)
        assert gallery.like(session, copies["smaller"]) == ()


def test_the_most_similar_face_comes_first(database: Database, keys: Path):
    gallery = FaceGallery(keys)
    drawn = {name: measured(HOUSE[name].path) for name in ("cartoon", "cartoon_keeper")}
    with database.transaction() as session:
        names = {name: gallery.keep(session, each, NOW) for name, each in drawn.items()}
        assert gallery.like(session, drawn["cartoon"])[0] == names["cartoon"]
        assert gallery.like(session, drawn["cartoon_keeper"])[0] == names["cartoon_keeper"]


def test_a_picture_of_two_people_is_of_nobody_in_particular(keys: Path, tmp_path: Path):
    two = [cv2.resize(cv2.imread(str(HOUSE[name].path)), (512, 512)) for name in ("cartoon", "oil_portrait")]
    cv2.imwrite(str(tmp_path / "two.png"), np.hstack(two))
    with pytest.raises(SeveralFaces, match="alone"):
        FaceGallery(keys).measure(tmp_path / "two.png")


def test_pictures_of_other_people_have_other_prints():
    prints = [print_of(cv2.imread(str(each.path))) for each in HOUSE.values()]
    alike = [likeness(a, b) for index, a in enumerate(prints) for b in prints[:index]]
    assert max(alike) < SAME_PICTURE - 0.05


def test_a_voice_is_known_again(database: Database, keys: Path):
    gallery = VoiceGallery(keys)
    voices = {name: gallery.measure(HOUSE[name].clip.path) for name in ("oil_portrait", "cartoon_keeper")}
    with database.transaction() as session:
        names = {name: gallery.keep(session, each, NOW) for name, each in voices.items()}
        assert gallery.like(session, voices["oil_portrait"]) == (names["oil_portrait"],)
        gallery.forget(session, names["oil_portrait"])
        assert gallery.like(session, voices["oil_portrait"]) == ()
