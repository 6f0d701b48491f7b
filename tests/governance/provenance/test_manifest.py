"""A manifest says how a film was made, with inputs as hashes; what anybody else wrote is read with care."""

import hashlib
import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import c2pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import MakingError
from governance.provenance import Authority, Entry, Ingredient, Making, SoftBinding, seal, to_manifest
from governance.provenance.declaration import declared_by, from_manifest
from governance.provenance.manifest import from_hash_name, printable, to_hash_name

hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
titles = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)


def ingredients(role: str) -> st.SearchStrategy[Ingredient]:
    return st.builds(Ingredient, titles, st.just("image/png"), hashes, st.just(role))


makings = st.builds(
    Making,
    title=titles,
    portrait=ingredients("portrait"),
    speech=ingredients("speech"),
    motion=st.none() | ingredients("motion"),
    weights=st.lists(ingredients("weights"), max_size=4).map(tuple),
    rights=st.sampled_from(["public-domain", "fictional", "own-likeness", "sitter-of-the-house"]),
    request=st.none() | hashes,
    entry=st.none() | st.builds(Entry, titles, st.integers(0, 2**63 - 1)),
    bindings=st.lists(
        st.builds(SoftBinding, titles, st.binary(min_size=1, max_size=64), st.booleans()),
        max_size=3,
        unique_by=lambda binding: binding.algorithm,
    ).map(tuple),
    driver=titles,
    seed=st.integers(0, 2**63 - 1),
    software_version=st.just("1.2.3"),
    created=st.datetimes(
        min_value=datetime(2000, 1, 1),
        max_value=datetime(2100, 1, 1),
        timezones=st.integers(-12, 12).map(lambda hours: timezone(timedelta(hours=hours))),
    ),
)
KEYS = [
    "title",
    "assertions",
    "label",
    "data",
    "actions",
    "when",
    "entries",
    "ingredients",
    "metadata",
    "seed",
    "claim_generator_info",
    "instance_id",
    "c2pa.actions.v2",
    "org.vernissage.making",
    "ledger",
    "c2pa.soft-binding",
    "blocks",
    "value",
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@st.composite
def granted(draw: st.DrawFn) -> Making:
    """A making by the grant of the person shown."""
    return replace(draw(makings), rights="granted", grant=draw(hashes))


class TestManifest:
    @given(makings | granted())
    def test_what_is_declared_reads_back(self, making: Making) -> None:
        declared = from_manifest(json.loads(json.dumps(to_manifest(making))))
        assert declared == declared_by(making)
        assert (declared.grant, declared.request, declared.entry, declared.bindings) == (
            making.grant,
            making.request,
            making.entry,
            making.bindings,
        )
        assert declared.ingredients == making.ingredients
        assert (declared.rights, declared.driver, declared.seed) == (
            making.rights,
            making.driver,
            making.seed,
        )
        assert declared.created == making.created.astimezone(UTC).replace(microsecond=0)
        assert (declared.software, declared.software_version) == ("Vernissage", "1.2.3")
        assert declared.source_type == "compositeWithTrainedAlgorithmicMedia"
        assert declared.training_refused

    def test_the_sealed_film_holds_exactly_that(self, sealed: Path) -> None:
        with c2pa.Reader(sealed) as reader:
            manifest = reader.get_active_manifest()
        data = {assertion["label"]: assertion["data"] for assertion in manifest["assertions"]}
        [created] = data["c2pa.actions.v2"]["actions"]
        assert created["action"] == "c2pa.created"
        assert created["digitalSourceType"] == (
            "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
        )
        referred = {reference["url"].rsplit("/")[-1] for reference in created["parameters"]["ingredients"]}
        assert referred == {ingredient["label"] for ingredient in manifest["ingredients"]}
        assert len(referred) == 4
        assert {ingredient["relationship"] for ingredient in manifest["ingredients"]} == {"inputTo"}
        assert data["c2pa.ai-disclosure"]["modelType"] == "c2pa.types.model"
        assert data["cawg.training-mining"]["entries"] == {
            entry: {"use": "notAllowed"}
            for entry in (
                "cawg.ai_generative_training",
                "cawg.ai_inference",
                "cawg.ai_training",
                "cawg.data_mining",
            )
        }
        assert data["org.vernissage.making"] == {"rights": "public-domain", "driver": "rules", "seed": 7}

    def test_a_film_on_record_names_its_grant_request_entry_and_marks(
        self, film: Path, making: Making, authority: Authority, tmp_path: Path
    ) -> None:
        on_record = replace(
            making,
            rights="granted",
            grant="5e" * 32,
            request="6f" * 32,
            entry=Entry("example.org/log", 17),
            bindings=(
                SoftBinding("org.vernissage.mark.1", bytes(range(16)), watermark=True),
                SoftBinding("io.iscc.v0", b"\xff\x00\x01", watermark=False),
            ),
        )
        reading = seal(film, tmp_path / "sealed.mp4", on_record, authority)
        assert reading.declaration == declared_by(on_record)
        with c2pa.Reader(tmp_path / "sealed.mp4") as reader:
            assertions = reader.get_active_manifest()["assertions"]
        created, watermarked = assertions[0]["data"]["actions"]
        assert (created["action"], watermarked["action"]) == ("c2pa.created", "c2pa.watermarked.bound")
        soft = [each["data"] for each in assertions if each["label"] == "c2pa.soft-binding"]
        assert [(each["alg"], each["blocks"][0]["value"]) for each in soft] == [
            ("org.vernissage.mark.1", "AAECAwQFBgcICQoLDA0ODw=="),
            ("io.iscc.v0", "/wAB"),
        ]
        told = reading.explain()
        for phrase in (
            "has signed a consent grant (sha256 5e5e5e5e5e5e…)",
            "a request (sha256 6f6f6f6f6f6f…) and entry 17 of the ledger “example.org/log”",
            "a watermark “org.vernissage.mark.1” and a fingerprint “io.iscc.v0”",
        ):
            assert phrase in told
        assert json.loads(reading.to_json())["declared"]["bindings"][1]["value"] == "ff0001"

    def test_it_holds_no_picture(self, sealed: Path, film: Path) -> None:
        with c2pa.Reader(sealed) as reader:
            assert "thumbnail" not in reader.json()
        assert sealed.stat().st_size - film.stat().st_size < 20_000

    def test_an_ingredient_is_the_hash_of_its_file(self, tmp_path: Path) -> None:
        (tmp_path / "ada.png").write_bytes(b"pixels")
        ingredient = Ingredient.from_file(tmp_path / "ada.png", "portrait")
        assert ingredient == Ingredient(
            "ada.png", "image/png", hashlib.sha256(b"pixels").hexdigest(), "portrait"
        )

    def test_a_file_name_nobody_should_print_is_cleaned(self, tmp_path: Path) -> None:
        path = tmp_path / "a\x1b[31m\udcffb.unknown"
        path.write_bytes(b"x")
        ingredient = Ingredient.from_file(path, "weights")
        assert ingredient.title == "a�[31m�b.unknown"
        assert ingredient.mime == "application/octet-stream"

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(MakingError, match=r"portrait .*nobody\.png cannot be read"):
            Ingredient.from_file(tmp_path / "nobody.png", "portrait")


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"rights": "found-on-the-web"}, "By what right"),
            ({"rights": ""}, "By what right"),
            ({"seed": -1}, "seed"),
            ({"seed": 2**63}, "seed"),
            ({"created": datetime(2026, 1, 1)}, "time zone"),
            ({"speech": None}, "speech, from a motion file or from both"),
            ({"title": "a\nb"}, "title"),
            ({"driver": ""}, "driver"),
            ({"rights": "granted"}, "by a grant if, and only if"),
            ({"grant": "5e" * 32}, "by a grant if, and only if"),
            ({"rights": "granted", "grant": "5E" * 32}, "hash of a grant"),
            ({"request": "6f"}, "hash of a request"),
            ({"bindings": (SoftBinding("a", b"1", True), SoftBinding("a", b"2", True))}, "soft bindings"),
        ],
    )
    def test_an_incomplete_account(self, making: Making, change: dict[str, Any], message: str) -> None:
        with pytest.raises(MakingError, match=message):
            replace(making, **change)

    def test_an_input_in_the_wrong_place(self, making: Making) -> None:
        with pytest.raises(MakingError, match="given as speech must have the role 'speech'"):
            replace(making, speech=making.portrait)

    def test_more_inputs_than_anyone_reads(self, making: Making) -> None:
        with pytest.raises(MakingError, match="at most 100"):
            replace(making, weights=making.weights * 50)

    @pytest.mark.parametrize(("origin", "index"), [("", 1), ("a\nb", 1), ("log", -1), ("log", 2**63)])
    def test_an_entry_of_no_ledger(self, origin: str, index: int) -> None:
        with pytest.raises(MakingError):
            Entry(origin, index)

    @pytest.mark.parametrize(("algorithm", "value"), [("", b"1"), ("a", b""), ("a", bytes(4097))])
    def test_a_binding_to_nothing(self, algorithm: str, value: bytes) -> None:
        with pytest.raises(MakingError):
            SoftBinding(algorithm, value, watermark=True)

    @pytest.mark.parametrize(
        "change",
        [{"sha256": "ab"}, {"sha256": "AB" * 32}, {"sha256": "zz" * 32}, {"role": "voice"}, {"title": ""}],
    )
    def test_an_ingredient_without_hash_role_or_title(self, making: Making, change: dict[str, Any]) -> None:
        with pytest.raises(MakingError):
            replace(making.portrait, **change)


