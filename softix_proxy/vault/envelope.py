"""The envelopes: a secret under a data key of its own, and that key wrapped by a master key.

    version 1 · master key id 8 · nonce 12 · wrapped data key 48 · nonce 12 · ciphertext, 16 longer than the secret

Both layers are AES-256-GCM and bound to the secret's place, so that a moved envelope does not open. The inner layer
does not depend on the master key: a change of that key only wraps the data key again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.vault.master_key import ID_BYTES, KEY_BYTES, MasterKey

_VERSION = b"\x01"
_NONCE_BYTES, _TAG_BYTES = 12, 16
_HEAD = 1 + ID_BYTES
_KEY_AT = _HEAD + _NONCE_BYTES
_BODY = _KEY_AT + KEY_BYTES + _TAG_BYTES
_TEXT_AT = _BODY + _NONCE_BYTES

MasterKeyFinder = Callable[[str], MasterKey]
"""Returns the master key of an id. Raises FailureError if it is not available."""


def seal(master: MasterKey, secret: bytes, place: Sequence[str]) -> bytes:
    data_key = secrets.token_bytes(KEY_BYTES)
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _wrapped(master, data_key, place) + nonce + AESGCM(data_key).encrypt(nonce, secret, _bound(place))


def unseal(find: MasterKeyFinder, blob: bytes, place: Sequence[str]) -> bytes:
    """Opens an envelope. Raises FailureError if the place or the master key differs, or the envelope is damaged."""
    data_key = _unwrapped(find, blob, place)
    try:
        return AESGCM(data_key).decrypt(blob[_BODY:_TEXT_AT], blob[_TEXT_AT:], _bound(place))
    except InvalidTag:
        raise _unreadable(place) from None


def rewrap(find: MasterKeyFinder, master: MasterKey, blob: bytes, place: Sequence[str]) -> bytes:
    """Returns the same envelope for another master key. Raises as `unseal` does."""
    unseal(find, blob, place)
    return _wrapped(master, _unwrapped(find, blob, place), place) + blob[_BODY:]


def sealed_by(blob: bytes) -> str:
    """Returns the master key's id. Raises FailureError if this is no envelope."""
    if blob[:1] != _VERSION or len(blob) < _TEXT_AT + _TAG_BYTES:
        raise FailureError("a sealed secret has an unknown form", "restore a backup, or give the secret again")
    return blob[1:_HEAD].hex()


def _wrapped(master: MasterKey, data_key: bytes, place: Sequence[str]) -> bytes:
    head, nonce = _VERSION + bytes.fromhex(master.id), secrets.token_bytes(_NONCE_BYTES)
    return head + nonce + master.wrapping.encrypt(nonce, data_key, head + _bound(place))


def _unwrapped(find: MasterKeyFinder, blob: bytes, place: Sequence[str]) -> bytes:
    master = find(sealed_by(blob))
    try:
        return master.wrapping.decrypt(blob[_HEAD:_KEY_AT], blob[_KEY_AT:_BODY], blob[:_HEAD] + _bound(place))
    except InvalidTag:
        raise _unreadable(place) from None


def _bound(place: Sequence[str]) -> bytes:
    """Joins the parts, each with its length, so that no two places look alike."""
    parts = [part.encode() for part in place]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _unreadable(place: Sequence[str]) -> FailureError:
    return FailureError(
        f"a sealed secret of {place[0]} does not open: it was moved or damaged",
        "restore a backup, or give the secret again, for example: softix providers set-key",
    )
