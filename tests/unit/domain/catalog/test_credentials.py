import json
import secrets

import pytest

from softix_proxy.domain.catalog.credentials import AwsKeys, EntraClient, GoogleAccount, normalise, parse
from softix_proxy.domain.core.errors import BadInputError

SECRET = secrets.token_hex(16)
ENTRA = {"tenant_id": "contoso.example", "client_id": "c", "client_secret": SECRET}
GOOGLE = {
    "type": "service_account",
    "client_email": "softix@p.iam.example",
    "private_key": f"-----BEGIN\n{SECRET}\n",
    "token_uri": "https://oauth2.example/token",
}
AWS = {"aws_access_key_id": "AKIA", "aws_secret_access_key": SECRET}


def test_credential_of_each_shape_is_parsed_to_its_kind() -> None:
    assert parse(f"sk-{SECRET}") == f"sk-{SECRET}"
    assert parse(json.dumps(ENTRA)) == EntraClient("contoso.example", "c", SECRET)
    assert parse(json.dumps(AWS)) == AwsKeys("AKIA", SECRET)
    assert parse(json.dumps(AWS | {"aws_session_token": "t"})) == AwsKeys("AKIA", SECRET, "t")
    assert parse(json.dumps(GOOGLE, indent=2)) == GoogleAccount(GOOGLE)
    assert parse(json.dumps(ENTRA | {"authority": "https://login.example"})) == EntraClient(
        "contoso.example", "c", SECRET, "https://login.example"
    )


def test_normalise_with_indented_document_returns_one_line() -> None:
    kept = normalise(json.dumps(GOOGLE, indent=2))
    assert "\n" not in kept and parse(kept) == GoogleAccount(GOOGLE)
    assert normalise(SECRET) == SECRET


@pytest.mark.parametrize("document", [ENTRA, GOOGLE, AWS])
def test_repr_of_credential_does_not_contain_the_secret(document: dict[str, str]) -> None:
    assert SECRET not in repr(parse(json.dumps(document)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "not an API key"),
        ("", "not an API key"),
        ("x" * 4097, "not an API key"),
        ("{", "neither a key nor JSON"),
        ("{" * 5000, "neither a key nor JSON"),
        ('{"type": "external_account"}', "no credential that softix knows"),
        (json.dumps(ENTRA | {"client_secret": ""}), "no client_secret"),
        (json.dumps(ENTRA | {"tenant_id": "a/../b"}), "tenant_id is none"),
        (json.dumps(ENTRA | {"scope": 7}), "no URL"),
        (json.dumps(AWS | {"aws_session_token": 1}), "no aws_session_token"),
        (json.dumps(GOOGLE | {"private_key": None}), "no private_key"),
        (json.dumps({"tenant_id": "x" * 20_000}), "neither a key nor JSON"),
    ],
    ids=range(12),
)
def test_credential_with_bad_text_is_refused_without_quoting_the_secret(text: str, message: str) -> None:
    with pytest.raises(BadInputError, match=message) as refused:
        normalise(text)
    assert SECRET not in f"{refused.value!r}{refused.value.remedy}"


@pytest.mark.parametrize("host", ["169.254.169.254", "metadata.google.internal", "[fd00:ec2::254]"])
def test_document_whose_tokens_come_from_a_metadata_service_is_refused(host: str) -> None:
    entra = {"tenant_id": "t", "client_id": "c", "client_secret": SECRET, "authority": f"http://{host}/"}
    google = {"type": "service_account", "client_email": "a", "private_key": SECRET, "token_uri": f"http://{host}/"}
    for document in (entra, google):
        with pytest.raises(BadInputError, match="a cloud keeps secrets") as refused:
            parse(json.dumps(document))
        assert SECRET not in str(refused.value)
