"""What every wing's tests share: the house's own sitters, each opened once."""

import os

import pytest
from hypothesis import settings

from generator.portrait.landmarks import FaceLandmarker
from generator.portrait.portrait import Portrait
from generator.sitters import Sitter, sitters

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
