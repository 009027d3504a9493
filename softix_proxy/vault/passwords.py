"""Passwords: Argon2id, 64 MiB and two passes, with parameters and salt in the hash."""

from __future__ import annotations

from nacl import pwhash
from nacl.exceptions import CryptoError

_argon2 = pwhash.argon2id


def hash_password(text: str) -> str:
    hashed = _argon2.str(text.encode(), opslimit=_argon2.OPSLIMIT_INTERACTIVE, memlimit=_argon2.MEMLIMIT_INTERACTIVE)
    return hashed.decode("ascii")


def verify_password(password_hash: str, text: str) -> bool:
    """False for a hash that is none, too."""
    try:
        return pwhash.verify(password_hash.encode(), text.encode())
    except (CryptoError, ValueError):
        return False
