"""What both marks carry: a job id, a keyed check, and the convolutional code that protects them.

    bits = encode(job_id, key)            # 320 chips of +-1, for a picture or a sound to spread
    payload = decode(soft, key)           # from 320 soft values; None unless the keyed check holds

The word is 72 bits: a 40-bit job id, then the first 32 bits of HMAC-SHA256(key, id). It is protected by
the rate-1/4, constraint-length-9 convolutional code (463, 535, 733, 745 octal; Larsen 1973, free distance
24), ended with eight zeros and interleaved. Decoding is parallel list Viterbi (Seshadri and Sundberg 1994):
the check picks among the likeliest words, so each call costs at most `LIST_SIZE` chances of accepting noise.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

JOB_BITS = 40
CHECK_BITS = 32
LIST_SIZE = 8

_GENERATORS_OCTAL = (0o463, 0o535, 0o733, 0o745)
_RATE = len(_GENERATORS_OCTAL)
_CONSTRAINT = 9
_STATES = 1 << (_CONSTRAINT - 1)
_WORD_BITS = JOB_BITS + CHECK_BITS
_STEPS = _WORD_BITS + _CONSTRAINT - 1

CHIPS = _RATE * _STEPS
"""Chips in a code word: 320."""


@dataclass(frozen=True)
class Payload:
    """A word whose keyed check held. `agreement`: correlation (-1..1) of the soft values with its chips."""

    job_id: int
    agreement: float


def false_decode_bound(calls: int) -> float:
    """Bound on the probability that `calls` calls of `decode` on noise accept a word: calls * 8 * 2^-32.

    It rests on the check being a pseudo-random function of the id; nothing about the noise is assumed.
    """
    return calls * LIST_SIZE * 2.0**-CHECK_BITS


def encode(job_id: int, key: bytes) -> NDArray[np.int8]:
    """Chips of +-1 (CHIPS,) that carry `job_id`, 0 .. 2^40 - 1. Raises ValueError outside that range."""
    word = _word(job_id, key)
    bits = np.unpackbits(np.frombuffer(word, np.uint8))
    chips = np.empty(CHIPS, np.int8)
    state = 0
    for step in range(_STEPS):
        bit = int(bits[step]) if step < _WORD_BITS else 0
        chips[step * _RATE : (step + 1) * _RATE] = _BRANCHES[state, bit]
        state = (state >> 1) | (bit << (_CONSTRAINT - 2))
    return chips[_INTERLEAVER]


def decode(soft: NDArray[np.floating], key: bytes) -> Payload | None:
    """The payload in `soft` (CHIPS,): positive where a chip is likely +1; any scale. None if no word passes.

    Raises ValueError if the shape is wrong or a value is not finite.
    """
    if soft.shape != (CHIPS,):
        raise ValueError(f"a code word has {CHIPS} soft values, not {soft.shape}")
    if not np.isfinite(soft).all():
        raise ValueError("soft values must be finite")
    norm = float(np.linalg.norm(soft)) * CHIPS**0.5
    if norm == 0.0:
        return None
    ordered = np.empty(CHIPS, np.float32)
    ordered[_INTERLEAVER] = soft * (CHIPS / norm)
    for bits in _list_viterbi(ordered.reshape(_STEPS, _RATE), _BRANCHES):
        word = np.packbits(bits).tobytes()
        job_id = int.from_bytes(word[: JOB_BITS // 8])
        if hmac.compare_digest(word, _word(job_id, key)):
            return Payload(job_id, float(soft @ encode(job_id, key)) / norm)
    return None


def _word(job_id: int, key: bytes) -> bytes:
    if not 0 <= job_id < 1 << JOB_BITS:
        raise ValueError(f"a job id is 0 to 2^{JOB_BITS} - 1, not {job_id}")
    name = job_id.to_bytes(JOB_BITS // 8)
    return name + hmac.digest(key, b"vernissage mark v1" + name, hashlib.sha256)[: CHECK_BITS // 8]


def _branches() -> NDArray[np.int8]:
    """Chips (states, 2, rate) sent when a bit enters a state: the last eight bits, newest on top."""
    registers = np.arange(_STATES)[:, None] | (np.arange(2) << (_CONSTRAINT - 1))
    parity = np.bitwise_count(registers[..., None] & np.array(_GENERATORS_OCTAL)) & 1
    chips: NDArray[np.int8] = 1 - 2 * parity.astype(np.int8)
    return chips


_BRANCHES = _branches()
_INTERLEAVER = np.random.Generator(np.random.Philox(1)).permutation(CHIPS)


@numba.njit(cache=True)
def _list_viterbi(soft: NDArray[np.float32], branches: NDArray[np.int8]) -> NDArray[np.uint8]:
    """The LIST_SIZE best words (LIST_SIZE, 72), best first, for soft values (steps, rate)."""
    lowest = np.float32(-1e30)
    metric = np.full((_STATES, LIST_SIZE), lowest, np.float32)
    metric[0, 0] = 0.0
    following = np.empty_like(metric)
    back = np.zeros((_STEPS, _STATES, LIST_SIZE), np.uint8)  # which predecessor (top bit) and its rank
    for step in range(_STEPS):
        for state in range(_STATES):
            bit = state >> (_CONSTRAINT - 2)
            if step >= _WORD_BITS and bit == 1:
                following[state, :] = lowest
                continue
            first = (state << 1) & (_STATES - 1)
            gain_0 = np.float32(0.0)
            gain_1 = np.float32(0.0)
            for chip in range(_RATE):
                gain_0 += soft[step, chip] * branches[first, bit, chip]
                gain_1 += soft[step, chip] * branches[first + 1, bit, chip]
            rank_0 = rank_1 = 0
            for rank in range(LIST_SIZE):
                from_0 = metric[first, rank_0] + gain_0
                from_1 = metric[first + 1, rank_1] + gain_1
                if from_0 >= from_1:
                    following[state, rank] = from_0
                    back[step, state, rank] = rank_0
                    rank_0 += 1
                else:
                    following[state, rank] = from_1
                    back[step, state, rank] = rank_1 | 128
                    rank_1 += 1
        metric, following = following, metric
    words = np.empty((LIST_SIZE, _WORD_BITS), np.uint8)
    for start in range(LIST_SIZE):
        state, rank = 0, start
        for step in range(_STEPS - 1, -1, -1):
            if step < _WORD_BITS:
                words[start, step] = state >> (_CONSTRAINT - 2)
            link = back[step, state, rank]
            state = ((state << 1) & (_STATES - 1)) | (link >> 7)
            rank = link & 127
    return words
