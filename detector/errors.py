"""What can go wrong while a film is examined. Messages say what to do next."""


class DetectorError(Exception):
    """Base of all errors the detector wing raises on purpose."""


class MediaError(DetectorError):
    """A file cannot be examined."""


class MediaRefused(MediaError):
    """The file is missing, too large, too long, too costly to decode, or of no format that is opened."""


class MediaDamaged(MediaError):
    """The file, or the rest of it, cannot be decoded."""


class NoPicture(MediaError):
    """The file holds no moving picture."""


class NoSound(MediaError):
    """The file holds no sound."""


class WatermarkError(DetectorError):
    """A watermark cannot be embedded so."""


class FingerprintError(DetectorError):
    """A fingerprint, or the index of them, is not what it should be."""


class ClassifierError(DetectorError):
    """The classifier's weights are missing or not those that were released."""


class VerdictError(DetectorError):
    """A text is no verdict."""
