import secrets
import sys

import pytest

from softix_proxy.domain.catalog.credentials import AwsKeys
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.upstream.signing import signed

URL = "https://bedrock-runtime.eu-central-1.amazonaws.com/model/anthropic.claude-v1%3A0/converse"
HEADERS = {"host": "bedrock-runtime.eu-central-1.amazonaws.com", "content-type": "application/json"}


def test_signature_adds_its_headers_without_the_secret() -> None:
    secret, token = secrets.token_hex(20), secrets.token_hex(20)
    added = signed(AwsKeys("AKIAEXAMPLE", secret, token), "eu-central-1", URL, HEADERS, b"{}")
    assert set(added) == {"authorization", "x-amz-date", "x-amz-security-token"}
    assert added["x-amz-security-token"] == token
    assert added["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
    assert "/eu-central-1/bedrock/aws4_request" in added["authorization"]
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token" in added["authorization"]
    assert secret not in str(added)


def test_signature_of_another_body_differs() -> None:
    keys = AwsKeys("AKIAEXAMPLE", secrets.token_hex(20))
    one, other = (signed(keys, "us-east-1", URL, HEADERS, body)["authorization"] for body in (b"{}", b"[]"))
    assert one.rpartition("Signature=")[2] != other.rpartition("Signature=")[2]


def test_signature_without_botocore_raises_a_failure_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    with pytest.raises(FailureError, match="not installed") as failure:
        signed(AwsKeys("a", "b"), "us-east-1", URL, HEADERS, b"")
    assert "softix-proxy[bedrock]" in failure.value.remedy
