"""Checks the answers of passkeys (W3C Web Authentication, level 3), by the library `webauthn`.

A passkey must verify its person, by a finger or a PIN. Which device it is does not matter, so no attestation is asked
for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from softix_proxy.domain.accounts.refusals import AccountRefusal, AccountRefusedError
from softix_proxy.domain.ports.vault import NewPasskey, PasskeyAnswer, PasskeySubject, RelyingParty

_TIMEOUT_MS = 5 * 60 * 1000
_ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
"""The algorithms that WebAuthn recommends (5.4, pubKeyCredParams)."""
_MOST_LETTERS = 12_000
"""The most letters of an answer. A body of the portal has 16 KiB."""


class WebAuthnPasskeys:
    """Implements domain.ports.vault.PasskeyVerifier."""

    def creation_options(
        self, party: RelyingParty, subject: PasskeySubject, challenge: bytes, known: Sequence[bytes]
    ) -> str:
        options = generate_registration_options(
            rp_id=party.id,
            rp_name=party.name,
            user_id=subject.handle,
            user_name=subject.name,
            user_display_name=subject.display_name,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
            supported_pub_key_algs=_ALGORITHMS,
        )
        return options_to_json(options)

    def request_options(self, party: RelyingParty, challenge: bytes, allowed: Sequence[bytes]) -> str:
        options = generate_authentication_options(
            rp_id=party.id,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in allowed],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def verify_creation(self, party: RelyingParty, challenge: bytes, answer: str) -> NewPasskey:
        try:
            made = verify_registration_response(
                credential=_checked(answer),
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                require_user_verification=True,
                supported_pub_key_algs=_ALGORITHMS,
            )
        except Exception:  # noqa: BLE001 - the library lets many kinds of errors of a malformed answer out
            raise _refused() from None
        return NewPasskey(made.credential_id, made.credential_public_key, made.sign_count)

    def read_answer(self, answer: str) -> PasskeyAnswer:
        try:
            credential = parse_authentication_credential_json(_checked(answer))
        except Exception:  # noqa: BLE001 - the library lets many kinds of errors of a malformed answer out
            raise _refused() from None
        return PasskeyAnswer(credential.raw_id, credential.response.user_handle)

    def verify_request(
        self, party: RelyingParty, challenge: bytes, answer: str, *, public_key: bytes, sign_count: int
    ) -> int:
        try:
            verified = verify_authentication_response(
                credential=_checked(answer),
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                credential_public_key=public_key,
                credential_current_sign_count=sign_count,
                require_user_verification=True,
            )
        except Exception:  # noqa: BLE001 - the library lets many kinds of errors of a malformed answer out
            raise _refused() from None
        return verified.new_sign_count


def _checked(answer: str) -> str:
    """Returns the text if it can be an answer. The library reads it again, and trusts that it is a small object."""
    if len(answer) > _MOST_LETTERS or not isinstance(json.loads(answer), dict):
        raise ValueError("not an answer of a passkey")
    return answer


def _refused() -> AccountRefusedError:
    return AccountRefusedError(AccountRefusal.PASSKEY_REFUSED)
