"""Sign-in at an OpenID provider: the way there, and the way back. What a person may do then is decided elsewhere.

The state is bound to the browser that began, so that nobody is signed in by a link that somebody else made.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Collection
from typing import NamedTuple

from softix_proxy.domain.accounts.ceremonies import CeremonyKind
from softix_proxy.domain.accounts.federated_identities import OidcClient, OpenIdProvider, VerifiedClaims
from softix_proxy.domain.accounts.oidc_section import OidcSection
from softix_proxy.domain.accounts.public_url import PublicUrl
from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.accounts.throttles import ThrottleRule
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.secret_tokens import new_token
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.accounts import ceremonies, throttles
from softix_proxy.operations.core.bound_secret import BoundSecret

CALLBACK = "/oidc/callback"
SECRET = BoundSecret("sealed_oidc_secret", "oidc_client", "oidc client secret")
_MOST_LETTERS = 1024
_VERIFIER_BYTES = 48
"""64 letters, of the 43 to 128 that RFC 7636 allows (section 4.1)."""
_THROTTLE = ThrottleRule("oidc_start", per_hour=240, burst=60)
"""How often a network may begin. Each one is a row for some minutes."""


class OidcAnswer(NamedTuple):
    """What the browser brought back, once the provider was asked."""

    kind: CeremonyKind
    """What the browser went there for."""
    verified: VerifiedClaims
    account_id: int | None
    """The account that was signed in when the way began, or None for a sign-in."""
    next_path: str


async def begin(
    storage: Storage,
    vault: Vault,
    provider: OpenIdProvider,
    section: OidcSection,
    url: PublicUrl,
    kind: CeremonyKind,
    *,
    browser: bytes,
    address: str,
    account_id: int | None = None,
    next_path: str = "/",
) -> str:
    """Returns where the browser goes. In order to confirm who it is, a person has to sign in anew there.

    Raises AccountRefusedError if no provider is set up, RefusedError for too many attempts, and FailureError.
    """
    known = await client(storage.reading(), vault, section, url)
    async with (
        storage.writing() as unit
    ):  # before the provider is asked, so that nobody makes softix ask it without end
        await throttles.take(unit, _THROTTLE, throttles.network_subject(vault, address))
    state, nonce = new_token(), new_token()
    code_verifier = secrets.token_urlsafe(_VERIFIER_BYTES)
    to = await provider.authorization_url(
        known,
        state=state,
        nonce=nonce,
        code_challenge=_s256(code_verifier),
        is_anew=kind is CeremonyKind.OIDC_CONFIRMATION,
    )
    content = {"nonce": nonce, "code_verifier": code_verifier, "issuer": known.issuer, "next": next_path}
    async with storage.writing() as unit:
        await ceremonies.begin(
            unit,
            vault,
            kind,
            content,
            reference=ceremonies.digest_of(state),
            browser=browser,
            account_id=account_id,
        )
    return to


async def finish(
    storage: Storage,
    vault: Vault,
    provider: OpenIdProvider,
    section: OidcSection,
    url: PublicUrl,
    kinds: Collection[CeremonyKind],
    *,
    browser: bytes,
    state: str,
    code: str,
    answered_issuer: str | None,
) -> OidcAnswer:
    """Ends the way of one of these kinds that `begin` began, and returns what the provider says about the person.

    Raises AccountRefusedError if it ended before, began in another browser, or the provider signed nobody in, and
    FailureError if its answer cannot be trusted.
    """
    known = await client(storage.reading(), vault, section, url)
    reference = ceremonies.digest_of(state)
    async with storage.writing() as unit:
        tried = {kind: await ceremonies.end(unit, vault, kind, reference=reference, browser=browser) for kind in kinds}
    found = [(kind, one) for kind, one in tried.items() if one is not None and one.content["issuer"] == known.issuer]
    if not found:
        raise AccountRefusedError(AccountRefusal.CEREMONY_ENDED)
    kind, ended = found[0]
    if not code:
        raise AccountRefusedError(AccountRefusal.PROVIDER_REFUSED)
    verified = await provider.claims(
        known,
        code=code,
        code_verifier=ended.content["code_verifier"],
        nonce=ended.content["nonce"],
        answered_issuer=answered_issuer,
    )
    return OidcAnswer(kind, verified, ended.account_id, ended.content["next"])


async def client(unit: Unit, vault: Vault, section: OidcSection, url: PublicUrl) -> OidcClient:
    """Returns how the provider knows softix. Raises AccountRefusedError, and FailureError if the secret does not open.

    Without a secret softix is a public client, which PKCE protects.
    """
    if section.issuer is None or section.client_id is None:
        raise AccountRefusedError(AccountRefusal.PROVIDER_MISSING)
    sealed, sealed_for = await SECRET.load(unit)
    is_ours = sealed is not None and sealed_for == _client_of(section)
    return OidcClient(
        issuer=section.issuer,
        client_id=section.client_id,
        client_secret=vault.open_secret(sealed, *SECRET.place(sealed_for)) if sealed is not None and is_ours else "",
        redirect_uri=f"{url.origin}{CALLBACK}",
        scopes=section.scopes,
    )


async def set_secret(storage: Storage, vault: Vault, section: OidcSection, secret: str) -> None:
    """Seals the client secret for the issuer and the client of the settings. Raises BadInputError.

    It opens for no other issuer, so that changed settings cannot send it elsewhere.
    """
    if not section.is_enabled:
        raise BadInputError(
            "a client secret belongs to an issuer and a client",
            "set oidc.issuer and oidc.client_id, then run this again",
        )
    if not 0 < len(secret) <= _MOST_LETTERS or not secret.isprintable():
        raise BadInputError("not a usable client secret", "give one line of text")
    async with storage.writing() as unit:
        await SECRET.store(unit, vault, secret, _client_of(section))


def _client_of(section: OidcSection) -> str:
    return f"{section.client_id} {section.issuer}"


def _s256(code_verifier: str) -> str:
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
