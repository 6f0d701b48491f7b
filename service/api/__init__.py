"""The HTTP service. ``create_app`` composes its routers; ``vernissage serve`` runs it."""

from service.api.app import create_app

__all__ = ["create_app"]
