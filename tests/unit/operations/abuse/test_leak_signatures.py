"""The example of the programme's documents cannot be verified offline, because its public key is not in them."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from softix_proxy.operations.abuse.leak_signatures import is_signed_by_host

BODY = b'[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]'


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def secret() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def file(tmp_path: Path, secret: ec.EllipticCurvePrivateKey) -> Path:
    keys = {"a": pem_of(secret), "rsa": pem_of(rsa.generate_private_key(65537, 2048)), "broken": "PEM", "number": 7}
    place = tmp_path / "keys.json"
    place.write_text(json.dumps({"public_keys": [{"key_identifier": name, "key": key} for name, key in keys.items()]}))
    return place


def test_body_that_the_named_key_signed_is_of_the_host(file: Path, secret: ec.EllipticCurvePrivateKey) -> None:
    signature = b64encode(secret.sign(BODY, ec.ECDSA(SHA256()))).decode()
    assert is_signed_by_host(file, "a", signature, BODY)
    assert not is_signed_by_host(file, "a", signature, BODY.replace(b"commit", b"issues"))
    assert not is_signed_by_host(file, "a", signature[:-4], BODY)
    assert not is_signed_by_host(file, "a", f"{signature}!", BODY)
    assert not is_signed_by_host(None, "a", signature, BODY)
    for identifier in ("", "b", "rsa", "broken", "number"):
        assert not is_signed_by_host(file, identifier, signature, BODY)
