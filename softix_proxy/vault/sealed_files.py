"""Encrypts files that are too large for the memory.

A file begins with a line that names the form. Then come the length of an envelope (4 bytes) and the envelope, which
holds the key of this file alone. The rest are pieces of AES-256-GCM. Each is bound to the head, to its place, and to
whether it is the last one, so that no piece can be left out, moved or added.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.vault import envelope
from softix_proxy.vault.envelope import MasterKeyFinder
from softix_proxy.vault.master_key import KEY_BYTES, MasterKey

HEAD = b"softix sealed file 1\n"
PLACE = ("backup", "file key")
_LENGTH_BYTES, _TAG_BYTES, _NONCE_BYTES = 4, 16, 12
_PIECE_BYTES = 1 << 20
_LONGEST_ENVELOPE = 4096


def is_sealed(file: BinaryIO) -> bool:
    """Returns whether the file begins as a sealed one. The place in the file stays as it was."""
    at = file.tell()
    begins = file.read(len(HEAD))
    file.seek(at)
    return begins == HEAD


def seal_file(master: MasterKey, source: BinaryIO, target: BinaryIO) -> None:
    key = secrets.token_bytes(KEY_BYTES)
    sealed_key = envelope.seal(master, key, PLACE)
    head = HEAD + len(sealed_key).to_bytes(_LENGTH_BYTES, "big") + sealed_key
    target.write(head)
    cipher, bound = AESGCM(key), sha256(head).digest()
    for number, piece, is_last in _pieces(source, _PIECE_BYTES):
        target.write(cipher.encrypt(_nonce(number), piece, _bound(bound, number, is_last)))


def open_file(find: MasterKeyFinder, source: BinaryIO, target: BinaryIO) -> None:
    """Decrypts a file. Raises FailureError if the master key is another one, or a byte of the file is."""
    begins = source.read(len(HEAD) + _LENGTH_BYTES)
    length = int.from_bytes(begins[len(HEAD) :], "big")
    if not begins.startswith(HEAD) or length > _LONGEST_ENVELOPE:
        raise _damaged()
    sealed_key = source.read(length)
    cipher = AESGCM(envelope.unseal(find, sealed_key, PLACE))
    bound = sha256(begins + sealed_key).digest()
    for number, piece, is_last in _pieces(source, _PIECE_BYTES + _TAG_BYTES):
        try:
            target.write(cipher.decrypt(_nonce(number), piece, _bound(bound, number, is_last)))
        except InvalidTag:
            raise _damaged() from None


def _pieces(source: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yields each piece with its number, and whether it is the last. An empty file has one empty piece."""
    number, piece = 0, source.read(size)
    while True:
        following = source.read(size)
        yield number, piece, not following
        if not following:
            return
        number, piece = number + 1, following


def _nonce(number: int) -> bytes:
    """Returns the nonce of a piece. The key is used for one file only, so that the piece's number is enough."""
    return number.to_bytes(_NONCE_BYTES, "big")


def _bound(head: bytes, number: int, is_last: bool) -> bytes:
    return head + number.to_bytes(8, "big") + bytes([is_last])


def _damaged() -> FailureError:
    return FailureError("the sealed file is damaged or cut off", "take another backup")
