"""The canonical mesh is read from the landmark model's bundle, and nothing else passes for it."""

import struct
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from generator.errors import ModelError
from generator.face.canonical import canonical_mesh

_METADATA = "geometry_pipeline_metadata_landmarks.binarypb"


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _bundle(path: Path, mesh: bytes) -> Path:
    with ZipFile(path, "w") as bundle:
        bundle.writestr(_METADATA, b"\x0a" + _varint(len(mesh)) + mesh)
    return path


def _mesh(vertices: np.ndarray, triangles: np.ndarray, packed: bool) -> bytes:
    rows = np.pad(vertices, ((0, 0), (0, 2))).astype("<f4").ravel()
    indices = [_varint(int(i)) for i in triangles.ravel()]
    if packed:
        joined = b"".join(indices)
        return (
            b"\x08\x01\x10\x00"
            + b"\x1a" + _varint(rows.nbytes) + rows.tobytes()
            + b"\x22" + _varint(len(joined)) + joined
        )  # fmt: skip
    return b"".join(b"\x1d" + struct.pack("<f", x) for x in rows) + b"".join(b"\x20" + i for i in indices)


@pytest.mark.parametrize("packed", [True, False])
def test_both_protobuf_encodings_of_the_mesh_are_read(tmp_path: Path, packed: bool) -> None:
    rng = np.random.default_rng(0)
    vertices = rng.normal(size=(468, 3)).astype(np.float32)
    triangles = rng.integers(0, 468, (898, 3))
    read, faces = canonical_mesh(_bundle(tmp_path / "face.task", _mesh(vertices, triangles, packed)))
    assert read.dtype == np.float64
    assert np.array_equal(read, vertices)
    assert np.array_equal(faces, triangles)


def test_a_mesh_of_another_size_is_refused(tmp_path: Path) -> None:
    small = _mesh(np.zeros((4, 3)), np.zeros((2, 3), int), packed=True)
    with pytest.raises(ModelError, match="another face mesh"):
        canonical_mesh(_bundle(tmp_path / "face.task", small))


@pytest.mark.parametrize("content", [b"", b"not a zip", b"\x0a\xff"])
def test_a_file_that_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "face.task"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="fetch"):
        canonical_mesh(path)


def test_a_truncated_mesh_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="fetch"):
        canonical_mesh(_bundle(tmp_path / "face.task", b"\x1a\xff\xff"))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="fetch"):
        canonical_mesh(tmp_path / "absent.task")
