"""The ledger: an append-only Merkle log of what happened, which anyone can check without trusting us.

ledger = Ledger.open("ledger/", key, origin="hub.example/ledger")
ledger.append([Event("grant.registered", {"grant": sha256})])
ledger.checkpoint().text
verify("ledger/", Verifier.read("hub.example/ledger+b947cd45+AQ5at8PHkdETLfiurY7AMPVc3CfUsrWjTBkyWxRlB03a"))
"""

from governance.ledger.checkpoint import Checkpoint, check_cosignature, cosign
from governance.ledger.delivery import deliver
from governance.ledger.log import Entry, Ledger
from governance.ledger.notes import Verifier
from governance.ledger.proof import Proof
from governance.ledger.published import Published, open_published
from governance.ledger.verification import Verified, verify
from governance.ledger.witness import Witness

__all__ = [
    "Checkpoint",
    "Entry",
    "Ledger",
    "Proof",
    "Published",
    "Verified",
    "Verifier",
    "Witness",
    "check_cosignature",
    "cosign",
    "deliver",
    "open_published",
    "verify",
]
