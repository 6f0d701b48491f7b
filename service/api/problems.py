"""Errors as RFC 9457 problem details, each with a stable type and a sentence that says what to do."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

TYPES = "https://vernissage.example/problems/"


class Problem(Exception):
    """An error that the client is told about.

    Attributes:
        status: HTTP status.
        kind: last part of the problem's type URI; stable.
        title: what this kind of problem is.
        detail: what happened here, and what to do.
    """

    def __init__(self, status: int, kind: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.kind, self.title, self.detail = status, kind, title, detail

    def response(self) -> JSONResponse:
        """As ``application/problem+json``."""
        body = {"type": TYPES + self.kind, "title": self.title, "status": self.status, "detail": self.detail}
        return JSONResponse(body, self.status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Answer every error of ``app`` as a problem."""

    @app.exception_handler(Problem)
    async def known(_: Request, problem: Problem) -> JSONResponse:
        return problem.response()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return Problem(422, "invalid-request", "Invalid request", f"{where}: {first['msg']}").response()

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 404:
            detail = f"There is nothing at {request.url.path}; see /openapi.json for what there is."
            return Problem(404, "not-found", "Not found", detail).response()
        return Problem(error.status_code, "http-error", "Request refused", str(error.detail)).response()
