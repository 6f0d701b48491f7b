"""Content credentials (C2PA): a local authority, sealed films, and readings in plain words.

Make the keys once, seal every film, verify any file::

    authority = Authority.init(default_directory(), organisation="The Daily House")
    reading = seal(Path("film.mp4"), Path("sealed.mp4"), making, authority)
    print(read(Path("sealed.mp4"), house_anchors()).explain())
"""

from governance.provenance.authority import Authority, default_directory, house_anchors
from governance.provenance.certificates import Algorithm
from governance.provenance.declaration import Declaration
from governance.provenance.manifest import Ingredient, Making, Rights, Role, to_manifest
from governance.provenance.reading import Reading, Reason, Signer, State, read
from governance.provenance.sealing import seal

__all__ = [
    "Algorithm",
    "Authority",
    "Declaration",
    "Ingredient",
    "Making",
    "Reading",
    "Reason",
    "Rights",
    "Role",
    "Signer",
    "State",
    "default_directory",
    "house_anchors",
    "read",
    "seal",
    "to_manifest",
]
