import secrets

import pytest
from nacl.exceptions import InvalidkeyError
from nacl.pwhash import verify

from softix_proxy.vault.passwords import hash_password, nobodys_hash, parameters, verify_password


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


def test_parameters_are_the_beginning_of_every_new_hash() -> None:
    assert hash_password("x" * 8).startswith(parameters()) and parameters() == "$argon2id$v=19$m=65536,t=2,p=1$"


def test_hash_of_nobody_is_well_formed_and_verifies_nothing() -> None:
    """Otherwise it would be refused before any work, and an unknown address would be answered sooner."""
    hashed = nobodys_hash()
    assert [len(part) for part in hashed.split("$")] == [len(part) for part in hash_password("x" * 8).split("$")]
    with pytest.raises(InvalidkeyError):  # and not a ValueError for its form
        verify(hashed.encode(), b"")
    assert not verify_password(hashed, "")
