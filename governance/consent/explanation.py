"""Documents of consent in plain sentences, for whom they concern."""

from __future__ import annotations

from datetime import datetime

from governance.consent.attestation import CLASSES, Attestation
from governance.consent.documents import Document, Statement, schema_of
from governance.consent.grant import Grant, Revocation, Terms
from governance.consent.refusal import Refusal, Withdrawal
from governance.consent.vocabulary import PURPOSES
from governance.errors import ConsentRefused

DOCUMENTS: tuple[type[Document], ...] = (Grant, Revocation, Refusal, Withdrawal, Attestation)


def read_document(data: bytes) -> Document:
    """Any signed document, verified. Raises ``ConsentRefused``."""
    schema = schema_of(data)
    for kind in DOCUMENTS:
        if kind.schema() == schema:
            return kind.read(data)
    raise ConsentRefused("document_kind", "This file is no document of consent that this hub understands.")


def explain(statement: Statement) -> tuple[str, ...]:
    """What it says, one fact a sentence."""
    if isinstance(statement, Terms):
        return _terms(statement)
    if isinstance(statement, Revocation):
        forget = " The templates of face and voice are to be deleted." if statement.forget else ""
        return (f"Ends grant {statement.grant}, as of {_moment(statement.at)}.{forget}",)
    if isinstance(statement, Refusal):
        return (
            f"The holder of key {statement.subject.keyid} does not want to be animated, ever.",
            f"Their picture has the SHA-256 {statement.portrait_sha256}.",
            f"Signed {_moment(statement.at)}.",
        )
    if isinstance(statement, Withdrawal):
        return (f"Takes back refusal {statement.refusal}, as of {_moment(statement.at)}.",)
    assert isinstance(statement, Attestation)
    return (
        f"The holder of key {statement.attester.keyid} vouches that {CLASSES[statement.sitter]}.",
        f"They say: {statement.statement}",
        f"The picture has the SHA-256 {statement.portrait_sha256}.",
        f"Signed {_moment(statement.at)}.",
    )


def _terms(terms: Terms) -> tuple[str, ...]:
    films = "one film" if terms.max_uses == 1 else f"up to {terms.max_uses:,} films"
    return (
        f"Lets {terms.grantee} make {films} from {_moment(terms.not_before)} until {_moment(terms.expires)}.",
        f"For: {'; '.join(PURPOSES[purpose] for purpose in terms.purposes)}.",
        f"Emotions: {', '.join(terms.directions)}. Languages: {', '.join(terms.locales)}.",
        f"The voice of the person {'may be used too' if terms.voice else 'may not be used'}.",
        f"The picture has the SHA-256 {terms.portrait_sha256}.",
        f'In the ceremony the person said "{terms.phrase}".',
        f"The film of it had the SHA-256 {terms.evidence_sha256}.",
        f"Signed by key {terms.subject.keyid}." if isinstance(terms, Grant) else "Not signed yet.",
    )


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
