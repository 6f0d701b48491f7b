"""The generator's front door opens on everything it names, and on nothing else."""

import subprocess
import sys

import pytest

import generator
from generator.motion import Motion
from generator.portrait.portrait import Portrait


@pytest.mark.parametrize("name", generator.__all__)
def test_every_name_is_found(name: str):
    assert callable(getattr(generator, name))


def test_the_names_are_the_things_themselves():
    assert generator.Motion is Motion
    assert generator.Portrait is Portrait


def test_another_name_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'Painting'"):
        generator.Painting  # noqa: B018


def test_listing_the_sitters_loads_no_kernels():
    code = "import sys, generator.sitters; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
