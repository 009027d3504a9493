"""A failed attempt: what it shows about the target, whether another attempt may do better, and what the client gets.

The same rule applies to everything that calls a provider: requests, realtime sessions and stored objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from softix_proxy.dialects.core.classification import Classification, ClientError
from softix_proxy.dialects.core.errors import ProviderError
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.core.headers import Header, Headers
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.domain.routing.quotas import retry_after_us
from softix_proxy.domain.routing.selection import BUSY, KEY_REFUSED, REPEATABLE
from softix_proxy.relay.core.redaction import NOTHING_HIDDEN, Redaction
from softix_proxy.relay.routing.target_pool import AttemptOutcome

_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that failed before the client had anything of it."""

    outcome: AttemptOutcome
    error: str
    """The code of the error."""
    fault: ProviderFault | None
    found: Classification | None = None
    """The provider's response as it was classified. None if the provider did not respond."""
    headers: tuple[Header, ...] = ()
    told: ClientError | None = field(default=None, repr=False)
    """The part of the provider's error that the client may have."""
    is_stream: bool = False
    wait_us: int | None = None
    """The time for which the provider wants no further requests."""
    repeatable: bool = True
    """Whether another target, or another try at the same one, may do better."""


def of_fault(fault: ProviderFault) -> Failure:
    repeatable = fault.code is not Code.OUT_OF_FILES  # no connection is available for another target either
    return Failure(AttemptOutcome.of_fault(fault.code), fault.code.value, fault, repeatable=repeatable)


def of_answer(
    found: Classification, head: Headers, now_us: int, *, headers: Headers = (), hidden: Redaction = NOTHING_HIDDEN
) -> Failure:
    """Returns the failure that an error response means.

    `head` has the provider's headers, `headers` has those that the client may have, and `hidden` is the operator's.
    """
    error = found.error or ProviderError.UNKNOWN.value
    return Failure(
        outcome=outcome_of(found),
        error=error,
        fault=None,
        found=found,
        headers=tuple(headers),
        told=tellable(found, hidden),
        wait_us=retry_after_us(head, now_us),
        repeatable=found.status in REPEATABLE,
    )


def tellable(found: Classification, hidden: Redaction) -> ClientError | None:
    """Returns the provider's own error without what is the operator's, or None if it contains the provider's key."""
    told = found.told
    if told is None:
        return None
    body = hidden.error(told.body)
    return None if body is None else told if body is told.body else told._replace(body=body)


def unsayable(found: Classification | None) -> RefusedError:
    """Returns the error for the client if the provider's own words are unsuitable for it."""
    if found is not None and found.error == ProviderError.NO_ANSWER:
        return RefusedError(Code.PROVIDER_BROKE_OFF, "The provider's answer is not what its API promises.")
    return RefusedError(Code.PROVIDER_REFUSED, "The provider refused softix. The operator has to look into it.")


def outcome_of(found: Classification) -> AttemptOutcome:
    """Returns what a response shows about the target that gave it."""
    if found.error is None:
        return AttemptOutcome.DONE
    if found.status in KEY_REFUSED or found.error == ProviderError.QUOTA:
        return AttemptOutcome.REFUSED
    if found.status in BUSY:
        return AttemptOutcome.LIMITED
    return AttemptOutcome.FAILED if found.status >= _SERVER_ERROR else AttemptOutcome.DONE
