"""Third-party files that are used but not shipped: pinned by sha256 in ``manifest.json``, kept per user.

``assets.path("face_landmarker.task")`` returns a file whose every byte has been checked, or raises. Nothing
here reaches the network except :mod:`assets.fetch`, which only ``vernissage assets fetch`` imports.
"""

from assets.errors import AssetCorrupt, AssetError, AssetMissing, AssetUnavailable
from assets.store import path

__all__ = ["AssetCorrupt", "AssetError", "AssetMissing", "AssetUnavailable", "path"]
