"""An OpenID provider on a local port. It signs in whoever a test names, with keys that are made at run time."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

CLIENT_ID = "softix"


def make_key(algorithm: str) -> Key:
    kid = {"kid": secrets.token_hex(4), "use": "sig"}
    if algorithm.startswith(("RS", "PS")):
        return RSAKey.generate_key(2048, kid)
    if algorithm.startswith("ES"):
        return ECKey.generate_key({"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm], kid)
    return OKPKey.generate_key("Ed25519", kid)


@dataclass
class OpenIdServer:
    """The provider, and what it does next."""

    issuer: str = ""
    algorithm: str = "RS256"
    key: Key = field(default_factory=lambda: make_key("RS256"))
    client_secret: str = field(default_factory=secrets.token_urlsafe)
    claims: dict[str, Any] = field(default_factory=dict)
    """The claims about the person, beside those of the protocol. One that is None is left out."""
    userinfo: dict[str, Any] | None = None
    document: dict[str, Any] = field(default_factory=dict)
    """What its configuration says instead."""
    answer: dict[str, str] = field(default_factory=dict)
    """What the answer to the browser says instead. An empty value leaves it out."""
    id_token: str | None = None
    """The ID token that it sends instead."""
    clock_s: int = 0
    auth_methods: tuple[str, ...] = ("client_secret_basic",)
    seen: list[str] = field(default_factory=list)
    """The paths that were asked for, in their order."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def roll_key(self, algorithm: str | None = None) -> None:
        """Signs with a new key from now on."""
        self.algorithm = algorithm or self.algorithm
        self.key = make_key(self.algorithm)

    def browse(self, url: str) -> str:
        """What the browser does when the person signs in: it is sent back to this address."""
        parts = urlsplit(url)
        assert url.startswith(f"{self.issuer}/authorize?"), url
        asked = dict(parse_qsl(parts.query))
        assert asked["code_challenge_method"] == "S256" and asked["response_type"] == "code"
        code = secrets.token_urlsafe()
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer, **self.answer}
        return f"{asked['redirect_uri']}?{urlencode({name: value for name, value in answer.items() if value})}"

    def signed(self, asked: dict[str, str]) -> str:
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "ada-1",
            "nonce": asked["nonce"],
            "iat": self.clock_s,
            "exp": self.clock_s + 300,
            "email": "ada@example.org",
            "email_verified": True,
            "name": "Ada Lovelace",
            **self.claims,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, told, self.key, [self.algorithm])

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request.path)
        if request.path == "/.well-known/openid-configuration":
            return web.json_response(self._configuration())
        if request.path == "/keys":
            return web.json_response({"keys": [self.key.as_dict(private=isinstance(self.key, OctKey))]})
        if request.path == "/authorize":
            raise web.HTTPFound(self.browse(str(request.url)))
        if request.path == "/token":
            return await self._token(request)
        if request.path == "/userinfo" and request.headers.get("authorization") == "Bearer access":
            return web.json_response(self.userinfo)
        if request.path == "/moved":
            raise web.HTTPFound("/keys")
        if request.path == "/large":
            return web.Response(body=b" " * (2 << 20))
        return web.Response(status=404)

    def _configuration(self) -> dict[str, Any]:
        made = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "token_endpoint_auth_methods_supported": list(self.auth_methods),
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }
        return {name: value for name, value in made.items() if value is not None}

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        asked = self.codes.pop(str(form.get("code")), None)
        digest = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_right = (
            asked is not None
            and challenge == asked["code_challenge"]
            and form.get("redirect_uri") == asked["redirect_uri"]
            and self._client_of(request, form) == (CLIENT_ID, self.client_secret)
        )
        if not is_right or asked is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        id_token = self.id_token if self.id_token is not None else self.signed(asked)
        return web.json_response({"access_token": "access", "token_type": "Bearer", "id_token": id_token})

    def _client_of(self, request: web.Request, form: Any) -> tuple[str, str]:
        if "client_secret_basic" in self.auth_methods:
            kind, _, text = request.headers.get("authorization", "").partition(" ")
            user, _, password = base64.b64decode(text).decode().partition(":") if kind == "Basic" else ("", "", "")
            return unquote(user), unquote(password)
        return str(form.get("client_id", "")), str(form.get("client_secret", ""))


@asynccontextmanager
async def serving_openid(clock_s: int) -> AsyncIterator[OpenIdServer]:
    made = OpenIdServer(clock_s=clock_s)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()


def unsigned(claims: dict[str, Any], header: dict[str, Any] | None = None, signature: str = "") -> str:
    """A token that no key signed, such as one of the algorithm `none`."""
    parts = [json.dumps(part).encode() for part in (header or {"alg": "none"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), signature])
