"""An attempt that came to nothing: what it says of the target, whether another may do better, what the client is told.

One rule for whatever asks a provider: requests, realtime sessions, and what is kept at one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from softix_proxy.dialects.classification import Classification, ClientError
from softix_proxy.dialects.errors import ProviderError
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.domain.quotas import retry_after_us
from softix_proxy.domain.routing import BUSY, KEY_REFUSED, REPEATABLE
from softix_proxy.domain.upstream import Header, Headers, ProviderFault
from softix_proxy.relay.fleet import Outcome

_SERVER_ERROR = 500
_ESCAPED = re.compile(rb'\\(?:u00([0-7][0-9A-Fa-f])|([/"\\]))')


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that came to nothing before the client had anything of it."""

    outcome: Outcome
    error: str
    """Its code."""
    fault: ProviderFault | None
    found: Classification | None = None
    """What the provider answered, where it did."""
    headers: tuple[Header, ...] = ()
    told: ClientError | None = field(default=None, repr=False)
    """What the client may have of it."""
    is_stream: bool = False
    wait_us: int | None = None
    """How long the provider asks to be left alone."""
    repeatable: bool = True
    """Another target, or the same once more, may do better."""


def of_fault(fault: ProviderFault) -> Failure:
    repeatable = fault.code is not Code.OUT_OF_FILES  # there is no connection for another target either
    return Failure(Outcome.of_fault(fault.code), fault.code.value, fault, repeatable=repeatable)


def of_answer(
    found: Classification, head: Headers, now_us: int, *, headers: Headers = (), secret: str | None = None
) -> Failure:
    """Of an error. `head` is the provider's, `headers` what of it the client may have, `secret` the key in use."""
    error = found.error or ProviderError.UNKNOWN.value
    return Failure(
        outcome=outcome_of(found),
        error=error,
        fault=None,
        found=found,
        headers=tuple(headers),
        told=tellable(found, secret),
        wait_us=retry_after_us(head, now_us),
        repeatable=found.status in REPEATABLE,
    )


def tellable(found: Classification, secret: str | None) -> ClientError | None:
    """What the provider said, unless its own key is in it."""
    told = found.told
    return None if told is None or (secret is not None and _has(told.body, secret.encode())) else told


def _has(body: bytes, secret: bytes) -> bool:
    """However JSON writes it: some servers escape each `/`, others more."""
    if secret in body:
        return True
    return b"\\" in body and secret in _ESCAPED.sub(_plain, body)


def _plain(escaped: re.Match[bytes]) -> bytes:
    return bytes((int(escaped[1], 16),)) if escaped[1] else escaped[2]


def unsayable(found: Classification | None) -> RefusedError:
    """What the client is told where the provider's own words are nothing for it."""
    if found is not None and found.error == ProviderError.NO_ANSWER:
        return RefusedError(Code.PROVIDER_BROKE_OFF, "The provider's answer is not what its API promises.")
    return RefusedError(Code.PROVIDER_REFUSED, "The provider refused softix. The operator has to look into it.")


def outcome_of(found: Classification) -> Outcome:
    """What an answer says of the target that gave it."""
    if found.error is None:
        return Outcome.DONE
    if found.status in KEY_REFUSED or found.error == ProviderError.QUOTA:
        return Outcome.REFUSED
    if found.status in BUSY:
        return Outcome.LIMITED
    return Outcome.FAILED if found.status >= _SERVER_ERROR else Outcome.DONE
