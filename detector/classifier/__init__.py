"""Recognising our films by how their faces move; see ``classifier``."""

from detector.classifier.classifier import Classification, Classifier, FaceTrack, Moment, Watcher

__all__ = ["Classification", "Classifier", "FaceTrack", "Moment", "Watcher"]
