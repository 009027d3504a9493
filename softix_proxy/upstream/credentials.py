"""What proves to the providers who pays: opened when it is first needed, and made anew where it is short-lived."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from softix_proxy.domain.clock import Clock
from softix_proxy.domain.credentials import AwsKeys, Credential, parse
from softix_proxy.domain.errors import FailureError
from softix_proxy.domain.providers import Provider, ProviderKey
from softix_proxy.domain.vault import Vault
from softix_proxy.upstream.signing import signed

if TYPE_CHECKING:
    from softix_proxy.upstream.tokens import Tokens

_REGION = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
_SIGNED = frozenset(("content-type",))
"""Of the headers: others may be changed on the way."""


class RequestProof(NamedTuple):
    secret: str | None
    """What must not come back to a client."""
    headers: Mapping[str, str]


class OpenedCredential(NamedTuple):
    provider: Provider
    place: str
    """Tells credentials apart, and one from that which takes its place."""
    credential: Credential | None
    proof: RequestProof | None
    """The same for each request; None: each is proved for itself."""


_NOTHING = RequestProof(None, {})


class Credentials:
    """Keeps what it opened for as long as the provider's row stays the same."""

    def __init__(self, vault: Vault, clock: Clock, ca_file: Path | None = None) -> None:
        self._vault = vault
        self._clock = clock
        self._ca_file = ca_file
        self._tokens: Tokens | None = None
        self._opened: dict[tuple[int, str], OpenedCredential] = {}

    def of(self, provider: Provider, key: ProviderKey | None) -> OpenedCredential:
        """Raises FailureError if it does not open, BadInputError if what is in it is no credential."""
        place = provider.id, "" if key is None else key.label
        known = self._opened.get(place)
        if known is None or known.provider is not provider:
            known = self._opened[place] = self._open(provider, key)
        return known

    async def prove(self, opened: OpenedCredential, url: str, headers: Mapping[str, str], body: bytes) -> RequestProof:
        """For one POST of this body, where `opened` has no proof. Raises FailureError."""
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
            from softix_proxy.upstream.tokens import Tokens  # late: most providers want a key and no token

            self._tokens = Tokens(self._clock, self._ca_file)
        token = await self._tokens.of(opened.place, credential)
        return RequestProof(token, {"authorization": f"Bearer {token}"})

    def forget(self, opened: OpenedCredential) -> None:
        """The provider did not take it: the next request fetches another one."""
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
    """As the host of a Bedrock runtime names it."""
    found = _REGION.search(urlsplit(url).hostname or "")
    return found[1] if found else None
