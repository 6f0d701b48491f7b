"""Builders: other people's recordings into corpora. ``python -m generator.training.corpora NAME --help``."""
