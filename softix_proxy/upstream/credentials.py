"""The providers' keys, opened when they are first needed."""

from __future__ import annotations

from softix_proxy.domain.providers import Provider
from softix_proxy.domain.vault import Vault


class Credentials:
    """Keeps what it opened for as long as the provider's row stays the same."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._opened: dict[int, tuple[Provider, str | None, dict[str, str]]] = {}

    def of(self, provider: Provider) -> tuple[str | None, dict[str, str]]:
        """The key, and the headers that prove it. Raises FailureError if it does not open."""
        known = self._opened.get(provider.id)
        if known is None or known[0] is not provider:
            key = None
            if provider.sealed_key is not None:
                key = self._vault.open_secret(provider.sealed_key, *provider.key_place)
            known = self._opened[provider.id] = provider, key, provider.profile.auth_headers(key)
        return known[1], known[2]
