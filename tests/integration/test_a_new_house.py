"""A house from its first day: nothing configured, everything in the user's own folders."""

import json
import os
import shutil
import stat
import subprocess
import sysconfig
from pathlib import Path

import assets

PROGRAM = Path(sysconfig.get_path("scripts")) / "vernissage"


def test_from_first_keys_to_a_film_another_house_trusts(tmp_path: Path):
    homes = {name: tmp_path / name for name in ("ours", "theirs")}
    model = assets.path("face_landmarker.task")

    def vernissage(home: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *map(str, arguments)],
            env={"HOME": str(homes[home]), "PATH": os.defpath},
            cwd=homes[home],
            capture_output=True,
            text=True,
            timeout=120,
        )

    for home in homes.values():
        home.mkdir()
    listed = vernissage("ours", "sitters", "--copy", "sitters")
    assert listed.returncode == 0
    picture, sound = (next((homes["ours"] / "sitters").glob(kind)).name for kind in ("*.jpg", "*.flac"))
    asked = ("animate", f"sitters/{picture}", f"sitters/{sound}", "-o", "film.mp4", "--size", 192)

    assert "vernissage keys init" in vernissage("ours", *asked).stderr
    made = vernissage("ours", "keys", "init", "--organisation", "Ours")
    assert made.returncode == 0
    assert "vernissage assets fetch" in vernissage("ours", *asked).stderr
    cache = homes["ours"] / ".cache" / "vernissage" / "assets"
    cache.mkdir(parents=True)
    shutil.copy(model, cache)
    done = vernissage("ours", *asked)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("film.mp4: ")
    assert sorted(path.name for path in homes["ours"].iterdir() if path.name[0] != ".") == [
        "film.mp4",
        "sitters",
    ]

    (keys,) = (path.parent for path in homes["ours"].rglob("root.pem"))
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    shutil.copy(homes["ours"] / "film.mp4", homes["theirs"])
    shutil.copy(keys / "root.pem", homes["theirs"])
    assert vernissage("theirs", "verify", "film.mp4").returncode == 2
    trusted = vernissage("theirs", "verify", "film.mp4", "--anchor", "root.pem", "--json")
    assert trusted.returncode == 0
    assert json.loads(trusted.stdout)["signer"]["organisation"] == "Ours"
