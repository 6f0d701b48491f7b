"""Nothing is believed but what the holder of a key signed, lately, for this hub; whatever else is refused."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.errors import CredentialRefused, RequestRefused
from governance.keys import SigningKey, VerifyKey
from governance.requests import (
    Request,
    Response,
    SignedRequest,
    sign_request,
    sign_response,
    verify_request,
    verify_response,
)
from governance.requests.messages import canonical_origin

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ORIGIN = "https://hub.example"
KEY = SigningKey.generate()
HUB = SigningKey.generate()
POST = Request(
    "POST",
    "https://hub.example/v1/films?draft=1",
    (("Content-Type", "application/json"), ("Idempotency-Key", "7f-31"), ("User-Agent", "partner/1")),
    b'{"portrait": "a"}',
)
GET = Request("GET", "https://hub.example/v1/films/7")
REQUESTS = pytest.mark.parametrize("request_", [POST, GET], ids=["post", "get"])


def believe(
    request: Request,
    now: datetime = NOW,
    origin: str = ORIGIN,
    keys: Callable[[str], VerifyKey] | None = None,
    max_bytes: int = 1000,
) -> SignedRequest:
    return verify_request(
        request, origin=origin, keys=keys or (lambda _: KEY.public), now=now, max_bytes=max_bytes
    )


def refusal(request: Request, **how: object) -> str:
    with pytest.raises(RequestRefused) as caught:
        believe(request, **how)  # type: ignore[arg-type]
    assert str(caught.value).endswith(".")
    return caught.value.reason


def with_header(request: Request, name: str, value: str) -> Request:
    kept = tuple(line for line in request.headers if line[0].lower() != name.lower())
    return replace(request, headers=(*kept, (name, value)))


def without_header(request: Request, name: str) -> Request:
    return replace(request, headers=tuple(line for line in request.headers if line[0] != name))


def header(request: Request | Response, name: str) -> str:
    return dict(request.headers)[name]


def test_what_was_signed_is_believed_and_nothing_else() -> None:
    signed = sign_request(POST, KEY, NOW)
    asked = believe(with_header(signed, "X-Forwarded-For", "1.2.3.4"))
    assert (asked.keyid, asked.method, asked.target) == (KEY.keyid, "POST", POST.url)
    assert (asked.content_type, asked.idempotency_key, asked.body) == ("application/json", "7f-31", POST.body)
    assert (asked.created, asked.expires) == (NOW, NOW + timedelta(seconds=60))
    assert asked.sha256 == believe(signed).sha256


@REQUESTS
def test_two_signatures_are_never_the_same(request_: Request) -> None:
    first, second = (believe(sign_request(request_, KEY, NOW)) for _ in range(2))
    assert first.nonce != second.nonce
    assert first.sha256 != second.sha256


TARGETS = st.text("abcXYZ019-._~!$&'()*+,;=:@/", max_size=20).map("/".__add__)
QUERIES = st.text("abcXYZ019-._~!$&'()*+,;=:@/?", max_size=20).map("?".__add__) | st.just("")


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"]),
    target=st.builds(str.__add__, TARGETS, QUERIES),
    body=st.binary(max_size=50),
    kind=st.sampled_from(["application/json", 'multipart/form-data; boundary="a, b"']),
    idempotency_key=st.none() | st.text("abc123-", min_size=1, max_size=40),
)
def test_any_request_can_be_signed(
    method: str, target: str, body: bytes, kind: str, idempotency_key: str | None
) -> None:
    optional = (("Idempotency-Key", idempotency_key),) if idempotency_key else ()
    request = Request(method, ORIGIN + target, (("content-type", kind), *optional), body)
    asked = believe(replace(sign_request(request, KEY, NOW), url=target))
    found = (asked.method, asked.target, asked.body, asked.content_type, asked.idempotency_key)
    assert found == (method, ORIGIN + target, body, kind, idempotency_key)


def test_the_address_is_the_public_one_whatever_the_proxy_made_of_it() -> None:
    signed = sign_request(POST, KEY, NOW)
    for seen in (
        "http://10.0.0.7:8000/v1/films?draft=1",
        "/v1/films?draft=1",
        "https://other.example/v1/films?draft=1",
    ):
        assert believe(replace(signed, url=seen)).target == POST.url
    assert refusal(signed, origin="https://other.example") == "signature"
    assert refusal(signed, origin="http://hub.example") == "signature"
    assert refusal(replace(signed, url="/v1/films")) == "signature"


def test_the_client_may_spell_the_origin_as_it_likes() -> None:
    spelt = replace(POST, url="HTTPS://Hub.Example:443/v1/films?draft=1".replace("HTTPS", "https"))
    assert believe(sign_request(spelt, KEY, NOW)).target == POST.url
    root = replace(GET, url="https://hub.example")
    assert believe(sign_request(root, KEY, NOW)).target == "https://hub.example/"


@pytest.mark.parametrize(
    "origin", ["hub.example", "https://a@hub.example", "https://hub.example/x", "ftp://hub.example", ""]
)
def test_an_origin_is_only_an_origin(origin: str) -> None:
    with pytest.raises(RequestRefused, match="no public address"):
        canonical_origin(origin)


@pytest.mark.parametrize("target", ["/a b", "/ä", "/a#b", "/%zz", "/a\\b", "/" + "a" * 9000, "/a\r\nX: y"])
def test_an_address_that_could_be_read_in_two_ways_is_refused(target: str) -> None:
    signed = sign_request(GET, KEY, NOW)
    assert refusal(replace(signed, url=target)) == "target"
    with pytest.raises(RequestRefused):
        sign_request(replace(GET, url=ORIGIN + target), KEY, NOW)


SIGNED_PARTS = ["method", "target", "body", *dict(sign_request(POST, KEY, NOW).headers)]
SIGNED_PARTS.remove("User-Agent")


def flips(data: bytes) -> Iterator[bytes]:
    """``data`` with each of its bits flipped in turn."""
    for place in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        yield bytes(flipped)


@pytest.mark.parametrize("part", SIGNED_PARTS)
def test_every_flipped_bit_is_refused(part: str) -> None:
    signed = sign_request(POST, KEY, NOW)
    believe(signed)
    if part == "body":
        changed = [replace(signed, body=data) for data in flips(signed.body)]
    elif part == "method":
        changed = [replace(signed, method=data.decode("latin-1")) for data in flips(b"POST")]
    elif part == "target":
        target = b"/v1/films?draft=1"
        changed = [
            replace(signed, url=f"http://internal/{data.decode('latin-1')}") for data in flips(target[1:])
        ]
    else:
        value = header(signed, part).encode()
        changed = [with_header(signed, part, data.decode("latin-1")) for data in flips(value)]
    assert len(changed) >= 32
    for request in changed:
        refusal(request)


@given(data=st.data())
def test_a_shorter_or_longer_content_is_refused(data: st.DataObject) -> None:
    signed = sign_request(POST, KEY, NOW)
    cut = data.draw(st.integers(0, len(POST.body) - 1))
    assert refusal(replace(signed, body=POST.body[:cut])) == "digest"
    assert refusal(replace(signed, body=POST.body + data.draw(st.binary(min_size=1, max_size=9)))) == "digest"


@pytest.mark.parametrize(
    "name", ["Content-Type", "Idempotency-Key", "Content-Digest", "Signature", "Signature-Input"]
)
def test_a_header_that_comes_twice_or_not_at_all_is_refused(name: str) -> None:
    signed = sign_request(POST, KEY, NOW)
    again = replace(signed, headers=(*signed.headers, (name.lower(), header(signed, name))))
    assert refusal(again) == "ambiguous"
    assert refusal(without_header(signed, name)) in ("coverage", "unsigned", "signature")


def test_a_header_added_on_the_way_cannot_pass_for_signed() -> None:
    signed = sign_request(GET, KEY, NOW)
    assert refusal(with_header(signed, "Idempotency-Key", "1")) == "coverage"
    assert refusal(with_header(signed, "Content-Type", "text/plain")) == "coverage"
    assert refusal(with_header(signed, "Content-Encoding", "gzip")) == "encoding"


def test_two_signatures_in_one_request_are_refused() -> None:
    one, two = sign_request(POST, KEY, NOW), sign_request(POST, KEY, NOW)
    both = with_header(
        one, "Signature-Input", f"{header(one, 'Signature-Input')}, b{header(two, 'Signature-Input')}"
    )
    both = with_header(both, "Signature", f"{header(one, 'Signature')}, b{header(two, 'Signature')}")
    assert refusal(both) == "malformed"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (';tag="vernissage-request"', ';tag="vernissage-response"', "tag"),
        (';tag="vernissage-request"', "", "malformed"),
        (";created", ";madeup", "malformed"),
        (';nonce="', ';nonce="!', "nonce"),
        (';tag="vernissage-request"', ';tag="vernissage-request";alg="rsa-pss-sha512"', "signature"),
        (';tag="vernissage-request"', '; tag="vernissage-request"', "malformed"),
        ('"@method" ', "", "signature"),
        ('"@method"', '"@method";req', "signature"),
    ],
)
def test_the_profile_is_kept_to_the_letter(old: str, new: str, reason: str) -> None:
    signed = sign_request(POST, KEY, NOW)
    inputs = header(signed, "Signature-Input")
    assert old in inputs
    assert refusal(with_header(signed, "Signature-Input", inputs.replace(old, new))) == reason


def test_a_signature_that_covers_less_is_refused_though_it_is_good() -> None:
    bare = replace(POST, headers=(("Content-Type", "application/json"),))
    signed = sign_request(bare, KEY, NOW)
    assert refusal(with_header(signed, "Idempotency-Key", "1")) == "coverage"


@given(seconds=st.floats(-500, 500), lifetime=st.integers(1, 60))
def test_a_signature_lives_for_a_minute_and_clocks_may_differ_by_ten_seconds(
    seconds: float, lifetime: int
) -> None:
    signed = sign_request(GET, KEY, NOW, lifetime_seconds=lifetime)
    now = NOW + timedelta(seconds=seconds)
    elapsed = (now - NOW).total_seconds()
    if elapsed < -10:
        assert refusal(signed, now=now) == "future"
    elif elapsed >= lifetime + 10:
        assert refusal(signed, now=now) == "expired"
    else:
        assert believe(signed, now=now).remember_until > now


@pytest.mark.parametrize("lifetime", [0, -5, 61, 86400])
def test_no_signature_lives_longer(lifetime: int) -> None:
    assert refusal(sign_request(GET, KEY, NOW, lifetime_seconds=lifetime)) == "window"


def test_a_large_content_is_refused_before_anything_else() -> None:
    large = replace(POST, body=b"x" * 1001)
    assert refusal(large) == "too_large"
    assert refusal(sign_request(large, KEY, NOW)) == "too_large"
    assert believe(sign_request(replace(POST, body=b"x" * 1000), KEY, NOW))


def test_content_of_strangers_is_not_even_hashed() -> None:
    forged = replace(sign_request(POST, SigningKey.generate(), NOW), body=b"other")
    assert refusal(forged) == "signature"


def test_content_must_say_what_it_is() -> None:
    with pytest.raises(RequestRefused, match="Content-Type"):
        sign_request(without_header(POST, "Content-Type"), KEY, NOW)


def test_why_a_key_is_not_accepted_reaches_the_caller() -> None:
    def nobody(keyid: str) -> VerifyKey:
        assert keyid == KEY.keyid
        raise CredentialRefused("suspended", "This credential is suspended: ask the stewards why.")

    with pytest.raises(CredentialRefused) as caught:
        believe(sign_request(POST, KEY, NOW), keys=nobody)
    assert caught.value.reason == "suspended"


def test_any_base64_spelling_but_one_is_refused() -> None:
    signed = sign_request(POST, KEY, NOW)
    signature = header(signed, "Signature")
    other = signature[:-4] + chr(ord(signature[-4]) + 1) + signature[-3:]
    assert refusal(with_header(signed, "Signature", other)) == "malformed"


class TestResponses:
    """The hub's answers, signed for the request that they answer."""

    request = sign_request(POST, KEY, NOW)
    plain = Response(201, (("Content-Type", "application/json"),), b'{"film": 7}')

    def refusal(self, response: Response, request: Request, now: datetime = NOW) -> str:
        with pytest.raises(RequestRefused) as caught:
            verify_response(response, request, HUB.public, now)
        return caught.value.reason

    def test_the_answer_is_believed(self) -> None:
        verify_response(sign_response(self.plain, self.request, HUB, NOW), self.request, HUB.public, NOW)
        empty = sign_response(Response(204), self.request, HUB, NOW)
        verify_response(empty, self.request, HUB.public, NOW)

    def test_it_answers_no_other_request(self) -> None:
        answer = sign_response(self.plain, self.request, HUB, NOW)
        assert self.refusal(answer, sign_request(POST, KEY, NOW)) == "signature"

    def test_an_answer_to_an_unsigned_request_is_not_taken_for_one_to_ours(self) -> None:
        answer = sign_response(self.plain, POST, HUB, NOW)
        assert self.refusal(answer, self.request) == "coverage"

    def test_nobody_else_can_answer(self) -> None:
        answer = sign_response(self.plain, self.request, KEY, NOW)
        assert self.refusal(answer, self.request) == "key"

    def test_an_answer_gets_old(self) -> None:
        answer = sign_response(self.plain, self.request, HUB, NOW)
        assert self.refusal(answer, self.request, NOW + timedelta(seconds=70)) == "expired"

    @pytest.mark.parametrize("part", ["status", "body", "Content-Type", "Content-Digest", "Signature"])
    def test_every_flipped_bit_is_refused(self, part: str) -> None:
        answer = sign_response(self.plain, self.request, HUB, NOW)
        if part == "status":
            changed = [replace(answer, status=answer.status ^ 1 << bit) for bit in range(9)]
        elif part == "body":
            changed = [replace(answer, body=data) for data in flips(answer.body)]
        else:
            texts = [data.decode("latin-1") for data in flips(header(answer, part).encode())]
            kept = tuple(line for line in answer.headers if line[0] != part)
            changed = [replace(answer, headers=(*kept, (part, text))) for text in texts]
        for response in changed:
            self.refusal(response, self.request)


@pytest.mark.slow
def test_verifying_takes_less_than_a_millisecond() -> None:
    from time import process_time

    signed = sign_request(POST, KEY, NOW)
    begun = process_time()
    for _ in range(500):
        believe(signed)
    assert (process_time() - begun) / 500 < 1e-3
