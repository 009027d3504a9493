"""One OpenID provider: its published configuration, its keys, and the exchange of a code for verified claims.

The outside sources are OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (PKCE) and RFC 9207 (issuer in the answer).
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

from softix_proxy.domain.accounts.federated_identities import OidcClient, VerifiedClaims
from softix_proxy.domain.core.clock import SECOND_US, Clock
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.core.loopback import LOCAL_HOSTS
from softix_proxy.upstream.sockets import ForbiddenAddressError, Trust, open_socket

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

_TIMEOUT_S = 10
_MOST_BYTES = 1 << 20
_RENEWED_AFTER_US = 3600 * SECOND_US
_PAUSE_US = 5 * SECOND_US
"""How long nobody asks again for a configuration that could not be read. Those who wait would queue up meanwhile."""
_SLACK_S = 60
"""By how much the clocks of the two may differ."""
_OLDEST_S = 600
"""How old an ID token may be that comes straight from the provider."""
_MOST_TOKEN_LETTERS = 32_768
_MOST_SUBJECT_LETTERS = 255
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""The algorithms of public keys. `none` and those with a shared secret are not among them."""
_KEY_TYPES = ("RSA", "EC", "OKP")
"""The types of public keys. A shared secret among them would let anybody sign who reads them."""
_ANEW = {"prompt": "login", "max_age": "0"}
"""What makes a provider ask a person who is signed in there, and say when in `auth_time` (Core, 3.1.2.1)."""


@dataclass(slots=True)
class _Published:
    """What the provider publishes about itself, and when it was read."""

    document: Mapping[str, Any]
    read_at_us: int
    keys: KeySet | None = field(default=None, repr=False)


