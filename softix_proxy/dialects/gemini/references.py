"""The members by which Gemini's requests name things that Google keeps, in both spellings.

The tables are read from the types of google-genai 3.6.1 and from Google's API reference, in November 2026. Google
finds a file by the last parts of its URI, whatever host the URI has. So any URI is a name, unless it is one of a public
video.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

import msgspec

from softix_proxy.dialects.request.references import FoundRefs, NamingRules
from softix_proxy.domain.access.objects import ObjectRef

NAMES = frozenset(
    (
        "cachedContent",
        "cached_content",
        "continuationToken",
        "continuation_token",
        "modelArmorConfig",
        "model_armor_config",
        "previousInteractionId",
        "previous_interaction_id",
        "environment",
    )
)
"""The members of a request that name things, beside its contents and its tools."""
SPEECH = frozenset(("speechConfig", "speech_config"))
"""The members of a configuration that may name a voice."""
_PARTS: Mapping[str, str] = {"fileuri": "file_uri", "uri": "file_uri", "gcsuri": "file_uri"}
_DATA = frozenset(
    (
        "args",
        "data",
        "functioncall",
        "functiondeclarations",
        "labels",
        "parameters",
        "parametersjsonschema",
        "partmetadata",
        "response",
        "responsejsonschema",
        "responseschema",
        "schema",
        "text",
        "thoughtsignature",
        "toolcall",
    )
)
_CALLS = frozenset(("id", "willcontinue", "tokenids"))
RULES = NamingRules(
    {
        **_PARTS,
        "cachedcontent": "cache",
        "continuationtoken": "continuation",
        "datastore": "unknown",
        "datastoreid": "unknown",
        "engine": "unknown",
        "environment": "unknown",
        "filesearchstorenames": "file_search_store",
        "previousinteractionid": "unknown",
        "prompttemplatename": "template",
        "ragcorpora": "unknown",
        "ragcorpus": "unknown",
        "ragfileids": "unknown",
        "responsetemplatename": "template",
        "voice": "voice",
    },
    opaque=_DATA,
    harmless=_CALLS,
    endings=frozenset(("uri", "uris", "id", "ids")),
    strict=True,
)
"""The rules for requests. Their objects have no `type`, so that each member that looks like a name counts."""
TOOL_RULES = RULES._replace(
    kinds={name: kind for name, kind in RULES.kinds.items() if name != "environment"}, strict=False
)
"""The rules for tools. The `environment` of a tool is a word of the dialect."""
_VIDEO = re.compile(r"https://(?:www\.youtube\.com/watch\?v=|youtu\.be/)[A-Za-z0-9_-]{6,20}(?:[?&]t=\d+s?)?", re.ASCII)
"""The address of a public video, which Google fetches as anybody can."""


def refs_of(found: FoundRefs) -> tuple[ObjectRef, ...]:
    """Returns the names without the addresses of public videos."""
    return tuple(ref for ref in found.refs if ref.kind != "file_uri" or _VIDEO.fullmatch(ref.id) is None)


def refs_in(contents: Iterable[msgspec.Raw | None], size_bytes: int) -> tuple[ObjectRef, ...]:
    """Returns the names in contents of which a part is no plain text."""
    found = FoundRefs(size_bytes)
    for content in contents:
        if content is not None:
            found.walk(content, RULES)
    return refs_of(found)


NO_SUCH_FILE = "A URL of this request names a file at the provider that is not yours. Send what the file contains."
_SCHEMES = ("http", "https")
_HOSTS = ("google.com", "googleapis.com")


def names_kept(url: str) -> bool:
    """Returns whether Google may take the URL of a picture or a document for the name of a file that it keeps.

    A client of another dialect sends such URLs for what anybody can fetch.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return True
    if parts.scheme not in _SCHEMES or host.endswith(_HOSTS):
        return True
    return "files" in (part.casefold() for part in unquote(parts.path).split("/"))
