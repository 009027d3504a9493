"""The credentials for providers, which are opened when they are first needed, and renewed if they are short-lived."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from softix_proxy.domain.catalog.credentials import AwsKeys, Credential, parse
from softix_proxy.domain.catalog.providers import Provider, ProviderKey
from softix_proxy.domain.core.clock import Clock
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.upstream.signing import signed

if TYPE_CHECKING:
    from softix_proxy.upstream.tokens import Tokens

_REGION = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
_SIGNED = frozenset(("content-type",))
"""The headers that a signature covers. Others may be changed on the way."""


class RequestProof(NamedTuple):
    secret: str | None
    """The secret that must not come back to a client."""
    headers: Mapping[str, str]


class OpenedCredential(NamedTuple):
    provider: Provider
    place: str
    """The key of the cache, which differs between credentials, and between one and its replacement."""
    credential: Credential | None
    proof: RequestProof | None
    """The proof that is the same for each request. None means that each request needs its own."""


_NOTHING = RequestProof(None, {})


class Credentials:
    """Caches what it opened for as long as the provider's row stays the same."""

    def __init__(self, vault: Vault, clock: Clock, ca_file: Path | None = None) -> None:
        self._vault = vault
        self._clock = clock
        self._ca_file = ca_file
        self._tokens: Tokens | None = None
        self._opened: dict[tuple[int, str], OpenedCredential] = {}

    def of(self, provider: Provider, key: ProviderKey | None) -> OpenedCredential:
        """Returns the credential.

        Raises FailureError if it does not open, and BadInputError if its content is no credential.
        """
        place = provider.id, "" if key is None else key.label
        known = self._opened.get(place)
        if known is None or known.provider is not provider:
            known = self._opened[place] = self._open(provider, key)
        return known

    async def prove(self, opened: OpenedCredential, url: str, headers: Mapping[str, str], body: bytes) -> RequestProof:
        """Returns the proof for one POST of this body, if `opened` has none. Raises FailureError."""
        credential = opened.credential
        if isinstance(credential, AwsKeys):
            region = aws_region(url) or opened.provider.region
            if region is None:
                raise FailureError("the base URL names no AWS region", "give the provider one, with --region")
            covered = {name: value for name, value in headers.items() if name in _SIGNED}
            covered["host"] = urlsplit(url).netloc
            return RequestProof(credential.access_key_id, signed(credential, region, url, covered, body))
        if credential is None or isinstance(credential, str):
            return opened.proof or _NOTHING
        if self._tokens is None:
            from softix_proxy.upstream.tokens import Tokens  # late, because most providers need a key and no token

            self._tokens = Tokens(self._clock, self._ca_file)
        token = await self._tokens.of(opened.place, credential)
        return RequestProof(token, {"authorization": f"Bearer {token}"})

    def forget(self, opened: OpenedCredential) -> None:
        """Forgets a token that the provider did not accept, so that the next request fetches another one."""
        if self._tokens is not None:
            self._tokens.forget(opened.place)

    def _open(self, provider: Provider, key: ProviderKey | None) -> OpenedCredential:
        if key is None:
            return OpenedCredential(provider, "", None, _NOTHING)
        secret = self._vault.open_secret(key.sealed, *provider.place_of(key))
        credential = parse(secret)
        plain = isinstance(credential, str)
        proof = RequestProof(secret, provider.profile.auth_headers(secret)) if plain else None
        return OpenedCredential(provider, key.sealed.hex(), credential, proof)


def aws_region(url: str) -> str | None:
    """Returns the region that the host name of a Bedrock runtime contains."""
    found = _REGION.search(urlsplit(url).hostname or "")
    return found[1] if found else None
