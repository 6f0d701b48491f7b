"""What can go wrong when the wings are put together. Every message says what to do next."""


class ServiceError(Exception):
    """Base of all errors the service wing raises on purpose."""


class RightsUndeclared(ServiceError):
    """Nobody has said by what right this face may be animated."""


class NotAllowed(ServiceError):
    """The policies forbid the film; ``policy`` is the id of the one that decided."""

    def __init__(self, policy: str, sentence: str) -> None:
        super().__init__(f"{sentence} (policy {policy})")
        self.policy = policy


class OutputRefused(ServiceError):
    """The film could not be written where it was asked for."""


class ExtraMissing(ServiceError):
    """The command needs an optional part of this software."""


class MarkLost(ServiceError):
    """A finished film does not bear the marks that were put into it."""
