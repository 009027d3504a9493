import secrets
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from support.books import NOW_US, StoppedClock
from support.openid_server import CLIENT_ID, OpenIdServer, make_key, serving_openid, unsigned

from softix_proxy.domain.accounts.federated_identities import OidcClient, VerifiedClaims
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.operations.accounts.oidc import _s256
from softix_proxy.upstream.openid_provider import HttpOpenIdProvider

NOW_S = NOW_US // SECOND_US
VERIFIER = "v" * 64


@pytest.fixture
async def server() -> AsyncIterator[OpenIdServer]:
    async with serving_openid(NOW_S) as made:
        yield made


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def provider(clock: StoppedClock) -> HttpOpenIdProvider:
    return HttpOpenIdProvider(clock)


def client(server: OpenIdServer, **changes: Any) -> OidcClient:
    values = {
        "issuer": server.issuer,
        "client_id": CLIENT_ID,
        "client_secret": server.client_secret,
        "redirect_uri": "https://portal.example.org/oidc/callback",
        "scopes": ("openid", "email"),
    }
    return OidcClient(**{**values, **changes})


async def sign_in(
    server: OpenIdServer,
    provider: HttpOpenIdProvider,
    *,
    nonce: str = "nonce",
    verifier: str = VERIFIER,
    **changes: Any,
) -> VerifiedClaims:
    known = client(server, **changes)
    url = await provider.authorization_url(known, state="state", nonce="nonce", code_challenge=_s256(VERIFIER))
    server.browse(url)
    [code] = server.codes
    issuer = server.answer.get("iss", server.issuer) or None
    return await provider.claims(known, code=code, code_verifier=verifier, nonce=nonce, answered_issuer=issuer)


async def failed(server: OpenIdServer, provider: HttpOpenIdProvider, **changes: Any) -> str:
    with pytest.raises(FailureError) as failure:
        await sign_in(server, provider, **changes)
    error = failure.value
    told = f"{error!r} {error.message} {error.remedy}"
    assert (error.remedy and error.__suppress_context__) or error.__cause__ is None
    assert not any(secret in told for secret in (server.client_secret, VERIFIER, server.issuer, "ada@example.org"))
    return error.message


async def test_authorization_url_asks_anew_only_if_it_is_said_to(
    server: OpenIdServer, provider: HttpOpenIdProvider
) -> None:
    url = await provider.authorization_url(client(server), state="s", nonce="n", code_challenge="c", is_anew=True)
    assert url.endswith("&prompt=login&max_age=0")
    assert "prompt" not in await provider.authorization_url(client(server), state="s", nonce="n", code_challenge="c")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"])
async def test_claims_of_a_person_are_verified(
    server: OpenIdServer, provider: HttpOpenIdProvider, algorithm: str
) -> None:
    server.roll_key(algorithm)
    verified = await sign_in(server, provider)
    assert (verified.issuer, verified.subject) == (server.issuer, "ada-1")
    assert verified.claims["email"] == "ada@example.org" and "ada" not in repr(verified)


async def test_authorization_url_has_state_nonce_and_the_challenge(
    server: OpenIdServer, provider: HttpOpenIdProvider
) -> None:
    server.document["authorization_endpoint"] = f"{server.issuer}/authorize?tenant=1"
    url = await provider.authorization_url(client(server), state="s&=", nonce="n", code_challenge="c")
    assert url.startswith(
        f"{server.issuer}/authorize?tenant=1&response_type=code&client_id=softix&redirect_uri=https%3A"
    )
    assert url.endswith("&scope=openid+email&state=s%26%3D&nonce=n&code_challenge=c&code_challenge_method=S256")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example.net"},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"azp": "another"},
        {"aud": None},
        {"exp": NOW_S - 61},
        {"exp": None},
        {"exp": "never"},
        {"exp": True},
        {"iat": NOW_S + 61},
        {"iat": NOW_S - 601},
        {"iat": None},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "s" * 256},
    ],
    ids=str,
)
async def test_id_token_with_a_wrong_claim_is_refused(
    server: OpenIdServer, provider: HttpOpenIdProvider, claims: dict[str, Any]
) -> None:
    server.claims = claims
    assert "ID token" in await failed(server, provider)


@pytest.mark.parametrize(
    "claims", [{"aud": [CLIENT_ID]}, {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}, {"exp": NOW_S - 59}], ids=str
)
async def test_id_token_with_another_form_of_right_claims_is_accepted(
    server: OpenIdServer, provider: HttpOpenIdProvider, claims: dict[str, Any]
) -> None:
    server.claims = claims
    assert (await sign_in(server, provider)).subject == "ada-1"


