"""With whose consent a face is animated: grants signed by the person, attestations, standing refusals.

::

    ceremonies = Ceremonies(database, Evidence(folder), checks)    # a living person shows that they agree
    grant = Grant.by(their_key, ceremonies.examine(id, now).terms)
    consents = Consents(database)
    consents.register(grant, now)
    use = consents.admit(grant.id, Asking(…), now)                 # before a film is made
    consents.confirm(use, now)                                     # before it is handed over
"""

from governance.consent.asking import Asking, Use
from governance.consent.attestation import Attestation
from governance.consent.attestations import Attestations, review
from governance.consent.ceremonies import Ceremonies
from governance.consent.ceremony import Ceremony, GrantRequest
from governance.consent.checks import PASSED, Checks, Finding, Gallery
from governance.consent.files import Evidence
from governance.consent.grant import NOTICE_VERSION, Grant, Revocation, Terms, notice
from governance.consent.phrase import Challenge
from governance.consent.refusal import Refusal, Withdrawal
from governance.consent.refusals import Refusals
from governance.consent.register import Consents, strike
from governance.consent.vocabulary import DIRECTIONS, PURPOSES

__all__ = [
    "DIRECTIONS",
    "NOTICE_VERSION",
    "PASSED",
    "PURPOSES",
    "Asking",
    "Attestation",
    "Attestations",
    "Ceremonies",
    "Ceremony",
    "Challenge",
    "Checks",
    "Consents",
    "Evidence",
    "Finding",
    "Gallery",
    "Grant",
    "GrantRequest",
    "Refusal",
    "Refusals",
    "Revocation",
    "Terms",
    "Use",
    "Withdrawal",
    "notice",
    "review",
    "strike",
]
