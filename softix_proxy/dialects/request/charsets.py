"""Refuses texts that are not labelled as UTF-8.

softix reads every body as UTF-8, and so must the provider: a server that believes another label reads other names and
values than softix did, such as another model. So a provider never gets a client's label, but softix's own.
"""

from __future__ import annotations

import re

from softix_proxy.domain.core.errors import Code, RefusedError

JSON = "application/json"
"""The content type of every body that is no form."""
_UTF8 = re.compile(r"""; *charset *= *(["']?)utf-?8\1 *(?=;|$)""", re.IGNORECASE)
_CHARSET = "charset"


def require_utf8(content_type: str, what: str = "The request's `Content-Type`") -> None:
    """Raises RefusedError if a content type names another charset than UTF-8, in whatever way it is written."""
    if content_type != JSON and _CHARSET in content_type.lower() and _CHARSET in _UTF8.sub("", content_type).lower():
        raise RefusedError(
            Code.UNSUPPORTED_MEDIA_TYPE, f"{what} names a charset that is not UTF-8. Send the text in UTF-8."
        )
