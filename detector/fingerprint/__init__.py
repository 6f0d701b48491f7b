"""Which delivered film a clip was taken from, without any mark in it.

index = FingerprintIndex.open(folder)
index.add(job, fingerprint(film))          # at delivery
matches = find(index, fingerprint(clip))   # of a clip from anywhere
"""

from detector.fingerprint.index import FingerprintIndex
from detector.fingerprint.matching import Match, find
from detector.fingerprint.prints import Fingerprint, Watcher, fingerprint, hear

__all__ = ["Fingerprint", "FingerprintIndex", "Match", "Watcher", "find", "fingerprint", "hear"]
