"""The signatures of the Standard Webhooks specification (https://www.standardwebhooks.com), and their secrets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
_SECRET_BYTES = 32
"""The specification asks for 24 to 64 bytes."""


def new_secret() -> str:
    """Returns `whsec_` and the random bytes in base64, as libraries for receivers take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(secrets_: Sequence[str], message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Returns the headers that prove that a body comes from here, and when. There is one signature for each secret."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets_),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
