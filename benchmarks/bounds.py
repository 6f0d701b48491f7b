"""Exact 95 % bounds of a share (Clopper and Pearson 1934), one-sided."""

from __future__ import annotations

from scipy.stats import beta

CONFIDENCE = 0.95


def at_least(hits: int, trials: int) -> float:
    """The lower bound of the share of hits."""
    return round(float(beta.ppf(1 - CONFIDENCE, hits, trials - hits + 1)), 4) if hits else 0.0


def at_most(hits: int, trials: int) -> float:
    """The upper bound of the share of hits."""
    return float(f"{beta.ppf(CONFIDENCE, hits + 1, trials - hits):.3g}") if hits < trials else 1.0
