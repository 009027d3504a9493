"""The codes of authenticator apps (RFC 6238): six digits, SHA-1, steps of 30 seconds, as every app knows them."""

from __future__ import annotations

import hmac

import pyotp

from softix_proxy.domain.core.clock import SECOND_US

_STEP_S = 30
_WINDOW = 1
"""The steps before and after the present one that are accepted, for clocks that differ (RFC 6238, 5.2)."""
_SECRET_LETTERS = 32
"""160 bits in base 32, the length that RFC 4226 recommends (section 4, R6)."""
_DIGITS = 6


def new_secret() -> str:
    return pyotp.random_base32(_SECRET_LETTERS)


def matching_step(secret: str, code: str, now_us: int) -> int | None:
    """Returns the time step of which this is the code, or None. Spaces between the digits are ignored.

    Every step of the window is calculated, so that the time it takes tells nothing.
    """
    digits = "".join(code.split())
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    codes, now_step = pyotp.TOTP(secret, digits=_DIGITS, interval=_STEP_S), now_us // SECOND_US // _STEP_S
    found = None
    for step in range(now_step - _WINDOW, now_step + _WINDOW + 1):
        if hmac.compare_digest(codes.generate_otp(step), digits):
            found = step
    return found


def provisioning_uri(secret: str, *, account: str, issuer: str) -> str:
    """Returns what the QR code for an app says: `otpauth://totp/…`."""
    codes = pyotp.TOTP(secret, digits=_DIGITS, interval=_STEP_S)
    return codes.provisioning_uri(name=account, issuer_name=issuer)
