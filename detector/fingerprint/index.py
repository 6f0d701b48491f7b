"""The films that were delivered, by fingerprint, kept on disk.

    with FingerprintIndex.open(folder) as index:
        index.add("job-1", fingerprint(film))
        index.candidates(fingerprint(clip))
        index.remove("job-1")

An SQLite table is the truth: a film is registered once its transaction is. Two graphs for nearest words
(``usearch``, HNSW: Malkov and Yashunin 2018) are derived from it. They are written under a new name, named in
the table with their SHA-256, and only then is the old file deleted; one that is missing, damaged or behind is
completed from the table. A film that is removed leaves nothing behind in any file but its number, by which
other processes forget it too. Pictures that look the same are kept once, so their graph grows with portraits,
not with films.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from detector.errors import FingerprintError
from detector.fingerprint import motion, picture, sound
from detector.fingerprint.graph import Graph
from detector.fingerprint.prints import Fingerprint

MAX_JOBS_PER_PICTURE = 200
MAX_JOBS_BY_SOUND = 20
_LEVEL_BITS = 3
_ROW_BITS = 24
_TABLES = """
CREATE TABLE IF NOT EXISTS pictures (number INTEGER PRIMARY KEY AUTOINCREMENT, words BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL UNIQUE, seconds REAL NOT NULL,
  motion BLOB NOT NULL, sound BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS shows (
  picture INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (picture, job)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS graphs (
  name TEXT PRIMARY KEY, file TEXT NOT NULL, sha256 TEXT NOT NULL, upto INTEGER NOT NULL,
  forgotten INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS forgotten (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, graph TEXT NOT NULL, number INTEGER NOT NULL,
  words INTEGER NOT NULL
);
"""


@dataclass(frozen=True)
class Seen:
    """A picture of the query's that is registered: when (s) in the query, at which crop (share of the side),
    mirrored or not, and how many bits off."""

    at: float
    share: float
    mirrored: bool
    bits: int


@dataclass(frozen=True, eq=False)
class Candidate:
    """A film that may be the query's: what of it was ``seen`` in the query, how many other jobs show the same
    picture (``sharing``), and at which row ``offsets`` its sound may be heard (registered less query; most
    votes first)."""

    job: str
    seconds: float
    seen: tuple[Seen, ...]
    sharing: int
    offsets: tuple[int, ...]
    motion: NDArray[np.float32]
    sound: NDArray[np.uint8]


class FingerprintIndex:
    """See the module. One may be open in several processes; each sees what the others have added."""

    def __init__(self, folder: Path, table: sqlite3.Connection) -> None:
        self._folder = folder
        self._table = table
        self._lock = threading.RLock()
        self._pictures = Graph("pictures")
        self._sounds = Graph("sounds")

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The index in ``folder``, which is made if need be. Raises ``FingerprintError``."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            table = sqlite3.connect(
                folder / "films.sqlite", check_same_thread=False, isolation_level=None, timeout=30
            )
            table.execute("PRAGMA journal_mode = WAL")
            table.execute("PRAGMA synchronous = FULL")
            table.execute("PRAGMA secure_delete = ON")
            table.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise FingerprintError(
                f"The fingerprint index in {folder} cannot be opened ({error})."
            ) from error
        index = cls(folder, table)
        for graph in (index._pictures, index._sounds):
            index._load(graph)
        loaded = index._forgotten()
        index._catch_up()
        if index._forgotten() != loaded:
            index.save()
        return index

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._table.execute("SELECT count(*) FROM jobs").fetchone()[0])

    def close(self) -> None:
        """Save and let go. Graphs that cannot be written now are made anew when they are needed."""
        with self._lock:
            with suppress(OSError, RuntimeError, sqlite3.Error):
                self.save()
            self._table.close()

    def add(self, job: str, film: Fingerprint) -> None:
        """Register a delivered film; durable on return. A job that is registered already stays as it is."""
        with self._lock:
            sights = picture.distinct(film.sights)
            row = (job, film.seconds, motion.pack(film.motion), sound.pack(film.sound, film.loud))
            with self._changing(f"{job} was not registered"):
                self._catch_up()
                known = [self._known(sight) for sight in sights]
                done = self._table.execute(
                    "INSERT OR IGNORE INTO jobs (job, seconds, motion, sound) VALUES (?, ?, ?, ?)", row
                )
                if done.rowcount:
                    number = done.lastrowid
                    for sight, shown in zip(sights, known, strict=True):
                        if shown is None:
                            shown = self._table.execute(
                                "INSERT INTO pictures (words) VALUES (?)", (sight.words.tobytes(),)
                            ).lastrowid
                        self._table.execute("INSERT OR IGNORE INTO shows VALUES (?, ?)", (shown, number))
            self._catch_up()

    def remove(self, job: str) -> bool:
        """Forget a film for good; whether it was registered.

        On return nothing of it is left in the index's files, and open indexes of other processes no longer
        name it. Its pictures stay while another film shows the same. Raises ``FingerprintError`` if another
        process is in the way: the film is no longer named, and a second call finishes.
        """
        with self._lock:
            with self._changing(f"{job} was not removed"):
                row = self._table.execute("SELECT number, sound FROM jobs WHERE job = ?", (job,)).fetchone()
                if row is not None:
                    self._delete(*row)
            self.save()
            if self._table.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise FingerprintError(f"{job} is not wholly removed, for the index is in use: try again.")
            return row is not None

    @contextmanager
    def _changing(self, failed: str) -> Iterator[None]:
        """All of the block, durably, or nothing of it and a ``FingerprintError``."""
        try:
            self._table.execute("BEGIN IMMEDIATE")
            yield
            self._table.execute("COMMIT")
        except (sqlite3.Error, FingerprintError) as error:
            raise FingerprintError(f"{failed} ({error}): free some space, or try again.") from error
        finally:
            if self._table.in_transaction:
                self._table.execute("ROLLBACK")

    def _delete(self, number: int, heard: bytes) -> None:
        words = len(sound.unpack(heard)[0]) // sound.KNOWN_STEP + 1
        self._forget(self._sounds, number, words)
        self._table.execute("DELETE FROM jobs WHERE number = ?", (number,))
        shown = self._table.execute("SELECT picture FROM shows WHERE job = ?", (number,)).fetchall()
        self._table.execute("DELETE FROM shows WHERE job = ?", (number,))
        for (shot,) in shown:
            if not self._table.execute("SELECT 1 FROM shows WHERE picture = ?", (shot,)).fetchone():
                self._forget(self._pictures, shot, len(picture.CROPS))
                self._table.execute("DELETE FROM pictures WHERE number = ?", (shot,))

    def _forget(self, graph: Graph, number: int, words: int) -> None:
        self._table.execute(
            "INSERT INTO forgotten (graph, number, words) VALUES (?, ?, ?)", (graph.name, number, words)
        )

    def candidates(self, query: Fingerprint) -> list[Candidate]:
        """Films that share pictures or words of sound with the query, the most promising first."""
        with self._lock:
            self._catch_up()
            seen, sharing = self._seen(query)
            heard = self._heard(query)
            order = sorted(
                seen.keys() | heard.keys(), key=lambda job: (-heard[job].total(), -len(seen.get(job, ())))
            )
            found = (
                self._candidate(job, tuple(seen.get(job, ())), sharing.get(job, 0), heard[job])
                for job in order
            )
            return [candidate for candidate in found if candidate is not None]

    def save(self) -> None:
        """Write the graphs, so that the next opening need not make them anew."""
        with self._lock:
            self._catch_up()
            for graph in (self._pictures, self._sounds):
                self._save(graph)

    def _known(self, sight: picture.Sight) -> int | None:
        found = self._pictures.near(sight.words[:1], picture.SAME_BITS)[0]
        whole = [(bits, key >> _LEVEL_BITS) for key, bits in found if key & ((1 << _LEVEL_BITS) - 1) == 0]
        return min(whole)[1] if whole else None

    def _seen(self, query: Fingerprint) -> tuple[dict[int, list[Seen]], dict[int, int]]:
        best: dict[int, dict[float, Seen]] = {}
        for mirrored in (False, True):
            words = [sight.mirrored if mirrored else sight.words[0] for sight in query.sights]
            asked, which = np.unique(np.array(words, np.uint8).reshape(-1, 32), axis=0, return_inverse=True)
            answers = self._pictures.near(asked, picture.MATCH_BITS)
            for sight, answer in zip(query.sights, which.reshape(-1), strict=True):
                for key, bits in answers[int(answer)]:
                    share = picture.CROPS[key & ((1 << _LEVEL_BITS) - 1)]
                    moment = Seen(sight.at, share, mirrored, bits)
                    others = best.setdefault(key >> _LEVEL_BITS, {})
                    if sight.at not in others or bits < others[sight.at].bits:
                        others[sight.at] = moment
        seen: dict[int, dict[float, Seen]] = {}
        sharing: dict[int, int] = {}
        for number, moments in best.items():
            count = int(
                self._table.execute("SELECT count(*) FROM shows WHERE picture = ?", (number,)).fetchone()[0]
            )
            jobs = self._table.execute(
                "SELECT job FROM shows WHERE picture = ? ORDER BY job DESC LIMIT ?",
                (number, MAX_JOBS_PER_PICTURE),
            )
            for (job,) in jobs.fetchall():
                sharing[job] = max(sharing.get(job, 0), count - 1)
                mine = seen.setdefault(job, {})
                for at, moment in moments.items():
                    if at not in mine or moment.bits < mine[at].bits:
                        mine[at] = moment
        return {job: [mine[at] for at in sorted(mine)] for job, mine in seen.items()}, sharing

    def _heard(self, query: Fingerprint) -> _Heard:
        starts, words = sound.words(query.sound, query.loud, sound.QUERY_STEP)
        votes: dict[int, Counter[int]] = {}
        for start, found in zip(starts, self._sounds.near(words, sound.MATCH_BITS), strict=True):
            for key, _ in found:
                offset = (key & ((1 << _ROW_BITS) - 1)) - int(start)
                votes.setdefault(key >> _ROW_BITS, Counter())[
                    offset // sound.QUERY_STEP * sound.QUERY_STEP
                ] += 1
        kept = sorted(votes, key=lambda job: -votes[job].total())[:MAX_JOBS_BY_SOUND]
        return _Heard({job: votes[job] for job in kept})

    def _candidate(
        self, number: int, seen: tuple[Seen, ...], sharing: int, votes: Counter[int]
    ) -> Candidate | None:
        row = self._table.execute(
            "SELECT job, seconds, motion, sound FROM jobs WHERE number = ?", (number,)
        ).fetchone()
        if row is None:
            return None
        job, seconds, moved, heard = row
        offsets = tuple(offset for offset, _ in votes.most_common(5))
        return Candidate(job, seconds, seen, sharing, offsets, motion.unpack(moved), sound.unpack(heard)[0])

    def _catch_up(self) -> None:
        for number, words in self._table.execute(
            "SELECT number, words FROM pictures WHERE number > ? ORDER BY number", (self._pictures.upto,)
        ):
            each = np.frombuffer(words, np.uint8).reshape(-1, picture.WORD_BYTES)
            self._pictures.add(_picture_keys(number, np.arange(len(each))), each)
            self._pictures.upto = number
        for number, heard in self._table.execute(
            "SELECT number, sound FROM jobs WHERE number > ? ORDER BY number", (self._sounds.upto,)
        ):
            starts, each = sound.words(*sound.unpack(heard), sound.KNOWN_STEP)
            self._sounds.add(_sound_keys(number, starts // sound.KNOWN_STEP), each)
            self._sounds.upto = number
        for graph, keys in ((self._pictures, _picture_keys), (self._sounds, _sound_keys)):
            for sequence, number, words in self._table.execute(
                "SELECT sequence, number, words FROM forgotten WHERE graph = ? AND sequence > ? "
                "ORDER BY sequence",
                (graph.name, graph.forgotten),
            ):
                graph.forget(keys(number, np.arange(words)))
                graph.forgotten = sequence

    def _forgotten(self) -> tuple[int, int]:
        return self._pictures.forgotten, self._sounds.forgotten

    def _load(self, graph: Graph) -> None:
        row = self._table.execute(
            "SELECT file, sha256, upto, forgotten FROM graphs WHERE name = ?", (graph.name,)
        ).fetchone()
        if row is not None:
            graph.load(self._folder / Path(row[0]).name, *row[1:])

    def _save(self, graph: Graph) -> None:
        row = self._table.execute(
            "SELECT file, upto, forgotten FROM graphs WHERE name = ?", (graph.name,)
        ).fetchone()
        kept = row and row[1] >= graph.upto and row[2] >= graph.forgotten
        if graph.upto == 0 or (kept and (self._folder / row[0]).exists()):
            return
        while True:
            path = self._folder / f"{graph.name}-{secrets.token_hex(8)}.usearch"
            sha256 = graph.save(path)
            written = self._table.execute(
                "INSERT OR REPLACE INTO graphs SELECT ?, ?, ?, ?, ? "
                "WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE graph = ? AND sequence > ?)",
                (graph.name, path.name, sha256, graph.upto, graph.forgotten, graph.name, graph.forgotten),
            )
            if written.rowcount:
                break
            path.unlink(missing_ok=True)
            self._catch_up()
        for other in self._folder.glob(f"{graph.name}-*.usearch"):
            if other != path:
                other.unlink(missing_ok=True)


class _Heard(dict[int, Counter[int]]):
    def __missing__(self, job: int) -> Counter[int]:
        return Counter()


def _picture_keys(number: int, crops: NDArray[np.int64]) -> NDArray[np.uint64]:
    return np.uint64(number << _LEVEL_BITS) + crops.astype(np.uint64)


def _sound_keys(number: int, words: NDArray[np.int64]) -> NDArray[np.uint64]:
    return np.uint64(number << _ROW_BITS) + words.astype(np.uint64) * np.uint64(sound.KNOWN_STEP)
