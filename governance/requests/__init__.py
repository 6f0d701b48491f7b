"""Signed requests and responses (RFC 9421, RFC 9530), each of which counts once.

signed = sign_request(Request("POST", "https://hub.example/v1/films", headers, body), key, now)   # client
asked = verify_request(received, origin="https://hub.example", keys=keys, now=now)                # hub
Replay(database).remember(asked, now)
"""

from governance.requests.messages import Headers, Request, Response, canonical_origin
from governance.requests.replay import Replay
from governance.requests.signing import sign_request, sign_response
from governance.requests.verification import SignedRequest, verify_request, verify_response

__all__ = [
    "Headers",
    "Replay",
    "Request",
    "Response",
    "SignedRequest",
    "canonical_origin",
    "sign_request",
    "sign_response",
    "verify_request",
    "verify_response",
]
