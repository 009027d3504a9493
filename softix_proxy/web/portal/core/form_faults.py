"""How every form of the portal says what was wrong with it: in a sentence, with a status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import overload

from softix_proxy.domain.core.errors import ConflictError, FailureError, OperatorError

_STATUSES: Mapping[type[OperatorError], int] = {ConflictError: 409, FailureError: 503}


@overload
def sentence(error: OperatorError) -> str: ...
@overload
def sentence(error: OperatorError | None) -> str | None: ...
def sentence(error: OperatorError | None) -> str | None:
    """Returns what is wrong with a form, as a sentence. None stands for no error."""
    return None if error is None else f"{error.message[:1].upper()}{error.message[1:]}."


def status_of(error: OperatorError | None) -> int:
    """Returns the status of a page with a form.

    It is 409 for what others made impossible, 503 for what does not work now, and 400 for what the form has wrong.
    """
    if error is None:
        return 200
    return next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 400)
