"""Seal a film: sign it, read the finished file back, and let it exist only if it reads as trusted."""

import os
import secrets
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import c2pa

from governance.errors import SealError
from governance.provenance.authority import Authority
from governance.provenance.declaration import declared_by
from governance.provenance.manifest import FORMAT, Making, to_manifest
from governance.provenance.reading import Reading, State, read


def seal(
    unsigned: Path,
    signed: Path,
    making: Making,
    authority: Authority,
    *,
    clock: str | None = None,
    confirm: Callable[[Path], None] = lambda _: None,
) -> Reading:
    """Write ``unsigned`` (an MP4) with the manifest of ``making`` to ``signed``.

    The sealed film is written beside ``signed`` under another name, flushed to the disk, read back
    with the authority's root as the only anchor, and only then given its name: at no moment is there a
    film at ``signed`` that is not ``TRUSTED``. What stood there before is replaced on success, and left as
    it was on failure. ``unsigned`` and ``signed`` may be the same path.

    Args:
        unsigned: the film.
        signed: where the sealed film goes.
        making: what it declares.
        authority: who seals it.
        clock: the address of a time stamp authority (RFC 3161), one that the house goes by
            (``vernissage keys trust --clock``): its films stay ``TRUSTED`` when the signer has expired.
        confirm: called with the sealed film, which has not got its name yet; if it raises there is no film.

    Returns:
        What the finished file says, in state ``TRUSTED``.

    Raises:
        SealError: the film cannot be read, signed, stamped or written, or did not read back as declared.
        KeysExpired: the signer must be renewed.
    """
    signer = authority.signer(clock)
    temporary = signed.with_name(f".{secrets.token_hex(8)}.unsealed")
    try:
        _sign(unsigned, temporary, making, authority, signer, clock)
        reading = replace(read(temporary, authority.trust()), path=signed)
        _check(reading, making)
        if clock is not None and reading.sealed is None:
            raise SealError(
                f"The time stamp of {clock} is by a clock this house does not go by, so the film was "
                "deleted: run `vernissage keys trust --clock` with its root certificate."
            )
        confirm(temporary)
        temporary.replace(signed)
        _flush_directory(signed.parent)
    except OSError as error:
        raise SealError(
            f"The sealed film {signed} cannot be written ({error.strerror or error}): "
            "check the folder and its free space. No film was left behind."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return reading


def _sign(
    unsigned: Path,
    temporary: Path,
    making: Making,
    authority: Authority,
    signer: c2pa.Signer,
    clock: str | None,
) -> None:
    settings = {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
        "trust": {"trust_anchors": authority.root_pem},
        "builder": {"thumbnail": {"enabled": False}},
    }
    try:
        source = unsigned.open("rb")
    except OSError as error:
        raise SealError(
            f"The film {unsigned} cannot be read ({error.strerror}): nothing was sealed."
        ) from error
    with source:
        _check_whole(unsigned, source)
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "w+b") as destination:
            try:
                with c2pa.Context.from_dict(settings, signer=signer) as context:
                    c2pa.Builder(to_manifest(making), context=context).sign(FORMAT, source, destination)
            except c2pa.C2paError as error:
                destination.flush()
                hint = f" Check that the time stamp authority {clock} answers." if clock else ""
                raise SealError(f"The film {unsigned} cannot be sealed: {error}.{hint}") from error
            destination.flush()
            os.fsync(descriptor)


def _check_whole(path: Path, file: BinaryIO) -> None:
    """Refuse what was cut short: the boxes of an MP4 (ISO/IEC 14496-12, section 4.2) must fill the file."""
    kinds = set()
    position, end = 0, file.seek(0, os.SEEK_END)
    while position < end:
        file.seek(position)
        header = file.read(16).ljust(16, b"\0")
        size, kind = struct.unpack(">I4s", header[:8])
        if size == 1:
            size = struct.unpack(">Q", header[8:])[0]
        elif size == 0:
            size = end - position
        if size < 8 or position + size > end:
            break
        kinds.add(kind)
        position += size
    if position != end or not {b"ftyp", b"moov"} <= kinds:
        raise SealError(f"{path} is not a whole MP4 film: make it again. Nothing was sealed.")
    file.seek(0)


def _check(reading: Reading, making: Making) -> None:
    """The finished file must be trusted and declare what was asked: no more inputs, no fewer, no others."""
    if reading.state is not State.TRUSTED:
        findings = ", ".join(f"{reason.code} ({reason.explanation})" for reason in reading.reasons)
        raise SealError(
            f"The sealed film read back as {reading.state.value}, not as trusted, and was deleted: "
            f"{findings}. Check that the keys belong together."
        )
    expected = declared_by(making)
    if reading.declaration != expected:
        raise SealError(
            f"The sealed film declares {reading.declaration} where {expected} was asked for, and was "
            "deleted: this is a fault in the software, please report it."
        )


def _flush_directory(directory: Path) -> None:
    """Make the new name last through a power cut, where the file system knows how."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
