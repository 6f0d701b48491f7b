"""Puts the HTTP service together."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse

from service.api import problems, sitters, verification

WEB = Path(__file__).parents[1] / "web"


def create_app() -> FastAPI:
    """The service: verification for everyone, the sitters, and a page to use them from."""
    app = FastAPI(
        title="Vernissage",
        version=version("vernissage-hub"),
        description="Where a film says it came from. Verification is free and needs no account.",
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.include_router(verification.router)
    app.include_router(sitters.router)

    @app.get("/health", summary="Is the service up?")
    def health() -> dict[str, str]:
        return {"status": "ok", "version": app.version}

    @app.get("/", include_in_schema=False)
    def home() -> FileResponse:
        return FileResponse(WEB / "index.html")

    return app
