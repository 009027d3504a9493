"""Finds the client's API key in a request."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.core.errors import Code, RefusedError

PROTOCOLS = "sec-websocket-protocol"
_KEY_PROTOCOL = "openai-insecure-api-key."
"""The prefix of the subprotocol in which browsers send their key. They cannot set headers for a WebSocket."""


def read_credential(named: Mapping[str, str]) -> str | None:
    """Returns the key from any header that clients use.

    Keys in the query are not read, because they would end up in logs.
    """
    bearer = named.get("authorization", "")
    if bearer[:7].lower() == "bearer ":
        return bearer[7:].strip()
    return named.get("x-api-key") or named.get("x-goog-api-key") or named.get("api-key")


def read_protocol_credential(named: Mapping[str, str]) -> str | None:
    """Returns the key among the subprotocols of a WebSocket."""
    parts = offered_protocols(named)
    return next((part[len(_KEY_PROTOCOL) :] for part in parts if part.startswith(_KEY_PROTOCOL)), None)


def offered_protocols(named: Mapping[str, str]) -> list[str]:
    return [part.strip() for part in named.get(PROTOCOLS, "").split(",") if part.strip()]


def refuse_key_in(query: str, credential: str | None) -> None:
    """Refuses a key in the query. Raises RefusedError.

    This means Google's parameter, and any parameter with the key that also came in a header.
    """
    if (credential and credential in query) or any(part.startswith("key=") for part in query.split("&")):
        raise RefusedError(
            Code.INVALID_API_KEY, "Send the API key in a header, as x-goog-api-key: an address ends up in logs."
        )
