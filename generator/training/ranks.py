"""Training in several processes, on one machine or many: which of them this one is."""

from torch import distributed


def rank() -> int:
    """0 for the process that writes; each other one has its own number."""
    return distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0
