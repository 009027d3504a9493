"""The headers that every answer of the portal has, so that browsers do nothing that no page needs."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.core.headers import Header

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; {script}form-action 'self'{forms}; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""Nothing is inline, nothing is loaded from elsewhere, and no other site shows a page in a frame."""
_YEAR_S = 365 * 86_400
_FEATURES = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "fullscreen",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "usb",
    "xr-spatial-tracking",
)
"""What no page uses. Passkeys are not among them."""
_FIXED: Sequence[Header] = (
    # `no-referrer` would make browsers send `Origin: null` with a form, and it would be refused
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", ", ".join(f"{feature}=()" for feature in _FEATURES)),
)
NO_STORE = "no-store"
FOREVER = f"public, max-age={_YEAR_S}, immutable"


def security_headers(
    *, is_https: bool, forms_to: Sequence[str] = (), has_script: bool = False, is_forever: bool = False
) -> list[Header]:
    """Returns the headers of an answer. `forms_to` are origins to which a form of the page may lead."""
    policy = _CONTENT_SECURITY_POLICY.format(
        script="script-src 'self'; connect-src 'self'; " if has_script else "",
        forms="".join(f" {origin}" for origin in forms_to),
    )
    headers = [*_FIXED, ("Content-Security-Policy", policy), ("Cache-Control", FOREVER if is_forever else NO_STORE)]
    if is_https:
        headers.append(("Strict-Transport-Security", f"max-age={_YEAR_S}"))
    return headers
