"""Writes the next step: ``python -m governance.storage.migrations "What changes"``."""

from __future__ import annotations

import argparse

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from governance.storage.migrations import HERE, STEPS, upgrade

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("message", help="what changes, as one would say it in a commit")
    message = parser.parse_args().message
    number = f"{len(STEPS) + 1:04d}"
    with create_engine("sqlite://").begin() as connection:
        if STEPS:
            upgrade(connection)
        config = Config(attributes={"connection": connection, "compare": True})
        config.set_main_option("script_location", str(HERE).replace("%", "%%"))
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        command.revision(config, message, autogenerate=True, rev_id=number)
