"""``vernissage serve``: run the HTTP service."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli import console


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8000,
) -> None:
    """Serve verification, the sitters and a page to use them from."""
    import uvicorn

    from service.api import create_app

    console.err.print(f"Vernissage on http://{host}:{port}")
    uvicorn.run(create_app(), host=host, port=port, log_level="warning")
