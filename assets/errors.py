"""What can go wrong with a third-party file. Every message says what to do next."""


class AssetError(Exception):
    """Base of all errors about third-party files."""


class AssetMissing(AssetError):
    """The file is not in the assets folder."""


class AssetCorrupt(AssetError):
    """The file is there, but its bytes are not the pinned ones."""


class AssetUnavailable(AssetError):
    """The file could not be fetched, or the folder cannot be written."""
