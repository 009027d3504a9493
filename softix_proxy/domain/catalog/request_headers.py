"""The request headers that never pass to a provider, whatever an operator configures.

Headers pass by an allow-list: see `dialects/core/request_headers.py` and `domain/catalog/profiles.py`. An operator may
add names to it, but none of these. They authenticate, belong to one hop, describe the length or encoding of the body,
or choose a price or an account that softix would not know of.
"""

from __future__ import annotations

import re

NEVER = frozenset(
    [
        # These headers belong to one hop.
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
        "host",
        "expect",
        "forwarded",
        "via",
        "x-real-ip",
        # These headers are about the body and the response. softix decodes the body, and reads usage in the response.
        "content-length",
        "content-encoding",
        "accept-encoding",
        "range",
        "x-goog-fieldmask",
        "x-http-method-override",
        "x-goog-request-params",
        # These headers choose a price or an account.
        "x-vertex-ai-llm-shared-request-type",
        "x-ms-oai-image-generation-deployment",
    ]
)
_NEVER_PREFIXES = ("proxy-", "x-forwarded-", "x-softix-", "cf-", "sec-", "x-amzn-bedrock-", "x-amz-")
_TELLING_WORDS = frozenset(
    [
        "auth",
        "authorization",
        "key",
        "apikey",
        "token",
        "secret",
        "cookie",
        "password",
        "credential",
        "credentials",
        "signature",
        "account",
        "organization",
        "project",
        "workspace",
        "profile",
        "billing",
        "priority",
        "tier",
    ]
)
"""A header with one of these words in its name authenticates, or chooses an account or a price."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def checked_header(text: str) -> str:
    """Returns a name that an operator may let pass, in lower case. Raises ValueError for any other."""
    name = text.lower()
    if not _NAME.fullmatch(name) or name in NEVER or name.startswith(_NEVER_PREFIXES):
        raise ValueError
    if not _TELLING_WORDS.isdisjoint(re.split(r"[-_.]", name)):
        raise ValueError
    return name
