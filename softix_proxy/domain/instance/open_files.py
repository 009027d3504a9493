"""The limit of open files and connections of this process, and the number of clients that it is enough for."""

from __future__ import annotations

import errno
import os
import resource

from softix_proxy.domain.core.errors import FailureError

_RESERVED = 32
"""The files for the database, the log, the event loop and the listeners.

These are 24 when idle, and a few that are open for a moment.
"""
_FOR_EACH_CLIENT = 2
"""The client's connection, and one to a provider."""
_HIGHEST = 1 << 20
"""The limit that is set if the hard limit is higher, or there is none."""
_OUT = (errno.EMFILE, errno.ENFILE)
_KEPT_FREE = 8
"""One part in so many is kept free of any single client."""
RAISE_IT = "raise the limit: LimitNOFILE= of the service, ulimits of the container, or ulimit -n"


def raise_limit() -> None:
    """Raises the soft limit to the hard limit, which needs no privilege."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _HIGHEST if hard == resource.RLIM_INFINITY else min(hard, _HIGHEST)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # macOS has another limit below the hard one. The present limit has to be enough.
        return


def limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _HIGHEST if soft == resource.RLIM_INFINITY else soft


def clients() -> int:
    """Returns the number of clients that the limit is enough for. Raises FailureError if it is not enough for one."""
    found = (limit() - _RESERVED) // _FOR_EACH_CLIENT
    if found < 1:
        raise FailureError(f"{limit()} open files are too few to serve a single client", RAISE_IT)
    return found


def connections(wanted: int) -> int:
    """Returns how many clients can be connected at once: as many as the operator wants, if the limit is enough.

    Raises FailureError if it is not enough for one.
    """
    return min(wanted, clients())


def share(most: int, wanted: int) -> int:
    """Returns how many of `most` one client may have: what the operator wants, or all but an eighth if that is 0."""
    return min(wanted, most) if wanted else most - most // _KEPT_FREE


def are_used_up(error: BaseException) -> bool:
    """Returns whether open files were used up when this failed.

    A resolver or TLS that could not open a file reports something else, so this function tries to open one.
    """
    found = [error, *(getattr(error, name, None) for name in ("os_error", "reason", "__cause__"))]
    errors = [each for each in found if isinstance(each, OSError)]
    if any(each.errno in _OUT for each in errors):
        return True
    if all(isinstance(each, (ConnectionError, TimeoutError)) for each in errors):
        return False
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as failed:
        return failed.errno in _OUT
    return False
