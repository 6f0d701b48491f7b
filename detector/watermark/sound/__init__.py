"""The mark in the sound: the voice alone still names the job that made it.

    marked = SoundMark(key).embed(samples, rate, job_id)
    reading = SoundMark(key).read(samples, rate)        # reading.payload.job_id, reading.segments

Between 1 and 6 kHz the short-time spectrum is divided into tiles of 64 ms x 125 Hz. In each tile the sound is a little
louder for one half of its time and a little softer for the other (a patchwork on the log spectrum after Bender et
al. 1996, biphase as in Lie and Chang 2006); a keyed pattern says which half. The mark is a gain, so that it is loud only where
the sound is loud, and nothing outside 1-6 kHz is touched.
"""

from detector.watermark.sound.embed import SoundEmbedder
from detector.watermark.sound.mark import SoundMark
from detector.watermark.sound.read import Reading, Segment, SoundReader

__all__ = ["Reading", "Segment", "SoundEmbedder", "SoundMark", "SoundReader"]
