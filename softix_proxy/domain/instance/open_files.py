"""How many files and connections this process may have open, and for how many clients that is enough."""

from __future__ import annotations

import errno
import os
import resource

from softix_proxy.domain.core.errors import FailureError

_RESERVED = 32
"""For the database, the log, the event loop and what listens: 24 when idle, and a few that are open for a moment."""
_FOR_EACH_CLIENT = 2
"""Its connection, and one to a provider."""
_HIGHEST = 1 << 20
"""Where the hard limit is higher, or there is none."""
_OUT = (errno.EMFILE, errno.ENFILE)
RAISE_IT = "raise the limit: LimitNOFILE= of the service, ulimits of the container, or ulimit -n"


def raise_limit() -> None:
    """To the hard limit, which needs no privilege."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _HIGHEST if hard == resource.RLIM_INFINITY else min(hard, _HIGHEST)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # macOS has a limit of its own below the hard one; what there is has to be enough
        return


def limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _HIGHEST if soft == resource.RLIM_INFINITY else soft


def clients() -> int:
    """How many the limit is enough for. Raises FailureError where it is enough for none."""
    found = (limit() - _RESERVED) // _FOR_EACH_CLIENT
    if found < 1:
        raise FailureError(f"{limit()} open files are too few to serve a single client", RAISE_IT)
    return found


def are_used_up(error: BaseException) -> bool:
    """Whether that is why it failed. A resolver or TLS that could not open a file says something else: one is tried."""
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