async def test_id_token_without_a_signature_or_with_a_shared_secret_is_refused(
    server: OpenIdServer, provider: HttpOpenIdProvider
) -> None:
    claims = {"iss": server.issuer, "aud": CLIENT_ID, "sub": "ada-1", "nonce": "nonce", "iat": NOW_S, "exp": NOW_S + 60}
    public = server.key.as_pem(private=False)
    by_secret = OctKey.import_key(server.client_secret)
    forged = [
        unsigned(claims),
        unsigned(claims, {"alg": "None"}),
        unsigned(claims, {"alg": "RS256", "kid": server.key.kid}, "AAAA"),
        jwt.encode({"alg": "HS256"}, claims, by_secret, ["HS256"]),
        jwt.encode({"alg": "HS256", "kid": server.key.kid}, claims, OctKey.import_key(public.hex()), ["HS256"]),
        "",
        "a.b",
        "a.b.c",
        "." * 40_000,
        "é.é.é",
    ]
    for token in forged:
        server.id_token = token
        server.codes.clear()
        await failed(server, provider)


async def test_shared_secret_among_the_published_keys_verifies_nothing(
    server: OpenIdServer, provider: HttpOpenIdProvider
) -> None:
    server.key, server.algorithm = OctKey.generate_key(256, {"kid": "1"}), "HS256"
    await failed(server, provider)


async def test_token_signed_by_a_key_that_is_not_published_is_refused(
    server: OpenIdServer, provider: HttpOpenIdProvider
) -> None:
    published = server.key
    forger = make_key("RS256")
    claims = {"iss": server.issuer, "aud": CLIENT_ID, "sub": "ada-1", "nonce": "nonce", "iat": NOW_S, "exp": NOW_S + 60}
    server.id_token = jwt.encode({"alg": "RS256", "kid": published.kid}, claims, forger, ["RS256"])
    assert "signature" in await failed(server, provider)


async def test_keys_are_kept_and_read_once_more_for_an_unknown_one(
    server: OpenIdServer, provider: HttpOpenIdProvider
) -> None:
    await sign_in(server, provider)
    await sign_in(server, provider)
    assert server.seen.count("/keys") == 1 and server.seen.count("/.well-known/openid-configuration") == 1
    server.roll_key()
    await sign_in(server, provider)
    assert server.seen.count("/keys") == 2
    claims = {"sub": "ada-1"}
    server.id_token = jwt.encode({"alg": "RS256", "kid": "nobody"}, claims, server.key, ["RS256"])
    await failed(server, provider)
    assert server.seen.count("/keys") == 3


async def test_configuration_is_read_again_after_an_hour_or_if_the_clock_was_put_back(
    server: OpenIdServer, provider: HttpOpenIdProvider, clock: StoppedClock
) -> None:
    for moved_us, reads in ((0, 1), (3599 * SECOND_US, 1), (SECOND_US, 2), (-10 * SECOND_US, 3)):
        clock.us += moved_us
        await provider.authorization_url(client(server), state="s", nonce="n", code_challenge="c")
        assert server.seen.count("/.well-known/openid-configuration") == reads


@pytest.mark.parametrize("issuer", ["https://evil.example.net", "", "http://127.0.0.1:1/"])
async def test_configuration_of_another_issuer_is_refused(
    server: OpenIdServer, provider: HttpOpenIdProvider, issuer: str
) -> None:
    server.document["issuer"] = issuer
    assert "issuer" in await failed(server, provider)


@pytest.mark.parametrize("answered", ["https://evil.example.net", ""])
async def test_answer_of_another_issuer_is_refused_before_the_code_is_sent(
    server: OpenIdServer, provider: HttpOpenIdProvider, answered: str
) -> None:
    """RFC 9207: a code of one provider must not be sent to another."""
    server.answer["iss"] = answered
    assert "another provider" in await failed(server, provider)
    assert "/token" not in server.seen


async def test_answer_without_an_issuer_is_accepted_of_a_provider_that_never_names_it(
    server: OpenIdServer, provider: HttpOpenIdProvider
) -> None:
    server.document["authorization_response_iss_parameter_supported"] = None
    server.answer["iss"] = ""
    assert (await sign_in(server, provider)).subject == "ada-1"
    server.answer["iss"] = "https://evil.example.net"
    await failed(server, provider)


