"""Memory does not grow with the length of what is said."""

import os
import subprocess
import sys
import sysconfig
import wave
from pathlib import Path

import numpy as np
import pytest

from generator.sitters import sitters
from generator.speech.audio import SAMPLE_RATE, Speech
from generator.video import probe
from governance.markkeys import MarkKeys
from governance.provenance import Authority

PROGRAM = Path(sysconfig.get_path("scripts")) / "vernissage"
GROWTH_LIMIT_BYTES = 150 << 20


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is told in other units elsewhere")
def test_three_minutes_take_little_more_memory_than_ten_seconds(tmp_path: Path):
    Authority.init(tmp_path / "keys")
    MarkKeys.create(tmp_path / "keys")
    house = {"VERNISSAGE_KEYS": str(tmp_path / "keys"), "VERNISSAGE_HOME": str(tmp_path / "hub")}
    sitter = sitters()[0]
    voice = np.rint(Speech.open(sitter.clip.path).samples * 32767).astype("<i2")

    def peak_bytes(seconds: int) -> int:
        words, film = tmp_path / f"{seconds}.wav", tmp_path / f"{seconds}.mp4"
        with wave.open(str(words), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(np.resize(voice, seconds * SAMPLE_RATE).tobytes())
        asked = [PROGRAM, "animate", sitter.name, words, "-o", film, "--size", "192"]
        running = subprocess.Popen(asked, env=os.environ | house)
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        assert running.returncode == 0
        assert probe(film).frames == 25 * seconds
        return used.ru_maxrss * 1024

    assert peak_bytes(180) - peak_bytes(10) < GROWTH_LIMIT_BYTES
