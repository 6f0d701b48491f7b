"""The house's own sitters, for pages to show."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel

from generator import sitters
from service.api.problems import Problem

router = APIRouter(prefix="/v1/sitters", tags=["sitters"])


class SitterOut(BaseModel):
    """A sitter as the service tells of it."""

    name: str
    title: str
    medium: str
    licence: str
    picture: str


@router.get("", summary="Our own sitters")
def catalogue() -> list[SitterOut]:
    """Fictional people, made by our own scripts, whom anyone may animate."""
    return [
        SitterOut(
            name=sitter.name,
            title=sitter.title,
            medium=sitter.medium,
            licence=sitter.licence,
            picture=f"/v1/sitters/{sitter.name}/picture",
        )
        for sitter in sitters.sitters()
    ]


@router.get("/{name}/picture", summary="A sitter's portrait", response_class=FileResponse)
def picture(name: str) -> FileResponse:
    """The picture as it is committed."""
    for sitter in sitters.sitters():
        if sitter.name == name:
            return FileResponse(sitter.path)
    raise Problem(404, "no-such-sitter", "No such sitter", f"There is no sitter {name!r}; see /v1/sitters.")
