import secrets

import pytest

from softix_proxy.vault.signatures import SEED_BYTES, Ed25519Signer, is_signed


def test_signature_is_valid_only_for_its_message_and_key() -> None:
    seed = secrets.token_bytes(SEED_BYTES)
    signer, other = Ed25519Signer(seed), Ed25519Signer(secrets.token_bytes(SEED_BYTES))
    signature = signer.sign(b"message")
    assert is_signed(signer.public_key, b"message", signature)
    assert Ed25519Signer(seed).public_key == signer.public_key and len(signer.public_key) == 64
    assert not is_signed(signer.public_key, b"messages", signature)
    assert not is_signed(other.public_key, b"message", signature)
    assert not is_signed(signer.public_key, b"message", signature[:-1] + bytes([signature[-1] ^ 1]))
    assert seed.hex() not in repr(signer)


@pytest.mark.parametrize("signature", [b"", b"x", b"x" * 63, b"x" * 64, b"x" * 65])
@pytest.mark.parametrize("key", ["", "xy", "00", "00" * 32, "ff" * 32])
def test_invalid_key_or_signature_is_not_valid(key: str, signature: bytes) -> None:
    assert not is_signed(key, b"message", signature)
