"""The expected codes are those of RFC 6238, appendix B, whose secret is the ASCII text 12345678901234567890."""

import base64
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from softix_proxy.vault.one_time_codes import matching_step, new_secret, provisioning_uri

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
STEP_US = 30_000_000


@pytest.mark.parametrize(
    ("second", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_code_of_the_standard_is_of_its_time_step(second: int, code: str) -> None:
    assert matching_step(RFC_SECRET, code, second * 1_000_000) == second // 30


@pytest.mark.parametrize(("steps", "is_accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_code_is_accepted_one_step_before_and_after_its_own(steps: int, is_accepted: bool) -> None:
    found = matching_step(RFC_SECRET, "050471", 1111111111 * 1_000_000 + steps * STEP_US)
    assert found == (1111111111 // 30 if is_accepted else None)


@pytest.mark.parametrize("code", ["", "05047", "0504711", "05047a", "０５０４７１", "-50471", "+50471"])
def test_text_that_is_no_code_is_of_no_step(code: str) -> None:
    assert matching_step(RFC_SECRET, code, 1111111111 * 1_000_000) is None


def test_code_with_spaces_is_read_as_its_digits() -> None:
    assert matching_step(RFC_SECRET, " 050 471 ", 1111111111 * 1_000_000) is not None


def test_new_secret_has_160_random_bits() -> None:
    secrets = {new_secret() for _ in range(20)}
    assert len(secrets) == 20 and all(len(base64.b32decode(secret)) == 20 for secret in secrets)


def test_provisioning_uri_names_the_account_the_site_and_the_secret() -> None:
    uri = urlsplit(provisioning_uri(RFC_SECRET, account="ada@example.org", issuer="softix portal.example.org"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path) == "/softix portal.example.org:ada@example.org"
    assert parse_qs(uri.query)["secret"] == [RFC_SECRET]
