"""Selects the parts of a client's query that a provider gets: those that are listed here with a reason, and no others.

Like a header, a part of the query may choose another model, price or account. It may also remove the usage from the
response, as `fields` does at Google's servers in whichever dialect they are used. A part that is not listed is dropped.
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
    """Returns the parts that may pass, byte for byte as the client wrote them and in their order."""
    names = FAMILIES[family]
    return "&".join(part for part in query.split("&") if part.partition("=")[0] in names)