class TestForeignManifests:
    @given(st.dictionaries(st.sampled_from(["title", "assertions", "ingredients"]), anything))
    def test_no_shape_breaks_the_reader(self, manifest: dict[str, Any]) -> None:
        from_manifest(manifest)

    def test_silence_is_not_taken_for_consent(self) -> None:
        declared = from_manifest({})
        assert declared.rights is None
        assert not declared.training_refused

    def test_inputs_without_our_hash_are_told_apart(self) -> None:
        declared = from_manifest({"ingredients": [{"title": "A.jpg", "relationship": "parentOf"}]})
        assert declared.ingredients == ()
        assert declared.other_inputs == ("A.jpg",)

    def test_a_number_that_is_none(self) -> None:
        making = {"label": "org.vernissage.making", "data": {"seed": math.nan, "rights": ["public-domain"]}}
        declared = from_manifest({"assertions": [making]})
        assert declared.seed is None
        assert declared.rights is None


class TestHashNames:
    def test_the_example_of_rfc_6920(self) -> None:
        sha256 = hashlib.sha256(b"Hello World!").hexdigest()
        assert to_hash_name(sha256) == "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk"

    @given(hashes)
    def test_round_trip(self, sha256: str) -> None:
        assert from_hash_name(to_hash_name(sha256)) == sha256

    @given(st.text())
    def test_any_other_name_is_no_hash(self, name: str) -> None:
        assert from_hash_name(name) is None
        found = from_hash_name("ni:///sha-256;" + name)
        assert found is None or to_hash_name(found) == "ni:///sha-256;" + name


@given(st.text())
def test_printable_text_cannot_steer_a_terminal(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text)) <= 200
