"""The account at a provider that holds users' batches and files, and the requests about them."""

from __future__ import annotations

from typing import NamedTuple

from softix_proxy.domain.catalog.providers import Provider, ProviderKey
from softix_proxy.domain.core.headers import Headers
from softix_proxy.domain.ports.upstream import BodyRemainder, UpstreamRequest


class Account(NamedTuple):
    """An account at a provider."""

    provider: Provider
    key: ProviderKey | None

    @classmethod
    def of(cls, provider: Provider, label: str = "") -> Account:
        """Returns the account of the key with this label, or of the provider's first key if there is none."""
        key = next((key for key in provider.keys if key.label == label), None)
        return cls(provider, key or next(iter(provider.keys), None))

    @property
    def label(self) -> str:
        return "" if self.key is None else self.key.label

    def call(
        self,
        key_id: int,
        path: str,
        headers: Headers,
        *,
        method: str = "GET",
        body: bytes = b"",
        rest: BodyRemainder | None = None,
    ) -> UpstreamRequest:
        """Returns a request to the provider with the account's key. `key_id` is the API key for which it is made."""
        return UpstreamRequest(key_id, self.provider, path, headers, body, False, rest, self.key, method=method)
