"""How far a model version is released, by what evidence, and who let it.

releases = Releases(database)
releases.enter("Generator 2", {"flow.safetensors": sha256, ...}, now)
releases.file(Signed.by(producer, evidence), now)
act = releases.propose(version, "red_team", ada, now)      # a steward
releases.approve(act.sha256, grace, now)                   # another one
releases.serving(version, "research", now, scopes={"red_team"}).allowed
"""

from governance.release.evidence import Evidence, Signed, version_of
from governance.release.judging import Judgement, Shortfall
from governance.release.ladder import Demand, Exemption, Ladder, Rung
from governance.release.releases import Item, Releases, Serving, Standing

__all__ = [
    "Demand",
    "Evidence",
    "Exemption",
    "Item",
    "Judgement",
    "Ladder",
    "Releases",
    "Rung",
    "Serving",
    "Shortfall",
    "Signed",
    "Standing",
    "version_of",
]
