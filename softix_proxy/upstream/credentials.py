"""The providers' keys, opened when they are first needed."""

from __future__ import annotations

from softix_proxy.domain.providers import Provider, ProviderKey
from softix_proxy.domain.vault import Vault


class Credentials:
    """Keeps what it opened for as long as the provider's row stays the same."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._opened: dict[tuple[int, str], tuple[Provider, str | None, dict[str, str]]] = {}

    def of(self, provider: Provider, key: ProviderKey | None) -> tuple[str | None, dict[str, str]]:
        """The opened key, and the headers that prove it. Raises FailureError if it does not open."""
        place = provider.id, "" if key is None else key.label
        known = self._opened.get(place)
        if known is None or known[0] is not provider:
            secret = None if key is None else self._vault.open_secret(key.sealed, *provider.place_of(key))
            known = self._opened[place] = provider, secret, provider.profile.auth_headers(secret)
        return known[1], known[2]
