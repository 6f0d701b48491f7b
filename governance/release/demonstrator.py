"""The version that comes with the source code, and the evidence for it that anybody can check by hash.

``demonstrator.json`` is to the weights, the model card and the benchmark results what a lock file is to
dependencies. After changing one of them write it anew, and look at the difference:

    python -m governance.release.demonstrator

Its evidence is unsigned: whoever has the source code has the files it is about. It therefore counts only for
the exemption that this version belongs to, never as evidence that the ladder demands.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from governance.errors import ReleaseError
from governance.release.evidence import Evidence, version_of
from governance.release.judging import Filed

FILE = Path(__file__).parent / "demonstrator.json"
EXEMPTION = "demonstrator"
WEIGHTS = (
    "generator/face/decoder.safetensors",
    "generator/motion/flow.safetensors",
    "generator/speech/encoder.safetensors",
)
CARD = "MODEL_CARD.md"
RENDER = "benchmarks/results/render.json"
MOTION = "benchmarks/results/motion.json"
LIFETIME = timedelta(days=3650)
"""What comes with the source code has no end of its own; the exemption says how old it may be."""


@dataclass(frozen=True)
class Demonstrator:
    """``weights``: SHA-256 by path; ``evidence``: what is said of them; ``files``: where each report lies."""

    name: str
    weights: Mapping[str, str]
    evidence: tuple[Evidence, ...]
    files: Mapping[str, str]

    @property
    def version(self) -> str:
        """The id of this version."""
        return version_of(self.weights)

    def filed(self) -> dict[str, Filed]:
        """By kind, as if filed when it was made."""
        return {item.kind: Filed("", item, item.made_at) for item in self.evidence}

    def as_json(self) -> str:
        """As it is kept in ``demonstrator.json``."""
        table = {
            "name": self.name,
            "version": self.version,
            "weights": dict(self.weights),
            "evidence": [{"file": self.files[item.kind], **item.facts()} for item in self.evidence],
        }
        return json.dumps(table, indent=2) + "\n"


def read(path: Path = FILE) -> Demonstrator:
    """What ``path`` says. Raises ``ReleaseError`` if it is damaged or about another version."""
    try:
        table = json.loads(path.read_text("utf-8"))
        files = {item["kind"]: item.pop("file") for item in table["evidence"]}
        evidence = tuple(Evidence.of(item) for item in table["evidence"])
        found = Demonstrator(table["name"], dict(table["weights"]), evidence, files)
        if any(item.version != found.version for item in evidence) or table["version"] != found.version:
            raise ValueError("its evidence is about another version")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseError(f"{path} cannot be used ({error}): install the software again.") from error
    return found


def compose(root: Path, now: datetime, before: Demonstrator | None = None) -> Demonstrator:
    """Examine the files under ``root``. Evidence whose report is the same as ``before`` keeps its date.

    Raises:
        ReleaseError: a file is missing or does not state what it should.
    """
    try:
        weights = {name: _sha256(root / name) for name in WEIGHTS}
        size = sum((root / name).stat().st_size for name in WEIGHTS)
        render = json.loads((root / RENDER).read_text("utf-8"))
        motion = json.loads((root / MOTION).read_text("utf-8"))
        drivers: dict[str, Any] = motion["drivers"]
        found = [
            ("weights", "generator/**/*.safetensors", version_of(weights), {"bytes": size}, now),
            ("model_card", CARD, _sha256(root / CARD), {}, now),
            (
                "render_benchmark",
                RENDER,
                _sha256(root / RENDER),
                {"frame_ms_median": render["frame_ms_median"]},
                datetime.fromisoformat(render["measured"]),
            ),
            (
                "motion_benchmark",
                MOTION,
                _sha256(root / MOTION),
                {"lip_correlation": max(driver["lip_corr"] for driver in drivers.values())},
                datetime.fromisoformat(motion["measured"]),
            ),
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(f"The demonstrator under {root} cannot be described ({error}).") from error
    dated = {(item.kind, item.report): item.made_at for item in before.evidence} if before else {}
    evidence = []
    for kind, _, report, metrics, made_at in found:
        made_at = dated.get((kind, report), made_at)
        evidence.append(Evidence(kind, version_of(weights), report, metrics, made_at, made_at + LIFETIME))
    return Demonstrator(
        f"Vernissage generator {installed_version('vernissage-hub')}",
        weights,
        tuple(evidence),
        {kind: file for kind, file, *_ in found},
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_measured(root: Path) -> None:
    """Check that the benchmarks were run with the weights that lie there now: that they are those of the
    commit the results name.

    Raises:
        ReleaseError: they were not, or it cannot be told.
    """
    for results in (RENDER, MOTION):
        commit = json.loads((root / results).read_text("utf-8"))["commit"]
        changed = subprocess.run(
            ["git", "-C", str(root), "diff", "--quiet", f"{commit}^{{commit}}", "--", *WEIGHTS],
            capture_output=True,
            check=False,
        )
        if changed.returncode:
            raise ReleaseError(f"{results} was measured with other weights: run its benchmark again.")


def main() -> None:
    """Write ``demonstrator.json`` for the source code this module lies in."""
    root = FILE.parents[2]
    check_measured(root)
    before = read() if FILE.exists() else None
    made = compose(root, datetime.now(UTC), before)
    FILE.write_text(made.as_json(), "utf-8")
    print(f"{made.name}, version {made.version}: written to {FILE}")


if __name__ == "__main__":
    main()
