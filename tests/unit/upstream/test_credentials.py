import secrets
from dataclasses import replace
from typing import Any

import pytest

from softix_proxy.domain.catalog.providers import Provider, ProviderKey, ProviderStatus, ProviderType
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.upstream.credentials import Credentials, aws_region

SECRET = f"sk-{secrets.token_hex(16)}"
OPENAI = Provider(
    1, "prv_a", "a", ProviderType.OPENAI, "https://a.example", b"sealed", "cancel", ProviderStatus.ACTIVE, 1
)


class Vault:
    def __init__(self) -> None:
        self.opened: list[tuple[bytes, tuple[str, ...]]] = []

    def open_secret(self, blob: bytes, *place: str) -> str:
        self.opened.append((blob, place))
        if blob == b"damaged":
            raise FailureError("it does not open", "set it again")
        return SECRET


def of(credentials: Credentials, provider: Provider) -> tuple[str | None, object]:
    opened = credentials.of(provider, next(iter(provider.keys), None))
    assert opened.proof is not None
    return opened.proof.secret, opened.proof.headers


@pytest.fixture
def vault() -> Any:
    return Vault()


def test_credential_is_opened_once_at_its_place(vault: Any) -> None:
    credentials = Credentials(vault, SystemClock())
    for _ in range(3):
        assert of(credentials, OPENAI) == (SECRET, {"authorization": f"Bearer {SECRET}"})
    place = ("providers", "prv_a", "sealed_key", "https://a.example:443/")
    assert vault.opened == [(b"sealed", place)] and place == OPENAI.place_of(OPENAI.keys[0])


def test_credential_of_a_changed_provider_is_opened_anew(vault: Any) -> None:
    credentials = Credentials(vault, SystemClock())
    of(credentials, OPENAI)
    of(credentials, replace(OPENAI, base_url="https://b.example"))
    assert [place[3] for _, place in vault.opened] == ["https://a.example:443/", "https://b.example:443/"]


def test_credential_of_each_provider_type_has_its_own_header(vault: Any) -> None:
    credentials = Credentials(vault, SystemClock())
    assert of(credentials, replace(OPENAI, id=2, type=ProviderType.ANTHROPIC))[1] == {"x-api-key": SECRET}
    assert of(credentials, replace(OPENAI, id=3, sealed_key=None)) == (None, {})


def test_credential_that_does_not_open_raises_each_time(vault: Any) -> None:
    credentials = Credentials(vault, SystemClock())
    for _ in range(2):
        with pytest.raises(FailureError):
            of(credentials, replace(OPENAI, sealed_key=b"damaged"))
    assert len(vault.opened) == 2
    assert SECRET not in repr(credentials)


def test_credentials_of_several_keys_open_each_at_its_own_place(vault: Any) -> None:
    credentials = Credentials(vault, SystemClock())
    second = ProviderKey("pky_b", "second", b"other")
    provider = replace(OPENAI, more_keys=(second,))
    for key in (*provider.keys, *provider.keys):
        credentials.of(provider, key)
    assert [(blob, place[:2]) for blob, place in vault.opened] == [
        (b"sealed", ("providers", "prv_a")),
        (b"other", ("provider_keys", "pky_b")),
    ]


def test_credential_of_an_unknown_form_is_refused(vault: Any) -> None:
    vault.open_secret = lambda *_: '{"type": "external_account"}'
    with pytest.raises(BadInputError):
        of(Credentials(vault, SystemClock()), OPENAI)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://bedrock-runtime.eu-central-1.amazonaws.com/model/x", "eu-central-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com", "us-east-1"),
        ("https://api.example.com/bedrock-runtime.eu.x", None),
    ],
)
def test_aws_region_is_read_from_the_host(url: str, region: str | None) -> None:
    assert aws_region(url) == region
