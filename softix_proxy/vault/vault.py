"""The vault, which combines the master key and the pepper."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.key_text import TOKEN_HEAD
from softix_proxy.domain.ports.vault import (
    PEPPER_PLACE,
    SIGNING_KEY_PLACE,
    Identity,
    NewKey,
    PasskeyVerifier,
    Signer,
)
from softix_proxy.vault import envelope, passwords
from softix_proxy.vault.api_keys import ApiKeys
from softix_proxy.vault.keyed_digests import KeyedDigests
from softix_proxy.vault.master_key import MasterKey
from softix_proxy.vault.tags import Tags

PEPPER_BYTES = 32


def _nowhere(_key_id: str) -> None:
    return None


def _no_other() -> None:
    return None


class KeyRing:
    """The available master keys, a function that looks for another one, and one that looks for a newer one."""

    def __init__(
        self,
        keys: Iterable[MasterKey],
        look: Callable[[str], MasterKey | None] = _nowhere,
        newest: Callable[[], MasterKey | None] = _no_other,
    ) -> None:
        self._keys = {key.id: key for key in keys}
        self._look = look
        self.newest = newest

    def find(self, key_id: str) -> MasterKey:
        """Returns the key with this id. Raises FailureError if it is not available."""
        key = self._keys.get(key_id) or self._look(key_id)
        if key is None:
            raise FailureError(
                f"a secret is sealed by the master key {key_id}, which is not at hand",
                "put that key where softix reads it, or give the secret again",
            )
        self._keys[key_id] = key
        return key


class MasterVault:
    """Seals with `master`, and opens what any key of the ring has sealed."""

    def __init__(self, master: MasterKey, pepper: bytes, ring: KeyRing) -> None:
        self._master = master
        self._find = ring.find
        self._newest = ring.newest
        api_keys = ApiKeys(pepper)
        self.new_api_key: Callable[[], NewKey] = api_keys.new
        self.digest: Callable[[str], bytes | None] = api_keys.digest
        tokens = ApiKeys(pepper, TOKEN_HEAD)
        self.new_admin_token: Callable[[], NewKey] = tokens.new
        self.admin_token_digest: Callable[[str], bytes | None] = tokens.digest
        self.tag: Callable[[int, str], str] = Tags(pepper).tag
        self.keyed_digest: Callable[[str, str], str] = KeyedDigests(pepper).digest

    def __repr__(self) -> str:
        return f"MasterVault({self._master.id})"

    @property
    def master_key_id(self) -> str:
        return self._master.id

    def check_value(self) -> bytes:
        return self._master.check_value

    def seal_secret(self, secret: bytes | str, *place: str) -> bytes:
        # A process may run while the master key is changed. What the old key seals then would not open any more.
        master = self._newest() or self._master
        return envelope.seal(master, secret.encode() if isinstance(secret, str) else secret, place)

    def open_secret(self, blob: bytes, *place: str) -> str:
        return envelope.unseal(self._find, blob, place).decode()

    def sealed_by(self, blob: bytes) -> str:
        return envelope.sealed_by(blob)

    def rewrap_secret(self, blob: bytes, *place: str) -> bytes:
        return envelope.rewrap(self._find, self._master, blob, place)

    def new_signing_key(self) -> bytes:
        from softix_proxy.vault.signatures import SEED_BYTES  # late, because a daemon signs nothing

        return self.seal_secret(secrets.token_hex(SEED_BYTES), *SIGNING_KEY_PLACE)

    def signer(self, sealed: bytes) -> Signer:
        from softix_proxy.vault.signatures import Ed25519Signer

        return Ed25519Signer(bytes.fromhex(self.open_secret(sealed, *SIGNING_KEY_PLACE)))

    def hash_password(self, text: str) -> str:
        return passwords.hash_password(text)

    def verify_password(self, password_hash: str, text: str) -> bool:
        return passwords.verify_password(password_hash, text)

    def new_totp_secret(self) -> str:
        from softix_proxy.vault import one_time_codes  # late, because most daemons have no portal

        return one_time_codes.new_secret()

    def totp_step(self, secret: str, code: str, now_us: int) -> int | None:
        from softix_proxy.vault import one_time_codes

        return one_time_codes.matching_step(secret, code, now_us)

    def totp_uri(self, secret: str, *, account: str, issuer: str) -> str:
        from softix_proxy.vault import one_time_codes

        return one_time_codes.provisioning_uri(secret, account=account, issuer=issuer)

    def passkeys(self) -> PasskeyVerifier:
        try:
            from softix_proxy.vault.passkeys import WebAuthnPasskeys
        except ImportError:
            raise FailureError("passkeys are not installed", "run: pip install 'softix-proxy[passkeys]'") from None
        return WebAuthnPasskeys()


def new_identity(master: MasterKey) -> Identity:
    """Returns an identity with a new pepper.

    The pepper is random and not derived, so that API keys outlive a change of the master key.
    """
    pepper = secrets.token_bytes(PEPPER_BYTES)
    return Identity(master.id, master.check_value, envelope.seal(master, pepper, PEPPER_PLACE))


def open_vault(master: MasterKey, identity: Identity, ring: KeyRing) -> MasterVault:
    """Opens the vault. Raises FailureError if the pepper was sealed by a key that is not available."""
    return MasterVault(master, envelope.unseal(ring.find, identity.sealed_pepper, PEPPER_PLACE), ring)
