"""The page: complete, self-contained, readable, and never steered by what a file brings."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from detector import Examination, ManifestEvidence, Outcome, Tools, examine
from detector.report import render
from detector.verdict import Instant
from detector.watermark.picture import PictureMark
from detector.watermark.sound import SoundMark
from tests.detector.filming import KEY, take

VOID = {"meta", "img", "br", "rect", "polyline"}
JOB = 0xC0FFEE
EVIL = "\"><script>alert('x')</script><img src=x onerror=alert(1)>.mp4"


class Page(HTMLParser):
    """The elements of a page, checked to be nested as they must be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def examination(tmp_path_factory: pytest.TempPathFactory) -> Examination:
    film = take(6.0, seed=1).marked(JOB).write(tmp_path_factory.mktemp("report") / "film.mp4")
    tools = Tools((PictureMark(KEY),), (SoundMark(KEY),), missing=("There is no index here.",))
    manifest = ManifestEvidence(Outcome.ABSENT, "It carries no content credential.")
    return examine(film, tools, manifest=manifest)


@pytest.fixture(scope="module")
def page(examination: Examination) -> Page:
    return Page(render(examination))


def test_the_page_says_what_the_verdict_says(page: Page, examination: Examination):
    verdict = examination.verdict
    for sentence in (*verdict.summary, *verdict.notes, *(one.sentence for one in verdict.evidence)):
        assert sentence in page.text
    for fact in (verdict.file.sha256, "0000c0ffee", "256 by 256 pixels", "proves nothing"):
        assert fact in page.text
    assert re.search(r"at most 1 in \d[\d,]+", page.text)


def test_nothing_is_loaded_and_nothing_runs(page: Page, examination: Examination):
    html = render(examination)
    assert not page.all("script")
    assert not page.all("link")
    assert all((image["src"] or "").startswith("data:image/jpeg;base64,") for image in page.all("img"))
    assert not re.search(r"https?://|url\(|@import", html)
    assert any("default-src 'none'" in (meta.get("content") or "") for meta in page.all("meta"))


def test_it_can_be_read_without_eyes(page: Page):
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    assert all(image["alt"] for image in page.all("img"))
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in page.all("svg"))
    assert page.all("th")
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))


def test_its_colours_can_be_told_from_their_ground(examination: Examination):
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", render(examination)))
    for text in ("ink", "quiet", "ours", "none", "open", "other"):
        for ground in ("wall", "paper"):
            assert _contrast(colours[text], colours[ground]) >= 4.5


def test_each_layer_has_its_lane_and_bars_lie_within(page: Page, examination: Examination):
    assert len(page.all("svg")) == len(examination.verdict.evidence)
    bars = page.all("rect")
    assert len(bars) == 2
    for bar in bars:
        assert float(bar["x"] or "") >= 0
        assert float(bar["x"] or "") + float(bar["width"] or "") <= 1000.1
        assert float(bar["width"] or "") > 900


def test_stills_are_shown_with_their_times(page: Page, examination: Examination):
    assert len(page.all("img")) == len(examination.stills) > 5
    assert len({image["alt"] for image in page.all("img")}) == len(examination.stills)


def test_what_a_file_brings_is_escaped(examination: Examination):
    verdict = examination.verdict
    file = replace(verdict.file, name=f"films/{EVIL}", picture_codec=EVIL, sound_codec=EVIL, damage=EVIL)
    evil = replace(
        verdict,
        file=file,
        notes=(EVIL,),
        summary=(EVIL,),
        jobs=tuple(replace(job, job=EVIL) for job in verdict.jobs),
        evidence=tuple(
            replace(
                one,
                sentence=EVIL,
                figures={EVIL: EVIL},
                segments=tuple(replace(part, job=EVIL) for part in one.segments),
            )
            for one in verdict.evidence
        ),
    )
    html = render(replace(examination, verdict=evil))
    page = Page(html)
    assert "<script" not in html
    assert len(page.all("img")) == len(examination.stills)
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert EVIL.rsplit("/", 1)[-1] in page.text


@dataclass
class Warm:
    """Stands in for a classifier: what matters here is where its heat is put."""

    operating_points = {}  # noqa: RUF012
    trails: list[int]

    def watcher(self):
        raise NotImplementedError

    def heatmap(
        self, frames: list[tuple[float, NDArray[np.uint8]]], box: tuple[float, float, float, float]
    ) -> NDArray[np.float32]:
        times = [at for at, _ in frames]
        assert times == sorted(times)
        assert times[-1] - times[0] >= 0.24 - 1e-6
        self.trails.append(len(frames))
        heat = np.zeros(frames[-1][1].shape[:2], np.float32)
        heat[:10] = 1
        return heat


def test_heat_is_laid_over_faces_only_where_the_classifier_looked(examination: Examination):
    moment = examination.stills[2].at
    seen = replace(examination.verdict, instants=(Instant(moment, (0.2, 0.2, 0.5, 0.5), 0.97, 0.99),))
    warm = Warm([])
    page = Page(render(replace(examination, verdict=seen), warm))
    assert len(warm.trails) == 1
    tinted = [image["alt"] for image in page.all("img") if "tinted" in (image["alt"] or "")]
    assert len(tinted) == 1
    assert "face like ours: 97 %" in page.text
    assert len(page.all("polyline")) == 1


def test_a_heatmap_that_fails_leaves_the_picture(examination: Examination):
    class Broken(Warm):
        def heatmap(self, frames, box):
            raise ValueError

    seen = replace(examination.verdict, instants=(Instant(0.5, (0, 0, 1, 1), 0.5, 0.5),))
    page = Page(render(replace(examination, verdict=seen), Broken([])))
    assert len(page.all("img")) == len(examination.stills)


def test_a_voice_has_a_page_without_pictures(tmp_path: Path):
    voice = take(6.0, seed=1).write(tmp_path / "voice.m4a", picture=False)
    page = Page(render(examine(voice, Tools())))
    assert not page.all("img")
    assert "Picture none" in page.text


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2, between two colours."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    levels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
