"""The ports for secrets: they seal them, and verify an API key or a password without keeping it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

PEPPER_PLACE = ("instance", "pepper")
SIGNING_KEY_PLACE = ("instance", "signing key")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new API key. Its text exists only at this moment."""

    text: str = field(repr=False)
    prefix: str
    """The beginning of the key, by which people distinguish keys."""
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """The facts about its master key that the database stores. None of them opens anything."""

    key_id: str
    check_value: bytes = field(repr=False)
    sealed_pepper: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The site for which a passkey is made. Both come from the public URL, and never from a request."""

    id: str
    """The host name."""
    origin: str
    name: str
    """What the browser shows."""


@dataclass(frozen=True, slots=True)
class PasskeySubject:
    """The person for whom a passkey is made."""

    handle: bytes = field(repr=False)
    """What the device gives back at sign-in. It says nothing about the person."""
    name: str = field(repr=False)
    display_name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A credential that a device has made just now."""

    credential_id: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int


@dataclass(frozen=True, slots=True)
class PasskeyAnswer:
    """Whose passkey an answer claims to be. Nothing of it is verified."""

    credential_id: bytes = field(repr=False)
    handle: bytes | None = field(repr=False)


class PasskeyVerifier(Protocol):
    """Makes the options that a browser takes as JSON, and checks its answers.

    Each check raises AccountRefusedError, which quotes nothing of the answer.
    """

    def creation_options(
        self, party: RelyingParty, subject: PasskeySubject, challenge: bytes, known: Sequence[bytes]
    ) -> str:
        """Returns the options for a new passkey. A device that has one of the known credentials makes none."""
        ...

    def request_options(self, party: RelyingParty, challenge: bytes, allowed: Sequence[bytes]) -> str:
        """Returns the options for a sign-in by one of these credentials, or by any of the site if there are none."""
        ...

    def verify_creation(self, party: RelyingParty, challenge: bytes, answer: str) -> NewPasskey: ...

    def read_answer(self, answer: str) -> PasskeyAnswer: ...

    def verify_request(
        self, party: RelyingParty, challenge: bytes, answer: str, *, public_key: bytes, sign_count: int
    ) -> int:
        """Returns the new count of signatures. It exceeds `sign_count`, or both are 0."""
        ...


class Signer(Protocol):
    """Signs in the instance's name."""

    @property
    def public_key(self) -> str:
        """The public key as 64 hex digits. With it anyone can check a signature, and nobody can make one."""
        ...

    def sign(self, message: bytes) -> bytes: ...


class Vault(Protocol):
    """Seals and opens secrets with the instance's master key. No secret is in any repr or error."""

    @property
    def master_key_id(self) -> str:
        """The id of the master key that seals from now on: 16 hex digits."""
        ...

    def check_value(self) -> bytes:
        """Returns a value that is the same for one master key and different for every other.

        It reveals nothing about the key.
        """
        ...

    def new_api_key(self) -> NewKey: ...

    def digest(self, text: str) -> bytes | None:
        """Returns 32 bytes by which an API key is looked up, or None if the form or the checksum is wrong."""
        ...

    def new_admin_token(self) -> NewKey: ...

    def admin_token_digest(self, text: str) -> bytes | None:
        """Returns 32 bytes by which an admin token is looked up, or None for whatever is none: an API key, too."""
        ...

    def tag(self, key_id: int, text: str) -> str:
        """Returns what stands for a client's own word at a provider. Each API key has other tags.

        It has at most 36 letters. Nobody can find the word from it, nor the tag of another key's word.
        """
        ...

    def keyed_digest(self, purpose: str, text: str) -> str:
        """Returns 32 hex digits by which a text is recognised that is not kept. Each purpose has other digits."""
        ...

    def seal_secret(self, secret: bytes | str, *place: str) -> bytes:
        """Seals a secret so that it opens only at this place: table, row, column, and what else it is bound to."""
        ...

    def open_secret(self, blob: bytes, *place: str) -> str:
        """Opens a sealed secret.

        Raises FailureError if it was sealed for another place or by an unknown master key, or is damaged.
        """
        ...

    def sealed_by(self, blob: bytes) -> str:
        """Returns the id of the master key that opens it. Raises FailureError if this is not a sealed secret."""
        ...

    def rewrap_secret(self, blob: bytes, *place: str) -> bytes:
        """Returns the same secret under `master_key_id`.

        Only its data key is sealed anew. Raises as `open_secret` does.
        """
        ...

    def new_signing_key(self) -> bytes:
        """Returns a new signing key, sealed at SIGNING_KEY_PLACE.

        It is random and not derived, so that it outlives a change of the master key.
        """
        ...

    def signer(self, sealed: bytes) -> Signer:
        """Returns the signer with this key. Raises as `open_secret` does."""
        ...

    def hash_password(self, text: str) -> str: ...

    def verify_password(self, password_hash: str, text: str) -> bool: ...

    def new_totp_secret(self) -> str:
        """Returns 160 random bits in base 32, for an authenticator app."""
        ...

    def totp_step(self, secret: str, code: str, now_us: int) -> int | None:
        """Returns the time step of which the code is, if it is now, or one step before or after now."""
        ...

    def totp_uri(self, secret: str, *, account: str, issuer: str) -> str:
        """Returns what the QR code for an authenticator app says."""
        ...

    def passkeys(self) -> PasskeyVerifier:
        """Returns what checks passkeys. Raises FailureError, which says how to install it, if it is not installed."""
        ...


class MasterKeys(Protocol):
    """The place of the master key, and of the next one while one replaces the other."""

    def source(self) -> str | None:
        """Describes where the key comes from, in words.

        Returns None if there is none. Raises FailureError if it is unusable.
        """
        ...

    def key_id(self) -> str | None: ...

    def next_key_id(self) -> str | None: ...

    def open(self, identity: Identity) -> Vault:
        """Opens a vault with the instance's key, which is one of the two. The other key's secrets open too.

        Raises FailureError if neither is the instance's key.
        """
        ...

    def open_next(self, identity: Identity) -> Vault:
        """Opens a vault with the next key, and creates that key if necessary.

        Secrets of the instance's key open too.
        """
        ...

    def changing(self) -> AbstractContextManager[None]:
        """Locks the change of a key. Raises ConflictError if another process is changing it."""
        ...

    def put_in_place(self, key_id: str) -> bool:
        """Ends a change to this key: the key takes the place of the old one's file.

        Returns False if the old key is not in a file of ours. Then the operator has to put the new key in its place.
        """
        ...
