"""Write ``generator/sitters/sitters.json``: run after a picture has changed.

python authoring/sitters/catalogue.py
"""

import hashlib
import json
from pathlib import Path

SITTERS = Path(__file__).parents[2] / "generator" / "sitters"
LICENCE = "CC0-1.0"
CATALOGUE = (
    ("oil_portrait.jpg", "Portrait of a lady with pearls", "oil, painted by a script", "painting"),
    ("cartoon.jpg", "Girl with a daisy", "drawn by a script", "cartoon"),
    ("cartoon_keeper.jpg", "The lighthouse keeper", "drawn by a script", "welcome"),
    ("terracotta_bust.jpg", "Bust in terracotta", "modelled and lit by a script", "welcome"),
)  # fmt: skip


def main() -> None:
    entries = [
        {
            "file": file,
            "title": title,
            "medium": medium,
            "clip": clip,
            "licence": LICENCE,
            "sha256": hashlib.sha256((SITTERS / file).read_bytes()).hexdigest(),
        }
        for file, title, medium, clip in CATALOGUE
        if (SITTERS / file).exists()
    ]
    (SITTERS / "sitters.json").write_text(json.dumps(entries, indent=2) + "\n")


if __name__ == "__main__":
    main()
