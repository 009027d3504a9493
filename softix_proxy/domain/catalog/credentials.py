"""The credentials that providers accept: a plain key, or a document from which short-lived tokens are made.

The shape of the text decides which it is. Documents are stored sealed, as one line of JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from softix_proxy.domain.catalog.forbidden_hosts import is_forbidden_host
from softix_proxy.domain.core.errors import BadInputError

_KEY = re.compile(r"[\x21-\x7e]{1,4096}")
_MOST_LETTERS = 16_384
_TENANT = re.compile(r"[A-Za-z0-9.-]{1,253}")


@dataclass(frozen=True, slots=True)
class EntraClient:
    """The credential of an application of Microsoft Entra, with its secret."""

    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    authority: str = "https://login.microsoftonline.com"
    scope: str = "https://cognitiveservices.azure.com/.default"


@dataclass(frozen=True, slots=True)
class GoogleAccount:
    """A service account, as Google's console exports it."""

    document: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """An access key of AWS, with which each request is signed."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


Credential = str | EntraClient | GoogleAccount | AwsKeys
"""The types of credentials. A text is a plain key."""

_GOOGLE_FIELDS = ("client_email", "private_key", "token_uri")
"""The fields of a service account. Other kinds of documents run commands or read files."""


def parse(text: str) -> Credential:
    """Parses a credential. Raises BadInputError, whose message quotes nothing of it."""
    if not text.lstrip().startswith("{"):
        if not _KEY.fullmatch(text):
            raise BadInputError("that is not an API key", "give the key alone: printable letters without spaces")
        return text
    document = _document(text)
    if "tenant_id" in document:
        return _entra(document)
    if "aws_access_key_id" in document:
        return _aws(document)
    if document.get("type") == "service_account":
        _check_host(_texts(document, _GOOGLE_FIELDS)[-1])
        return GoogleAccount(document)
    raise BadInputError(
        "that document is no credential that softix knows",
        "give a Google service account's JSON, or one with tenant_id, client_id and client_secret (Entra), or with"
        " aws_access_key_id and aws_secret_access_key",
    )


def normalise(text: str) -> str:
    """Returns the text as it is stored: a key unchanged, and a document on one line. Raises BadInputError."""
    credential = parse(text)
    if isinstance(credential, str):
        return credential
    return json.dumps(_document(text), separators=(",", ":"))


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text) if len(text) <= _MOST_LETTERS else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BadInputError(
            "that is neither a key nor JSON", f"give one JSON object of at most {_MOST_LETTERS} letters"
        )
    return document


def _texts(document: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    missing = [name for name in names if not (isinstance(document.get(name), str) and document[name])]
    if missing:
        raise BadInputError(f"the document has no {missing[0]}", f"it needs {', '.join(names)}")
    return [document[name] for name in names]


def _entra(document: Mapping[str, Any]) -> EntraClient:
    tenant_id, client_id, client_secret = _texts(document, ("tenant_id", "client_id", "client_secret"))
    if not _TENANT.fullmatch(tenant_id):
        raise BadInputError("the document's tenant_id is none", "it is a UUID, or a domain name")
    more = {name: document[name] for name in ("authority", "scope") if name in document}
    if not all(isinstance(value, str) and value.startswith(("https://", "http://")) for value in more.values()):
        raise BadInputError("the document's authority or scope is no URL", "leave it out for Azure's public cloud")
    _check_host(more.get("authority", ""))
    return EntraClient(tenant_id, client_id, client_secret, **more)


def _check_host(url: str) -> None:
    """Refuses a URL for tokens whose host serves the secrets of a cloud. Raises BadInputError."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        raise BadInputError("the document has no proper URL for tokens", "export it again") from None
    if is_forbidden_host(host):
        raise BadInputError("a cloud keeps secrets at the document's URL for tokens", "export the document again")


def _aws(document: Mapping[str, Any]) -> AwsKeys:
    access_key_id, secret = _texts(document, ("aws_access_key_id", "aws_secret_access_key"))
    token = _texts(document, ("aws_session_token",))[0] if "aws_session_token" in document else None
    return AwsKeys(access_key_id, secret, token)
