"""Finds out whose request this is."""

from __future__ import annotations

from softix_proxy.domain.access.keys import KeyStatus
from softix_proxy.domain.access.users import UserStatus
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.relay.core.plan import Caller

_UNKNOWN = "This is not a valid softix API key. Keys begin with sx_live_; ask your administrator for one."


def identify(directory: Directory, digest: bytes | None, address: str, now_us: int) -> Caller:
    """Returns the caller. `digest` is that of the key in the request, or None if there is no key or a malformed one.

    Raises RefusedError. An unknown key gets the same response as a malformed one.
    """
    key = None if digest is None else directory.keys.get(digest)
    if key is None:
        raise RefusedError(Code.INVALID_API_KEY, _UNKNOWN)
    if key.status is not KeyStatus.ACTIVE:
        raise RefusedError(Code.KEY_REVOKED, "This API key was revoked. Ask your administrator for a new one.")
    if key.is_expired(now_us):
        raise RefusedError(Code.KEY_EXPIRED, "This API key has expired. Ask your administrator for a new one.")
    user = directory.users[key.user_id]
    if user.status is not UserStatus.ACTIVE:
        raise RefusedError(Code.USER_DISABLED, "The account of this API key is disabled. Ask your administrator.")
    if not key.allows_address(address):
        raise RefusedError(Code.IP_NOT_ALLOWED, "This API key may not be used from this network address.")
    return Caller(user, key)
