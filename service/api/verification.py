"""Verification: free, without an account, and nothing is kept."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.concurrency import run_in_threadpool

from governance.provenance import house_trust, read
from service.api.problems import Problem

MAX_UPLOAD_BYTES = 512 << 20

router = APIRouter(prefix="/v1", tags=["verification"])


@router.post(
    "/verify",
    summary="Explain a file's content credential",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def verify(request: Request, x_file_name: Annotated[str, Header(max_length=200)] = "upload") -> Any:
    """Send the file's bytes as the request's body; the answer is what ``vernissage verify --json`` prints."""
    with tempfile.TemporaryDirectory(prefix="vernissage-") as folder:
        path = Path(folder) / "upload"
        await _receive(request, path)
        reading = await run_in_threadpool(read, path, house_trust())
    return json.loads(replace(reading, path=Path(Path(x_file_name).name)).to_json())


async def _receive(request: Request, path: Path) -> None:
    """Write the body to ``path`` as it comes, and stop at the limit."""
    received = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            received += len(chunk)
            if received > MAX_UPLOAD_BYTES:
                raise Problem(
                    413,
                    "file-too-large",
                    "File too large",
                    f"Files up to {MAX_UPLOAD_BYTES >> 20} MiB are verified here; "
                    "use the vernissage verify command for larger ones.",
                )
            file.write(chunk)
    if not received:
        raise Problem(400, "empty-file", "Empty file", "Send the file's bytes as the request's body.")
