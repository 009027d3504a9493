import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.vault.envelope import rewrap, seal, sealed_by, unseal
from softix_proxy.vault.master_key import MasterKey

PLACE = ("providers", "prv_1", "sealed_key", "https://a:443/")
OLD, NEW = MasterKey(secrets.token_bytes(32)), MasterKey(secrets.token_bytes(32))


def find(key_id: str) -> MasterKey:
    return {OLD.id: OLD, NEW.id: NEW}[key_id]


@given(st.binary(max_size=200), st.lists(st.text(max_size=9), min_size=1, max_size=4))
def test_envelope_opens_at_the_place_where_it_was_sealed(secret: bytes, place: list[str]) -> None:
    blob = seal(OLD, secret, place)
    assert unseal(find, blob, place) == secret
    assert sealed_by(blob) == OLD.id
    assert len(blob) == 97 + len(secret)
    if len(secret) > 3:
        assert secret not in blob


@given(st.lists(st.text(max_size=3), min_size=1, max_size=4), st.lists(st.text(max_size=3), min_size=1, max_size=4))
def test_envelope_at_another_place_does_not_open(place: list[str], other: list[str]) -> None:
    blob = seal(OLD, b"secret", place)
    if place != other:
        with pytest.raises(FailureError, match="moved or damaged"):
            unseal(find, blob, other)


@pytest.mark.parametrize("other", [("ab", "c"), ("a", "bc", ""), ("abc",), ("bc", "a")])
def test_envelope_at_a_similar_place_does_not_open(other: tuple[str, ...]) -> None:
    with pytest.raises(FailureError):
        unseal(find, seal(OLD, b"secret", ("a", "bc")), other)


def test_envelopes_of_one_secret_have_different_bytes() -> None:
    first, second = seal(OLD, b"secret", PLACE), seal(OLD, b"secret", PLACE)
    assert first[:9] == second[:9]
    assert first[9:21] != second[9:21]
    assert first[69:81] != second[69:81]
    assert first[81:] != second[81:]


def test_envelope_with_a_flipped_bit_does_not_open() -> None:
    secret = secrets.token_bytes(8)
    blob = seal(OLD, secret, PLACE)
    for at in range(len(blob) * 8):
        damaged = bytearray(blob)
        damaged[at // 8] ^= 1 << at % 8
        with pytest.raises((FailureError, KeyError)) as caught:
            unseal(find, bytes(damaged), PLACE)
        if isinstance(caught.value, FailureError):
            assert caught.value.remedy
            assert caught.value.__suppress_context__ or caught.value.__context__ is None
            assert secret.hex() not in str(caught.value)


@pytest.mark.parametrize("cut", [0, 1, 8, 21, 68, 96])
def test_envelope_that_is_cut_is_refused(cut: int) -> None:
    with pytest.raises(FailureError, match="unknown form"):
        sealed_by(seal(OLD, b"", PLACE)[:cut])


def test_envelope_with_a_forged_key_id_does_not_open() -> None:
    blob = seal(OLD, b"secret", PLACE)
    with pytest.raises(FailureError):
        unseal(lambda _: OLD, blob[:1] + bytes.fromhex(NEW.id) + blob[9:], PLACE)


def test_rewrapped_envelope_opens_only_by_the_new_key() -> None:
    blob = seal(OLD, b"secret", PLACE)
    again = rewrap(find, NEW, blob, PLACE)
    assert sealed_by(again) == NEW.id
    assert again[69:] == blob[69:]
    assert unseal({NEW.id: NEW}.__getitem__, again, PLACE) == b"secret"


def test_envelope_that_does_not_open_is_not_rewrapped() -> None:
    blob = seal(OLD, b"secret", PLACE)
    with pytest.raises(FailureError):
        rewrap(find, NEW, blob, (*PLACE[:-1], "https://b:443/"))
    with pytest.raises(FailureError):
        rewrap(find, NEW, blob[:-1] + bytes([blob[-1] ^ 1]), PLACE)
