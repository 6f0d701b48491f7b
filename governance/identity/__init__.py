"""Who may: organisations, people, their keys and credentials, and what stewards decide together.

roster = Roster(database, hub_key)
roster.bootstrap("House", [("Ada", ada.public), ("Grace", grace.public)], now)
act = issue(organisation, person, key, Terms(Tier.GENERATE, now, now + timedelta(days=90)), now)
roster.submit(act, [Approval.by(ada, act), Approval.by(grace, act)], now)
with database.transaction() as session:
    credential = find_credential(session, keyid, now)
    spend(session, credential, "generate", now)
"""

from governance.identity.acts import Act, Approval, require
from governance.identity.changes import Terms, amend, issue, reinstate, revoke, rotate, suspend
from governance.identity.credential import Credential, HeldKey, State, Tier
from governance.identity.lookup import find_credential, trust
from governance.identity.quotas import spend
from governance.identity.roster import Listed, Roster

__all__ = [
    "Act",
    "Approval",
    "Credential",
    "HeldKey",
    "Listed",
    "Roster",
    "State",
    "Terms",
    "Tier",
    "amend",
    "find_credential",
    "issue",
    "reinstate",
    "require",
    "revoke",
    "rotate",
    "spend",
    "suspend",
    "trust",
]
