"""What can go wrong while it is decided, and put on record, who may do what. Messages say what to do next."""


class GovernanceError(Exception):
    """Base of all errors the governance wing raises on purpose."""


class KeysError(GovernanceError):
    """The signing keys cannot be made, read or used."""


class KeysMissing(KeysError):
    """A key file that is needed is not there."""


class KeysExist(KeysError):
    """Keys would be overwritten; films signed with them could never be told from forgeries again."""


class KeysUnsafe(KeysError):
    """Somebody else on this machine may have read or replaced the keys."""


class KeysDamaged(KeysError):
    """The key files do not hold what they should, or do not belong together."""


class KeysExpired(KeysError):
    """The signer's year is over (or has not begun, by this machine's clock)."""


class SignatureInvalid(GovernanceError):
    """A signature does not belong to the key and the message that it claims."""


class IdentityError(GovernanceError):
    """A credential cannot be made or changed so."""


class CredentialRefused(GovernanceError):
    """Nobody may act by this key now; ``reason`` is one word for programs and the ledger."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NotApproved(GovernanceError):
    """Too few stewards, or none that count, signed an act."""


class MoreNeeded(NotApproved):
    """Every signature counts, but another steward has to sign too."""


class QuotaExceeded(GovernanceError):
    """A credential has done all of this that it may do today."""


class RequestRefused(GovernanceError):
    """A signed request or response is not what it should be; ``reason`` is one word for programs and the
    ledger."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PolicyError(GovernanceError):
    """The policies are not what they should be, or a question to them makes no sense."""


class ReleaseError(GovernanceError):
    """The release ladder does not allow this, or its data make no sense."""


class EvidenceRefused(ReleaseError):
    """An item of evidence is not what it should be, so it counts for nothing."""


class StorageError(GovernanceError):
    """The database cannot be opened or used, so nothing can be decided."""


class EventError(GovernanceError):
    """An event is not fit for the ledger."""


class LedgerError(GovernanceError):
    """The ledger cannot be opened, or does not have what is asked of it."""


class LedgerDamaged(LedgerError):
    """The ledger's files are not what they were when it signed for them."""


class CheckpointInvalid(LedgerError):
    """A checkpoint, or a signature under it, is not what it claims to be."""


class ProofInvalid(LedgerError):
    """A proof does not prove what it claims."""


class SplitView(LedgerError):
    """The ledger signed two histories that contradict each other."""


class EventConflict(LedgerError):
    """Another event is on the ledger under the same id."""


class MakingError(GovernanceError):
    """The account of how a film was made is incomplete or not allowed."""


class SealError(GovernanceError):
    """The film could not be sealed, so there is no film."""


class ReadError(GovernanceError):
    """A trust anchor is not a certificate, so nothing can be judged by it."""


class BiometricsError(GovernanceError):
    """A face, a voice or a film of a ceremony cannot be judged."""


class NoFace(BiometricsError):
    """No face was found."""


class SeveralFaces(BiometricsError):
    """More than one face was found, so nobody knows whose is meant."""


class NoVoice(BiometricsError):
    """There is too little speech to know a voice by."""


class TemplateDamaged(BiometricsError):
    """These bytes are no template, or cannot be decrypted with the keys at hand."""


class MediaRefused(BiometricsError):
    """An uploaded picture or film is too large, too long, damaged, or of no accepted format."""


class ConsentRefused(GovernanceError):
    """Nobody agreed to this, or not any more. ``reason`` is a stable word; the message is for the person
    whom it concerns."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
