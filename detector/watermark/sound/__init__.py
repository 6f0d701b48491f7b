"""The mark in the sound: the voice alone still names the job that made it.

    marked = SoundMark(key).embed(samples, rate, job_id)
    reading = SoundMark(key).read(samples, rate)        # reading.payload.job_id, reading.segments

Between 1 and 6 kHz the short-time spectrum is divided into tiles of 64 ms x 125 Hz. In each tile the sound
is a little louder for one half of its time and a little softer for the other (patchwork, Bender et al. 1996,
on the log spectrum); a keyed pattern says which. The mark is a gain: it is loud only where the sound is, and
nothing outside 1-6 kHz is touched.
"""

from detector.watermark.sound.embed import SoundEmbedder
from detector.watermark.sound.mark import SoundMark
from detector.watermark.sound.read import Reading, Segment, SoundReader

__all__ = ["Reading", "Segment", "SoundEmbedder", "SoundMark", "SoundReader"]