class HttpOpenIdProvider:
    """Implements domain.accounts.federated_identities.OpenIdProvider, and keeps what providers publish for an hour."""

    def __init__(self, clock: Clock, ca_file: Path | None = None) -> None:
        """Reads the file of certificate authorities at once. Raises FailureError."""
        self._clock = clock
        self._trust = Trust(ca_file)
        self._published: dict[str, _Published] = {}
        self._failed_at_us: dict[str, int] = {}
        self._lock = asyncio.Lock()

    async def authorization_url(
        self, client: OidcClient, *, state: str, nonce: str, code_challenge: str, is_anew: bool = False
    ) -> str:
        await asyncio.to_thread(_import_library)  # requests go on meanwhile
        published = await self._of(client.issuer)
        query = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "scope": " ".join(client.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
            **(_ANEW if is_anew else {}),
        }
        endpoint = _endpoint(published.document, "authorization_endpoint", client.issuer)
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def claims(
        self, client: OidcClient, *, code: str, code_verifier: str, nonce: str, answered_issuer: str | None
    ) -> VerifiedClaims:
        published = await self._of(client.issuer)
        says_issuer = published.document.get("authorization_response_iss_parameter_supported") is True
        if answered_issuer != client.issuer and (says_issuer or answered_issuer is not None):
            raise FailureError("the answer comes from another provider than was asked", "begin the sign-in again")
        tokens = await self._exchange(client, published, code, code_verifier)
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str) or len(id_token) > _MOST_TOKEN_LETTERS:
            raise _unusable("sent no ID token")
        claims = await self._verified(client, published, id_token)
        _check(claims, client, nonce, self._clock.now_us() // SECOND_US)
        if "email" not in claims and isinstance(tokens.get("access_token"), str):
            claims = {**await self._userinfo(client, published, tokens["access_token"], claims["sub"]), **claims}
        return VerifiedClaims(client.issuer, claims["sub"], claims)

    async def _of(self, issuer: str) -> _Published:
        """Returns what the provider publishes. Its own name must be the issuer, letter for letter (Discovery, 4.3)."""
        async with self._lock:
            known, now_us = self._published.get(issuer), self._clock.now_us()
            if known is None or not 0 <= now_us - known.read_at_us < _RENEWED_AFTER_US:
                if 0 <= now_us - self._failed_at_us.get(issuer, -_PAUSE_US) < _PAUSE_US:
                    raise _unreachable()
                self._failed_at_us[issuer] = now_us
                document = await self._json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                if document.get("issuer") != issuer:
                    raise FailureError(
                        "the provider names another issuer than oidc.issuer", "copy `issuer` from its configuration"
                    )
                known = self._published[issuer] = _Published(document, now_us)
                del self._failed_at_us[issuer]
            return known

    async def _exchange(
        self, client: OidcClient, published: _Published, code: str, code_verifier: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": code_verifier,
        }
        headers: dict[str, str] = {}
        methods = published.document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if not client.client_secret:
            form["client_id"] = client.client_id
        elif "client_secret_basic" in methods or "client_secret_post" not in methods:
            # both parts are form-encoded first (RFC 6749, 2.3.1)
            pair = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": client.client_id, "client_secret": client.client_secret}
        endpoint = _endpoint(published.document, "token_endpoint", client.issuer)
        return await self._json("POST", endpoint, data=form, headers=headers)

    async def _userinfo(
        self, client: OidcClient, published: _Published, access_token: str, subject: str
    ) -> Mapping[str, Any]:
        """Returns further claims. Their subject must be the ID token's (Core, 5.3.2)."""
        if "userinfo_endpoint" not in published.document:
            return {}
        endpoint = _endpoint(published.document, "userinfo_endpoint", client.issuer)
        told = await self._json("GET", endpoint, headers={"authorization": f"Bearer {access_token}"})
        if told.get("sub") != subject:
            raise _unusable("told about another person")
        return told

    async def _verified(self, client: OidcClient, published: _Published, id_token: str) -> dict[str, Any]:
        """Verifies the signature. An unknown key lets the keys be read once more, because providers change them."""
        from joserfc.errors import InvalidKeyIdError, JoseError

        for is_last in (published.keys is None, True):
            if published.keys is None or is_last:
                published.keys = await self._keys(client, published)
            try:
                return _decoded(id_token, published.keys)
            except InvalidKeyIdError:
                if is_last:
                    break
            except (JoseError, ValueError, TypeError, KeyError):
                break
        raise _unusable("sent an ID token whose signature is not right")

    async def _keys(self, client: OidcClient, published: _Published) -> KeySet:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        document = await self._json("GET", _endpoint(published.document, "jwks_uri", client.issuer))
        listed = document.get("keys")
        known = listed if isinstance(listed, list) else []
        usable = [key for key in known if isinstance(key, dict) and key.get("kty") in _KEY_TYPES]
        try:
            return KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError, KeyError):
            raise _unusable("publishes no usable keys") from None

    async def _json(
        self,
        method: str,
        url: str,
        *,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Sends one request, and returns the object of the answer. It follows no redirect."""
        connector = aiohttp.TCPConnector(socket_factory=open_socket, force_close=True, ssl=await self._trust.context())
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
                    trust_env=False,
                    cookie_jar=aiohttp.DummyCookieJar(),
                ) as session,
                session.request(
                    method,
                    url,
                    data=data,
                    headers={"accept": "application/json", **(headers or {})},
                    allow_redirects=False,
                ) as answer,
            ):
                body = await _body(answer)
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, ForbiddenAddressError):
                raise FailureError("the provider's host leads to a forbidden address", "check oidc.issuer") from None
            raise _unreachable() from None
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise _unreachable() from None
        if answer.status != 200:
            raise _unusable(f"answered {answer.status}")
        return _object(body)


def _import_library() -> None:
    """Raises FailureError, which says how to install it, if the library for signatures is missing."""
    try:
        from joserfc import jwt  # noqa: F401
    except ImportError:
        raise FailureError("sign-in by OpenID is not installed", "run: pip install 'softix-proxy[oidc]'") from None


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in answer.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > _MOST_BYTES:
            raise _unusable("sent too much")
    return b"".join(parts)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _unusable("sent no JSON object")
    return document


def _endpoint(document: Mapping[str, Any], name: str, issuer: str) -> str:
    """Returns an address that the provider publishes. It must be https, or on this machine if the issuer is."""
    url = document.get(name)
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is not None and parts.hostname and parts.scheme == "https":
        return str(url)
    if parts is not None and parts.scheme == "http" and {parts.hostname, urlsplit(issuer).hostname} <= LOCAL_HOSTS:
        return str(url)
    raise _unusable(f"publishes no usable {name}")


def _decoded(id_token: str, keys: KeySet) -> dict[str, Any]:
    """Returns the claims of a token whose signature is right, by the allowed algorithms only."""
    from joserfc import jwt
    from joserfc.jws import JWSRegistry

    registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the name EdDSA was replaced, and providers still use it (RFC 9864)
        return dict(jwt.decode(id_token, keys, algorithms=list(ALGORITHMS), registry=registry).claims)


def _check(claims: Mapping[str, Any], client: OidcClient, nonce: str, now_s: int) -> None:
    """Checks the claims by section 3.1.3.7 of OpenID Connect Core. Raises FailureError."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    expires_s, issued_s, subject = claims.get("exp"), claims.get("iat"), claims.get("sub")
    given_nonce, party = claims.get("nonce"), claims.get("azp")
    checks = {
        "of another issuer": claims.get("iss") == client.issuer,
        "for another program": isinstance(audiences, list)
        and client.client_id in audiences
        and party in ((client.client_id,) if len(audiences) > 1 else (None, client.client_id)),
        "that has expired": _is_time(expires_s) and expires_s > now_s - _SLACK_S,
        "of another time": _is_time(issued_s) and now_s - _OLDEST_S <= issued_s <= now_s + _SLACK_S,
        "for another sign-in": isinstance(given_nonce, str)
        and hmac.compare_digest(given_nonce.encode(), nonce.encode()),
        "without a subject": isinstance(subject, str) and 0 < len(subject) <= _MOST_SUBJECT_LETTERS,
    }
    for fault, is_right in checks.items():
        if not is_right:
            raise _unusable(f"sent an ID token {fault}")


def _is_time(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _unusable(what: str) -> FailureError:
    return FailureError(f"the OpenID provider {what}", "begin again; if it stays so, compare the settings of [oidc]")


def _unreachable() -> FailureError:
    return FailureError("the OpenID provider cannot be reached", "check oidc.issuer, and the machine's network and DNS")
