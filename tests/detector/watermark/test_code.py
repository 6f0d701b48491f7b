"""The word both marks carry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.watermark.code import CHIPS, decode, encode, false_decode_bound

KEY = b"a key of the tests"


@given(st.integers(0, 2**40 - 1))
def test_a_clean_word_returns_its_job(job_id: int) -> None:
    payload = decode(encode(job_id, KEY).astype(np.float32), KEY)
    assert payload is not None
    assert payload.job_id == job_id
    assert payload.agreement == pytest.approx(1.0)


def test_a_word_under_noise_as_strong_as_itself_is_read() -> None:
    rng = np.random.default_rng(5)
    jobs = rng.integers(0, 2**40, 200)
    noisy = [encode(int(job), KEY) + rng.standard_normal(CHIPS) for job in jobs]
    read = [decode(soft, KEY) for soft in noisy]
    right = sum(
        payload is not None and payload.job_id == job for payload, job in zip(read, jobs, strict=True)
    )
    assert right >= 198


def test_erased_chips_are_borne() -> None:
    soft = encode(77, KEY).astype(np.float64)
    soft[np.random.default_rng(2).permutation(CHIPS)[: CHIPS // 2]] = 0.0
    payload = decode(soft, KEY)
    assert payload is not None
    assert payload.job_id == 77


def test_another_key_reads_nothing() -> None:
    assert decode(encode(77, KEY).astype(np.float32), b"another key") is None


def test_noise_is_not_a_word() -> None:
    rng = np.random.default_rng(9)
    assert all(decode(rng.standard_normal(CHIPS), KEY) is None for _ in range(2000))
    assert decode(np.zeros(CHIPS), KEY) is None


def test_five_hundred_trials_keep_the_bound() -> None:
    assert false_decode_bound(500) < 1e-6


@settings(max_examples=20)
@given(st.sampled_from([-1, 2**40]))
def test_a_job_out_of_range_is_refused(job_id: int) -> None:
    with pytest.raises(ValueError, match="job id"):
        encode(job_id, KEY)


def test_soft_values_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="320"):
        decode(np.zeros(CHIPS - 1), KEY)
    with pytest.raises(ValueError, match="finite"):
        decode(np.full(CHIPS, np.nan), KEY)
