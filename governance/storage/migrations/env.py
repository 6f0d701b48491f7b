"""Run by Alembic, never imported: takes the steps on the connection it was handed."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import TypeDecorator

from governance.storage.migrations import tables


def spell(kind: str, item: Any, _: object) -> str | Literal[False]:
    """Our own types by what they are made of: a step must mean the same when the code has changed."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables() if context.config.attributes.get("compare") else None,
    transactional_ddl=True,
    render_as_batch=True,
    render_item=spell,
)
with context.begin_transaction():
    context.run_migrations()
