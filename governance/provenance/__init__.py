"""Content credentials (C2PA): a local authority, sealed films, and readings in plain words.

Make the keys once, seal every film, verify any file::

    authority = Authority.init(default_directory(), organisation="The Daily House")
    reading = seal(Path("film.mp4"), Path("sealed.mp4"), making, authority)
    print(read(Path("sealed.mp4"), house_trust()).explain())
"""

from governance.provenance.authority import Authority, default_directory, house_trust
from governance.provenance.certificates import Algorithm
from governance.provenance.declaration import Declaration
from governance.provenance.manifest import (
    GRANTED,
    Entry,
    Ingredient,
    Making,
    Rights,
    Role,
    SoftBinding,
    to_manifest,
)
from governance.provenance.reading import Reading, Reason, Signer, State, read
from governance.provenance.sealing import seal
from governance.provenance.trust import Distrusted, TrustList

__all__ = [
    "GRANTED",
    "Algorithm",
    "Authority",
    "Declaration",
    "Distrusted",
    "Entry",
    "Ingredient",
    "Making",
    "Reading",
    "Reason",
    "Rights",
    "Role",
    "Signer",
    "SoftBinding",
    "State",
    "TrustList",
    "default_directory",
    "house_trust",
    "read",
    "seal",
    "to_manifest",
]
