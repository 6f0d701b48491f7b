"""The canonical face mesh that the landmark model measures against, read out of its own ``.task`` file."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from generator.errors import ModelError
from generator.face.topology import VERTEX_COUNT

TRIANGLE_COUNT = 898

_METADATA = "geometry_pipeline_metadata_landmarks.binarypb"
# Field numbers of mediapipe.tasks.vision.face_geometry.proto: GeometryPipelineMetadata and Mesh3d.
_CANONICAL_MESH = 1
_VERTEX_BUFFER = 3
_INDEX_BUFFER = 4
_VERTEX_STRIDE = 5  # x, y, z, u, v


def canonical_mesh(task_path: Path) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Read the canonical face mesh from a Face Landmarker ``.task`` file.

    Returns the vertices, (468, 3) in cm (+x image right, +y up, +z towards the camera), and the triangles,
    (898, 3), which index them.

    Raises ``ModelError`` if the file is not a Face Landmarker bundle.
    """
    try:
        with ZipFile(task_path) as bundle:
            metadata = bundle.read(_METADATA)
        mesh = dict(_fields(metadata))[_CANONICAL_MESH]
        floats, indices = [], bytearray()
        for number, value in _fields(mesh):
            if number == _VERTEX_BUFFER:
                floats.append(value)
            elif number == _INDEX_BUFFER:
                indices += value
        vertices = np.frombuffer(b"".join(floats), "<f4").reshape(-1, _VERTEX_STRIDE)[:, :3]
        triangles = np.array(list(_varints(bytes(indices))), np.int32).reshape(-1, 3)
    except (OSError, BadZipFile, KeyError, ValueError, IndexError) as error:
        raise ModelError(f"{task_path} holds no canonical face mesh; fetch the model files again.") from error
    if vertices.shape != (VERTEX_COUNT, 3) or triangles.shape != (TRIANGLE_COUNT, 3):
        raise ModelError(f"{task_path} holds another face mesh than this version knows; fetch it again.")
    return vertices.astype(np.float64), triangles


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (field number, payload) of a protobuf message; an integer's payload is its varint encoding."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        start, wire_type = position, key & 7
        if wire_type == 0:
            _, position = _varint(message, position)
        elif wire_type == 1:
            position += 8
        elif wire_type == 2:
            length, start = _varint(message, position)
            position = start + length
        elif wire_type == 5:
            position += 4
        else:
            raise ValueError(f"unknown protobuf wire type {wire_type}")
        if position > len(message):
            raise ValueError("protobuf message ends inside a field")
        yield key >> 3, message[start:position]


def _varints(packed: bytes) -> Iterator[int]:
    position = 0
    while position < len(packed):
        value, position = _varint(packed, position)
        yield value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
