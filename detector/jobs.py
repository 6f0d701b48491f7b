"""What a job is called: marks carry a 40-bit integer, the fingerprint index and people its text form."""

from __future__ import annotations

import re

MOST = (1 << 40) - 1
_FORM = re.compile(r"[0-9a-f]{10}")


def job_name(job_id: int) -> str:
    """Ten lower-case hexadecimal digits for 0 .. 2^40 - 1. Raises ``ValueError`` outside that range."""
    if not 0 <= job_id <= MOST:
        raise ValueError(f"a job id is 0 to 2^40 - 1, not {job_id}")
    return f"{job_id:010x}"


def job_number(name: str) -> int:
    """The inverse of ``job_name``. Raises ``ValueError`` on any other text."""
    if not _FORM.fullmatch(name):
        raise ValueError(f"a job is named by ten hexadecimal digits, not {name[:40]!r}")
    return int(name, 16)
