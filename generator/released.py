"""Released weights: a ``.safetensors`` file, and beside it the ``.json`` statement that names its hash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from generator.errors import ModelError


def load_released(path: Path, what: str) -> dict[str, NDArray[np.float32]]:
    """The tensors at ``path``, checked against the statement beside it.

    Args:
        path: the weights.
        what: what to call them in an error, such as "face decoder".

    Raises:
        ModelError: a file is missing or damaged, or the bytes are not those that the statement names.
    """
    try:
        data = path.read_bytes()
        stated = json.loads(path.with_suffix(".json").read_text("utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The {what} {path} cannot be read; reinstall this package.") from error
    if hashlib.sha256(data).hexdigest() != stated:
        raise ModelError(f"The {what} {path} is not the one released; reinstall this package.")
    try:
        return load(data)
    except SafetensorError as error:
        raise ModelError(f"The {what} {path} is damaged; reinstall this package.") from error
