"""The signatures by Ed25519: the key that signs manifests, and the check of a signature by a public key."""

from __future__ import annotations

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

SEED_BYTES = 32
_SIGNATURE_BYTES = 64


class Ed25519Signer:
    """Implements domain.ports.vault.Signer."""

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.public_key})"

    @property
    def public_key(self) -> str:
        return bytes(self._key.verify_key).hex()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message).signature


def is_signed(public_key: str, message: bytes, signature: bytes) -> bool:
    """Returns whether the secret half of this public key (64 hex digits) signed the message."""
    try:
        VerifyKey(bytes.fromhex(public_key)).verify(message, signature)
    except (BadSignatureError, ValueError):
        return False
    return len(signature) == _SIGNATURE_BYTES
