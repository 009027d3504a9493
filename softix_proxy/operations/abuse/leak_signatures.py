"""Checks that a report of leaked keys is that of a code host, as GitHub's secret scanning partner programme has it.

The algorithm is ECDSA on NIST P-256 with SHA-256, over the raw body; the signature is DER in base 64, and the key is
named by its identifier. https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partner-program
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

_MOST_BYTES = 1_000_000


def is_signed_by_host(keys_file: Path | None, identifier: str, signature: str, body: bytes) -> bool:
    """Returns whether one of the file's keys signed the body: the one of this identifier. It blocks for a file read."""
    pem = None if keys_file is None or not identifier else _public_key(keys_file, identifier)
    return pem is not None and _is_signature(pem, signature, body)


def _public_key(keys_file: Path, identifier: str) -> str | None:
    """Returns the PEM of the key with this identifier. A file that cannot be read has no keys."""
    try:
        with keys_file.open("rb") as opened:
            document: Any = json.loads(opened.read(_MOST_BYTES))
        keys = {key["key_identifier"]: key["key"] for key in document["public_keys"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    pem = keys.get(identifier)
    return pem if isinstance(pem, str) else None


def _is_signature(pem: str, signature: str, body: bytes) -> bool:
    try:
        key = load_pem_public_key(pem.encode())
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            return False
        key.verify(b64decode(signature, validate=True), body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError, TypeError, binascii.Error):
        return False
    return True
