import subprocess
import sys

import pytest


@pytest.mark.parametrize("program", ["import timm", "import lightning.pytorch", "declare()"])
def test_what_needs_torchvision_can_be_imported(program: str):
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"from assets.operators import declare; declare(); {program}"],
        check=True,
    )
