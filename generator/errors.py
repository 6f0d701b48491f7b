"""What can go wrong while a portrait is made to speak. Every message says what to do next."""


class GeneratorError(Exception):
    """Base of all errors the generator raises on purpose."""


class PortraitError(GeneratorError):
    """The picture cannot be read, or holds no face that can be animated."""


class SpeechError(GeneratorError):
    """The sound cannot be read, is empty, silent or too long."""


class MotionError(GeneratorError):
    """A motion file or array is not a valid ``Motion``."""


class ModelError(GeneratorError):
    """A model file is missing or its bytes are not the ones this version was released with."""


class VideoError(GeneratorError):
    """The film cannot be written."""
