"""The hashes of passwords: Argon2id, 64 MiB and two passes, with parameters and salt in the hash.

PyNaCl is imported for the first password. The daemon has none to check, and its memory matters.
"""

from __future__ import annotations

from functools import cache


def hash_password(text: str) -> str:
    from nacl.pwhash import argon2id

    ops, memory_bytes = argon2id.OPSLIMIT_INTERACTIVE, argon2id.MEMLIMIT_INTERACTIVE
    return argon2id.str(text.encode(), opslimit=ops, memlimit=memory_bytes).decode("ascii")


def verify_password(password_hash: str, text: str) -> bool:
    """Returns whether the password matches. An invalid hash gives False too."""
    from nacl.exceptions import CryptoError
    from nacl.pwhash import verify

    try:
        return verify(password_hash.encode(), text.encode())
    except (CryptoError, ValueError):
        return False


@cache
def parameters() -> str:
    """Returns the beginning of each hash that is made today, up to its salt."""
    from nacl.pwhash import argon2id

    memory_kib = argon2id.MEMLIMIT_INTERACTIVE // 1024
    return f"$argon2id$v=19$m={memory_kib},t={argon2id.OPSLIMIT_INTERACTIVE},p=1$"


def nobodys_hash() -> str:
    """Returns a hash that no password has, and that takes as long to verify as any other.

    It is 16 bytes of salt and 32 bytes of hash, all of them zero, in base 64 without padding.
    """
    return f"{parameters()}{'A' * 22}${'A' * 43}"
