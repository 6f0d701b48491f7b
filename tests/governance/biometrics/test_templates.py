"""Templates and commitments: what opens them, what does not, and that they never show themselves."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.biometrics import FaceTemplate, Keyring, VoiceTemplate, commit, new_salt, opens, similarity
from governance.biometrics.media import Likeness, Look
from governance.errors import KeysDamaged, KeysExist, KeysUnsafe, TemplateDamaged

RNG = np.random.default_rng(4)


def a_face() -> FaceTemplate:
    return FaceTemplate.of(RNG.normal(size=128))


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_a_template_keeps_its_vector(seed):
    vector = np.random.default_rng(seed).normal(size=128)
    template = FaceTemplate.of(vector)
    assert similarity(template, FaceTemplate(template.data)) == pytest.approx(1, abs=1e-6)
    assert template.vector @ (vector / np.linalg.norm(vector)) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("vector", [np.zeros(128), np.ones(127), np.full(128, np.nan), np.full(128, np.inf)])
def test_what_is_no_vector_is_no_template(vector):
    with pytest.raises(TemplateDamaged):
        FaceTemplate.of(vector)


@pytest.mark.parametrize("data", [b"", bytes(256), b"\xff" * 256, bytes(255)])
def test_what_has_no_unit_length_is_no_template(data):
    with pytest.raises(TemplateDamaged):
        FaceTemplate(data)


def test_a_face_is_not_compared_with_a_voice():
    with pytest.raises(TemplateDamaged):
        similarity(a_face(), VoiceTemplate.of(RNG.normal(size=256)))


def test_a_commitment_opens_with_its_template_and_salt():
    template, salt = a_face(), new_salt()
    assert opens(commit(template, salt), template, salt)


@given(st.integers(0, 32 * 8 - 1))
@settings(max_examples=30, deadline=None)
def test_a_commitment_opens_with_no_other_salt(bit):
    template, salt = a_face(), new_salt()
    assert not opens(commit(template, salt), template, flipped(salt, bit))


def test_a_commitment_opens_with_no_other_template():
    template, salt = a_face(), new_salt()
    nudged = np.frombuffer(template.data, "<i2").copy()
    nudged[0] += 1
    assert not opens(commit(template, salt), FaceTemplate(nudged.tobytes()), salt)


def test_two_commitments_to_one_face_have_nothing_in_common():
    template = a_face()
    assert commit(template, new_salt()) != commit(template, new_salt())


def test_a_short_salt_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        commit(a_face(), b"short")


def test_nothing_of_a_person_is_printed_or_logged(caplog: pytest.LogCaptureFixture):
    face, print_ = a_face(), b"\x01\x02" * 16
    kept = (Likeness(face, face, print_), Look(0.0, 1, np.ones((5, 2), np.float32), face))
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").warning("%s %r %s", *kept, face)
    assert caplog.messages == [
        "Likeness(face=FaceTemplate(), mirrored=FaceTemplate()) "
        "Look(at=0.0, people=1, template=FaceTemplate()) FaceTemplate()"
    ]


def test_a_keyring_is_a_private_file_that_is_not_overwritten(tmp_path: Path):
    path = tmp_path / "templates.json"
    made = Keyring.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keyring.load(path).current == made.current
    with pytest.raises(KeysExist):
        Keyring.create(path)


def test_a_keyring_others_may_read_is_refused(keys: Path):
    keys.chmod(0o640)
    with pytest.raises(KeysUnsafe):
        Keyring.load(keys)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"current": "a", "keys": {}}', '{"current": "a", "keys": {"a": "AA"}}']
)
def test_a_damaged_keyring_is_refused(keys: Path, text):
    keys.write_text(text)
    with pytest.raises(KeysDamaged):
        Keyring.load(keys)


def test_a_keyring_does_not_print_its_keys(keys: Path):
    ring = Keyring.load(keys)
    assert repr(ring) == f"Keyring(current={ring.current!r})"


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_flipped_bit_of_a_sealed_template_is_caught(data):
    ring = Keyring("", {}).with_new()
    sealed = ring.seal(a_face().data, b"face 1")
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    with pytest.raises(TemplateDamaged):
        ring.open(flipped(sealed, bit), b"face 1", ring.current)


def test_what_is_sealed_for_one_row_does_not_open_in_another():
    ring = Keyring("", {}).with_new()
    with pytest.raises(TemplateDamaged):
        ring.open(ring.seal(b"template", b"face 1"), b"face 2", ring.current)
