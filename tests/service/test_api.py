"""The HTTP service answers everyone, in plain words, and keeps nothing."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from generator.sitters import sitters
from service.api import create_app, verification


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


def test_it_says_that_it_is_up(client: TestClient) -> None:
    assert client.get("/health").json()["status"] == "ok"


def test_a_picture_without_a_credential_is_stripped(client: TestClient) -> None:
    answer = client.post(
        "/v1/verify", content=sitters()[0].path.read_bytes(), headers={"X-File-Name": "a.jpg"}
    )
    assert answer.status_code == 200
    assert answer.json()["state"] == "stripped"
    assert answer.json()["file"] == "a.jpg"
    assert any("a.jpg" in sentence for sentence in answer.json()["explanation"])


def test_a_film_of_this_house_is_trusted(
    client: TestClient, film: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERNISSAGE_KEYS", str(keys))
    answer = client.post("/v1/verify", content=film.read_bytes(), headers={"X-File-Name": "film.mp4"})
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["file"]) == ("trusted", "film.mp4")
    assert answer.json()["signer"]["organisation"] == "The Daily House"
    assert answer.json()["declared"]["rights"] == "sitter-of-the-house"


@pytest.mark.parametrize("name", ["..", "../../etc/passwd", "/", ".", "a\\b"])
def test_a_file_name_never_leads_anywhere(client: TestClient, name: str) -> None:
    answer = client.post("/v1/verify", content=b"no media", headers={"X-File-Name": name})
    assert answer.status_code == 200
    assert answer.json()["state"] == "unreadable"
    assert "/" not in answer.json()["file"]


def test_an_empty_body_is_a_problem_that_says_what_to_do(client: TestClient) -> None:
    answer = client.post("/v1/verify", content=b"")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/empty-file")


def test_an_upload_stops_at_the_limit(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "MAX_UPLOAD_BYTES", 1000)
    answer = client.post("/v1/verify", content=b"x" * 1001)
    assert answer.status_code == 413
    assert answer.json()["status"] == 413


def test_an_unknown_path_is_a_problem(client: TestClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_sitter_can_be_seen(client: TestClient) -> None:
    catalogue = client.get("/v1/sitters").json()
    assert [entry["name"] for entry in catalogue] == [sitter.name for sitter in sitters()]
    for entry, sitter in zip(catalogue, sitters(), strict=True):
        assert client.get(entry["picture"]).content == sitter.path.read_bytes()
    assert client.get("/v1/sitters/nobody/picture").status_code == 404


def test_the_page_is_served(client: TestClient) -> None:
    assert "Where does this film come from?" in client.get("/").text
