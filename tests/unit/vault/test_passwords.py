import secrets

import pytest

from softix_proxy.vault.passwords import hash_password, verify_password


def test_password_hash_verifies_only_its_password() -> None:
    text = secrets.token_urlsafe(12)
    hashed = hash_password(text)
    assert hashed.startswith("$argon2id$v=19$m=65536,t=2,p=1$")
    assert text not in hashed
    assert verify_password(hashed, text)
    assert not verify_password(hashed, text + "x")
    assert hash_password(text) != hashed


@pytest.mark.parametrize("hashed", ["", "x", "$argon2id$", "$argon2id$v=19$m=65536,t=2,p=1$x$y", "é"])
def test_broken_password_hash_verifies_nothing(hashed: str) -> None:
    assert not verify_password(hashed, "x")
