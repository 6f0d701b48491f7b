"""Where a run writes down how it goes."""

from __future__ import annotations

from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger


def loggers(run: Path, name: str) -> list[Logger]:
    """A table (``metrics.csv``) and TensorBoard events, in ``run / name``."""
    return [
        CSVLogger(run, name=name, version=""),
        TensorBoardLogger(str(run), name=name, version="tensorboard"),
    ]
