"""What a person can allow: purposes, emotions, languages; closed lists, so that nothing vague is signed."""

from __future__ import annotations

from governance.consent.kinds import matching

PURPOSES = {
    "dpv:AcademicResearch": "research at a university, a school or a public institute",
    "dpv:Advertising": "advertising of products or services",
    "dpv:CommercialResearch": "research and development by a company",
    "dpv:CommunicationForCustomerCare": "answering an organisation's customers",
    "dpv:CommunicationManagement": "messages to an organisation's own staff, members or customers",
    "dpv:NonCommercialPurpose": "private use and art that nobody pays for",
    "dpv:PublicBenefit": "education, health and culture, free to the public",
    "dpv:PublicRelations": "speaking in public for an organisation",
}
"""Terms of the W3C Data Privacy Vocabulary (DPV 2), as the person who signs reads them. Political campaigns
and sexual content are not on the list: nobody can consent to them here."""

DIRECTIONS = ("afraid", "angry", "contemptuous", "disgusted", "happy", "neutral", "sad", "surprised")
"""The emotions a portrait can be made to play, in the order of the alphabet."""

LOCALE = matching(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", "a language such as en or en-GB")
GRANTEE = matching(r"(credential|organisation):[A-Za-z0-9_-]{1,100}", "credential:ID or organisation:ID")


def speaks(locale: str, allowed: tuple[str, ...]) -> bool:
    """Whether ``locale`` is one of ``allowed`` or a variety of one, as ``en-GB`` is of ``en`` (RFC 4647)."""
    return any(locale == language or locale.startswith(f"{language}-") for language in allowed)
