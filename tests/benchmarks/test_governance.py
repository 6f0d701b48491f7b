"""The governance benchmark reports what its documentation names, from the real thing at a small scale."""

from pathlib import Path

from benchmarks import governance


def test_every_figure_is_measured_and_explained(tmp_path: Path):
    figures = governance.measure(tmp_path, (100, 1000))
    assert list(figures["growth"]) == ["1e2", "1e3"]
    assert governance.__doc__ is not None
    for name in (*figures, *figures["growth"]["1e3"]):
        assert name.replace("_at_1e3", "_at_1e6") in governance.__doc__
    assert min(value for value in figures["growth"]["1e3"].values()) > 0
    assert figures["verify_ms"] < figures["remembered_ms"]
