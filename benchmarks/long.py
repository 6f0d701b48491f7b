"""Ten minutes of speech: does memory stay flat? ``python -m benchmarks.long``.

Figures: ``short_peak_mib`` and ``long_peak_mib``, peak memory of ``vernissage animate`` on ten seconds and on
ten minutes; ``growth_mib``, the difference; ``long_s``, wall time; ``real_time_share``, that over 600 s.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.command import AnimateCommand
from benchmarks.report import publish

SHORT_SECONDS = 10
LONG_SECONDS = 600


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        AnimateCommand(Path(folder), SHORT_SECONDS)()
        short = AnimateCommand.peak_mib()
    with tempfile.TemporaryDirectory() as folder:
        seconds = AnimateCommand(Path(folder), LONG_SECONDS)()
        long = AnimateCommand.peak_mib()
    publish(
        "long",
        {
            "short_peak_mib": round(short),
            "long_peak_mib": round(long),
            "growth_mib": round(long - short),
            "long_s": round(seconds, 1),
            "real_time_share": round(seconds / LONG_SECONDS, 3),
        },
    )


if __name__ == "__main__":
    main()
