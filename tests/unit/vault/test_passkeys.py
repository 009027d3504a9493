import json
import secrets

import pytest
from support.authenticator import PRESENT, VERIFIED, Authenticator, decoded, encoded

from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.ports.vault import NewPasskey, PasskeySubject, RelyingParty
from softix_proxy.vault.passkeys import WebAuthnPasskeys

PARTY = RelyingParty("portal.example.org", "https://portal.example.org", "softix")
SUBJECT = PasskeySubject(b"acc_ada", "ada@example.org", "Ada")
CHECKS = WebAuthnPasskeys()


def made(device: Authenticator, challenge: bytes | None = None) -> NewPasskey:
    asked = secrets.token_bytes(32)
    answer = device.create(CHECKS.creation_options(PARTY, SUBJECT, asked, ()))
    return CHECKS.verify_creation(PARTY, challenge or asked, answer)


def used(device: Authenticator, passkey: NewPasskey, challenge: bytes | None = None) -> int:
    asked = secrets.token_bytes(32)
    answer = device.get(CHECKS.request_options(PARTY, asked, [passkey.credential_id]))
    count = passkey.sign_count
    return CHECKS.verify_request(PARTY, challenge or asked, answer, public_key=passkey.public_key, sign_count=count)


def test_new_passkey_signs_in_and_counts() -> None:
    device = Authenticator(PARTY.origin)
    passkey = made(device)
    assert passkey.credential_id == device.credential_id and passkey.sign_count == 1
    assert used(device, passkey) == 2


def test_passkey_that_never_counts_signs_in_again() -> None:
    device = Authenticator(PARTY.origin, count=0)
    passkey = made(device)
    assert (used(device, passkey), used(device, passkey)) == (0, 0)


def test_creation_options_ask_for_a_discoverable_credential_that_verifies_its_person() -> None:
    known = secrets.token_bytes(16)
    options = json.loads(CHECKS.creation_options(PARTY, SUBJECT, b"c" * 32, [known]))
    assert options["rp"] == {"id": "portal.example.org", "name": "softix"}
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert [decoded(each["id"]) for each in options["excludeCredentials"]] == [known]
    assert options["attestation"] == "none" and decoded(options["user"]["id"]) == b"acc_ada"
    assert [each["alg"] for each in options["pubKeyCredParams"]] == [-8, -7, -257]


def test_request_options_name_the_site_and_ask_for_verification() -> None:
    options = json.loads(CHECKS.request_options(PARTY, b"c" * 32, ()))
    assert options["rpId"] == "portal.example.org" and options["userVerification"] == "required"
    assert options["allowCredentials"] == [] and decoded(options["challenge"]) == b"c" * 32


@pytest.mark.parametrize(
    "device",
    [
        Authenticator("https://evil.example.net"),
        Authenticator("http://portal.example.org"),
        Authenticator(PARTY.origin, rp_id="example.org"),
        Authenticator(PARTY.origin, flags=PRESENT),
        Authenticator(PARTY.origin, flags=VERIFIED),
    ],
    ids=["another origin", "another scheme", "another site", "nobody verified", "nobody present"],
)
def test_passkey_of_another_site_or_without_its_person_is_refused(device: Authenticator) -> None:
    with pytest.raises(AccountRefusedError) as refused:
        made(device)
    assert refused.value.reason is AccountRefusal.PASSKEY_REFUSED and refused.value.__suppress_context__
    right = Authenticator(PARTY.origin, credential_id=device.credential_id, key=device.key)
    with pytest.raises(AccountRefusedError):
        used(device, made(right))


def test_answer_to_another_challenge_is_refused() -> None:
    device = Authenticator(PARTY.origin)
    with pytest.raises(AccountRefusedError):
        made(device, b"x" * 32)
    passkey = made(Authenticator(PARTY.origin, credential_id=device.credential_id, key=device.key))
    with pytest.raises(AccountRefusedError):
        used(device, passkey, b"x" * 32)


def test_answer_signed_by_another_key_is_refused() -> None:
    device = Authenticator(PARTY.origin)
    passkey = made(device)
    with pytest.raises(AccountRefusedError):
        used(Authenticator(PARTY.origin, credential_id=device.credential_id, count=9), passkey)


def test_count_that_does_not_grow_is_refused() -> None:
    device = Authenticator(PARTY.origin, count=5)
    passkey = made(device)
    for count in (5, 4, 0):
        device.count = count
        with pytest.raises(AccountRefusedError):
            used(device, passkey)


@pytest.mark.parametrize(
    "answer", ["", "x", "[]", "{}", "null", "[" * 50_000, '{"id": 1}', json.dumps({"id": "a" * 20_000}), "\ud800"]
)
def test_answer_of_another_form_is_refused(answer: str) -> None:
    for check in (
        lambda: CHECKS.read_answer(answer),
        lambda: CHECKS.verify_creation(PARTY, b"c" * 32, answer),
        lambda: CHECKS.verify_request(PARTY, b"c" * 32, answer, public_key=b"", sign_count=0),
    ):
        with pytest.raises(AccountRefusedError):
            check()


def test_answer_names_its_credential_and_its_account() -> None:
    device = Authenticator(PARTY.origin)
    made(device)
    read = CHECKS.read_answer(device.get(CHECKS.request_options(PARTY, b"c" * 32, ())))
    assert (read.credential_id, read.handle) == (device.credential_id, b"acc_ada")
    assert "acc_ada" not in repr(read) and encoded(device.credential_id) not in repr(read)
