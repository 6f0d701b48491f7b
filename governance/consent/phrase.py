"""What a person is asked to say and do before the camera: nobody can have filmed it before."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import cast, get_args

from governance.consent.checks import Turn

WORDS = 6
TURNS = 3
VALID = timedelta(minutes=10)


@dataclass(frozen=True)
class Challenge:
    """Good until just before ``expires``. ``turns`` are to the person's own left and right, each from the
    middle and back."""

    phrase: str
    turns: tuple[Turn, ...]
    expires: datetime

    @classmethod
    def new(cls, now: datetime) -> Challenge:
        """Drawn at random: 44 bits of words and 3 of turns."""
        drawn = secrets.SystemRandom().sample(words(), WORDS)
        turns = tuple(secrets.choice(get_args(Turn)) for _ in range(TURNS))
        return cls(" ".join(drawn), cast(tuple[Turn, ...], turns), now + VALID)

    def sentence(self) -> str:
        """As it is put to the person."""
        turns = ", ".join(self.turns[:-1]) + f" and {self.turns[-1]}"
        return (
            f'Film yourself in one take: look into the camera and say "{self.phrase}". Then turn your head '
            f"to your own {turns}, each time back to the middle. Send the film before "
            f"{self.expires:%H:%M} UTC."
        )


@cache
def words() -> tuple[str, ...]:
    """English words, easily said and not easily misheard: three sounds or more lie between any two."""
    found: list[str] = json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))
    return tuple(found)