async def test_code_is_exchanged_only_with_its_verifier_and_the_client_secret(
    server: OpenIdServer, provider: HttpOpenIdProvider
) -> None:
    assert "400" in await failed(server, provider, verifier="w" * 64)
    assert "400" in await failed(server, provider, client_secret=secrets.token_urlsafe())
    assert "400" in await failed(server, provider, client_secret="")


async def test_client_secret_goes_in_the_form_where_the_provider_wants_it_there(
    server: OpenIdServer, provider: HttpOpenIdProvider
) -> None:
    server.auth_methods = ("client_secret_post",)
    server.client_secret = "s:e%c&r t"
    assert (await sign_in(server, provider)).subject == "ada-1"
    server.auth_methods = ("private_key_jwt", "client_secret_basic")
    other = HttpOpenIdProvider(StoppedClock())
    assert (await sign_in(server, other)).subject == "ada-1"


async def test_address_that_is_not_in_the_token_is_asked_for(
    server: OpenIdServer, provider: HttpOpenIdProvider
) -> None:
    server.claims = {"email": None, "email_verified": None}
    server.userinfo = {"sub": "ada-1", "email": "ada@example.com", "email_verified": True, "iss": "x"}
    verified = await sign_in(server, provider)
    assert verified.claims["email"] == "ada@example.com" and verified.claims["iss"] == server.issuer
    server.userinfo = {"sub": "eve-1", "email": "ada@example.com", "email_verified": True}
    assert "another person" in await failed(server, provider)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "url", [None, 7, "", "file:///etc/passwd", "http://login.example.org/x", "javascript:x", "//x"]
)
async def test_published_address_that_is_not_safe_is_refused(
    server: OpenIdServer, provider: HttpOpenIdProvider, name: str, url: Any
) -> None:
    server.document[name] = url
    assert name in await failed(server, provider)


@pytest.mark.parametrize(("path", "said"), [("moved", "302"), ("large", "too much"), ("nothing", "404")])
async def test_redirect_and_a_large_answer_are_refused(
    server: OpenIdServer, provider: HttpOpenIdProvider, path: str, said: str
) -> None:
    server.document["jwks_uri"] = f"{server.issuer}/{path}"
    assert said in await failed(server, provider)


@pytest.mark.parametrize(
    "keys", [None, [], [7], [{"kty": "RSA"}], [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]]
)
async def test_unusable_keys_are_refused(
    server: OpenIdServer, provider: HttpOpenIdProvider, keys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = HttpOpenIdProvider._json

    async def answer(self: HttpOpenIdProvider, method: str, url: str, **more: Any) -> dict[str, Any]:
        return {"keys": keys} if url.endswith("/keys") else await made(self, method, url, **more)

    monkeypatch.setattr(HttpOpenIdProvider, "_json", answer)
    await failed(server, provider)


async def test_provider_that_is_not_there_is_a_failure_with_a_remedy(provider: HttpOpenIdProvider) -> None:
    gone = OpenIdServer(issuer="http://127.0.0.1:1")
    assert "reached" in await failed(gone, provider)
    metadata = OpenIdServer(issuer="https://169.254.169.254")
    assert "forbidden" in await failed(metadata, provider)


async def test_file_of_authorities_that_is_not_there_is_told_at_once(tmp_path: Any) -> None:
    with pytest.raises(FailureError):
        HttpOpenIdProvider(StoppedClock(), tmp_path / "missing.pem")


async def test_missing_library_is_told_with_the_command_that_installs_it(
    server: OpenIdServer, provider: HttpOpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "joserfc", None)
    with pytest.raises(FailureError) as failure:
        await provider.authorization_url(client(server), state="s", nonce="n", code_challenge="c")
    assert failure.value.remedy == "run: pip install 'softix-proxy[oidc]'"


async def test_provider_whose_configuration_could_not_be_read_is_not_asked_for_some_seconds(
    server: OpenIdServer, provider: HttpOpenIdProvider, clock: StoppedClock
) -> None:
    server.document["issuer"] = "https://evil.example.net"
    for moved_us, reads in ((0, 1), (4_999_999, 1), (1, 2), (0, 2)):
        clock.us += moved_us
        await failed(server, provider)
        assert len(server.seen) == reads
    server.document.clear()
    clock.us += 5 * SECOND_US
    assert (await sign_in(server, provider)).subject == "ada-1"
