"""Secrets: what seals them, and what proves an API key or a password without keeping it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

PEPPER_PLACE = ("instance", "pepper")
SIGNING_KEY_PLACE = ("instance", "signing key")


@dataclass(frozen=True, slots=True)
class NewKey:
    """An API key in the only moment in which its text exists."""

    text: str = field(repr=False)
    prefix: str
    """The beginning, for people to tell keys apart."""
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """What the database knows of its master key; none of it opens anything."""

    key_id: str
    check_value: bytes = field(repr=False)
    sealed_pepper: bytes = field(repr=False)


class Signer(Protocol):
    """Signs in the instance's name."""

    @property
    def public_key(self) -> str:
        """64 hex digits; with it anyone can check a signature, and nobody can make one."""
        ...

    def sign(self, message: bytes) -> bytes: ...


class Vault(Protocol):
    """Opened with the instance's master key. No secret is in any repr or error."""

    @property
    def master_key_id(self) -> str:
        """Of the key that seals from now on: 16 hex digits."""
        ...

    def check_value(self) -> bytes:
        """The same for one master key, different for every other; tells nothing about it."""
        ...

    def new_api_key(self) -> NewKey: ...

    def digest(self, text: str) -> bytes | None:
        """32 bytes to look an API key up by; None where the text cannot be one (form or checksum)."""
        ...

    def seal_secret(self, secret: bytes | str, *place: str) -> bytes:
        """Opens at this very place only: table, row, column, and what else the secret is bound to."""
        ...

    def open_secret(self, blob: bytes, *place: str) -> str:
        """Raises FailureError where it was sealed for another place or by an unknown master key, or is damaged."""
        ...

    def sealed_by(self, blob: bytes) -> str:
        """The id of the master key that opens it. Raises FailureError where this is not a sealed secret."""
        ...

    def rewrap_secret(self, blob: bytes, *place: str) -> bytes:
        """The same secret under `master_key_id`: only its data key is sealed anew. Raises as `open_secret` does."""
        ...

    def new_signing_key(self) -> bytes:
        """Sealed at SIGNING_KEY_PLACE. It is random and not derived, so that it outlives a change of the master key."""
        ...

    def signer(self, sealed: bytes) -> Signer:
        """Raises as `open_secret` does."""
        ...

    def hash_password(self, text: str) -> str: ...

    def verify_password(self, password_hash: str, text: str) -> bool: ...


class MasterKeys(Protocol):
    """Where the master key lies, and beside it the next one, while one is replaced by the other."""

    def source(self) -> str | None:
        """What the key comes from, in words; None where there is none. Raises FailureError if it is unusable."""
        ...

    def key_id(self) -> str | None: ...

    def next_key_id(self) -> str | None: ...

    def open(self, identity: Identity) -> Vault:
        """With that key, of the two, which is the instance's; the other one's secrets open too.

        Raises FailureError where neither is.
        """
        ...

    def open_next(self, identity: Identity) -> Vault:
        """With the next key, which is made if need be; what the instance's key sealed opens too."""
        ...

    def changing(self) -> AbstractContextManager[None]:
        """While a key is changed. Raises ConflictError where another process is at it."""
        ...

    def put_in_place(self, key_id: str) -> bool:
        """Ends a change to this key: it takes the old one's file.

        False where the old one does not lie in a file of ours: then the operator has to put the new one in its place.
        """
        ...
