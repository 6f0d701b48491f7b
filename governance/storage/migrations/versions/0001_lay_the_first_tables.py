"""Lay the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "acts",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("approvals", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_acts")),
    )
    op.create_index(op.f("ix_acts_subject"), "acts", ["subject"], unique=False)
    op.create_table(
        "attestations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("portrait_sha256", sa.String(length=64), nullable=False),
        sa.Column("face", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attestations")),
        sa.UniqueConstraint("sha256", name=op.f("uq_attestations_sha256")),
    )
    op.create_index(op.f("ix_attestations_face"), "attestations", ["face"], unique=False)
    op.create_index(
        op.f("ix_attestations_portrait_sha256"), "attestations", ["portrait_sha256"], unique=False
    )
    op.create_index(op.f("ix_attestations_state"), "attestations", ["state"], unique=False)
    op.create_table(
        "ceremonies",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("grantee", sa.String(length=120), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("portrait_sha256", sa.String(length=64), nullable=False),
        sa.Column("voice_sha256", sa.String(length=64), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("challenges", sa.Integer(), nullable=False),
        sa.Column("phrase", sa.Text(), nullable=True),
        sa.Column("turns", sa.JSON(), nullable=True),
        sa.Column("phrase_expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_sha256", sa.String(length=64), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ceremonies")),
    )
    op.create_index(op.f("ix_ceremonies_grantee"), "ceremonies", ["grantee"], unique=False)
    op.create_index(op.f("ix_ceremonies_state"), "ceremonies", ["state"], unique=False)
    op.create_table(
        "likenesses",
        sa.Column("face", sa.String(length=64), nullable=False),
        sa.Column("other", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("face", "other", name=op.f("pk_likenesses")),
    )
    op.create_index(op.f("ix_likenesses_other"), "likenesses", ["other"], unique=False)
    op.create_table(
        "model_versions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("weights", sa.JSON(), nullable=False),
        sa.Column("rung", sa.String(length=80), nullable=False),
        sa.Column("exemption", sa.String(length=80), nullable=True),
        sa.Column("known", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
    )
    op.create_table(
        "organisations",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("name", name=op.f("uq_organisations_name")),
    )
    op.create_table(
        "outbox",
        sa.Column("sequence", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
    )
    op.create_index(op.f("ix_outbox_entry"), "outbox", ["entry"], unique=False)
    op.create_table(
        "proposals",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
    )
    op.create_index(op.f("ix_proposals_at"), "proposals", ["at"], unique=False)
    op.create_index(op.f("ix_proposals_subject"), "proposals", ["subject"], unique=False)
    op.create_table(
        "refusals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.String(length=43), nullable=False),
        sa.Column("portrait_sha256", sa.String(length=64), nullable=False),
        sa.Column("face", sa.String(length=64), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusals")),
        sa.UniqueConstraint("sha256", name=op.f("uq_refusals_sha256")),
    )
    op.create_index(op.f("ix_refusals_face"), "refusals", ["face"], unique=False)
    op.create_index(op.f("ix_refusals_portrait_sha256"), "refusals", ["portrait_sha256"], unique=False)
    op.create_index(op.f("ix_refusals_subject"), "refusals", ["subject"], unique=False)
    op.create_table(
        "revocations",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("grant", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=43), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_revocations")),
    )
    op.create_index(op.f("ix_revocations_grant"), "revocations", ["grant"], unique=False)
    op.create_table(
        "rosters",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rosters")),
    )
    op.create_table(
        "seen_nonces",
        sa.Column("keyid", sa.String(length=43), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("keyid", "nonce", name=op.f("pk_seen_nonces")),
    )
    op.create_index(op.f("ix_seen_nonces_expires"), "seen_nonces", ["expires"], unique=False)
    op.create_table(
        "templates",
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("commitment", name=op.f("pk_templates")),
    )
    op.create_index(op.f("ix_templates_kind"), "templates", ["kind"], unique=False)
    op.create_table(
        "uses",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("right", sa.String(length=32), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("lapses", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uses")),
        sa.UniqueConstraint("right", "request_sha256", name=op.f("uq_uses_right")),
    )
    op.create_index("ix_uses_right_state", "uses", ["right", "state"], unique=False)
    op.create_table(
        "grants",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.String(length=43), nullable=False),
        sa.Column("portrait_sha256", sa.String(length=64), nullable=False),
        sa.Column("face", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.String(length=40), nullable=True),
        sa.Column("forget", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["ceremonies.id"], name=op.f("fk_grants_id_ceremonies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint("sha256", name=op.f("uq_grants_sha256")),
    )
    op.create_index(op.f("ix_grants_expires"), "grants", ["expires"], unique=False)
    op.create_index(op.f("ix_grants_face"), "grants", ["face"], unique=False)
    op.create_index(op.f("ix_grants_portrait_sha256"), "grants", ["portrait_sha256"], unique=False)
    op.create_index(op.f("ix_grants_subject"), "grants", ["subject"], unique=False)
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_people_organisation_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_index(op.f("ix_people_organisation"), "people", ["organisation"], unique=False)
    op.create_table(
        "proposal_approvals",
        sa.Column("proposal", sa.String(length=64), nullable=False),
        sa.Column("keyid", sa.String(length=43), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal"], ["proposals.id"], name=op.f("fk_proposal_approvals_proposal_proposals")
        ),
        sa.PrimaryKeyConstraint("proposal", "keyid", name=op.f("pk_proposal_approvals")),
    )
    op.create_table(
        "release_evidence",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["version"], ["model_versions.id"], name=op.f("fk_release_evidence_version_model_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_evidence")),
    )
    op.create_index(op.f("ix_release_evidence_version"), "release_evidence", ["version"], unique=False)
    op.create_table(
        "credentials",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=40), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_credentials_person_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
    )
    op.create_index(op.f("ix_credentials_person"), "credentials", ["person"], unique=False)
    op.create_table(
        "credential_keys",
        sa.Column("keyid", sa.String(length=43), nullable=False),
        sa.Column("credential", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["credential"], ["credentials.id"], name=op.f("fk_credential_keys_credential_credentials")
        ),
        sa.PrimaryKeyConstraint("keyid", name=op.f("pk_credential_keys")),
    )
    op.create_index(op.f("ix_credential_keys_credential"), "credential_keys", ["credential"], unique=False)
    op.create_table(
        "credential_usage",
        sa.Column("credential", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["credential"], ["credentials.id"], name=op.f("fk_credential_usage_credential_credentials")
        ),
        sa.PrimaryKeyConstraint("credential", "action", "day", name=op.f("pk_credential_usage")),
    )
