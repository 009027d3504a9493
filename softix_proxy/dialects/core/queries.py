"""What of a client's query a provider gets: the parts that are listed here, with the reason, and no others.

As a header may, a part of the query may choose another model, price or account, or take the usage out of the answer
(`fields` at Google's servers, whichever dialect they are spoken to in). What is not listed is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.dialects.core.base import Family
from softix_proxy.dialects.core.request_headers import Reasons

FAMILIES: Mapping[Family, Reasons] = {
    "openai": {"api-version": "names the version of the API, as at Azure"},
    "anthropic": {"beta": "Anthropic's SDKs: the call is one of a beta of the API"},
    "gemini": {
        "alt": "says how a stream is framed",
        "prettyPrint": "says whether the answer is indented",
    },
}


def passing(query: str, family: Family) -> str:
    """Byte for byte as the client wrote it, in its order."""
    names = FAMILIES[family]
    return "&".join(part for part in query.split("&") if part.partition("=")[0] in names)
