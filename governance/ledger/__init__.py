"""The ledger: an append-only Merkle log of what happened, which anyone can check without trusting us.

ledger = Ledger.open("ledger/", key, origin="hub.example/ledger")
ledger.append([Event("grant.registered", {"grant": sha256})])
ledger.checkpoint().text
"""

from governance.ledger.checkpoint import Checkpoint, check_cosignature, cosign
from governance.ledger.delivery import deliver
from governance.ledger.log import Entry, Ledger
from governance.ledger.notes import Verifier
from governance.ledger.proof import Proof

__all__ = ["Checkpoint", "Entry", "Ledger", "Proof", "Verifier", "check_cosignature", "cosign", "deliver"]
