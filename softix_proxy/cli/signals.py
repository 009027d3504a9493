"""What the daemon does at each signal.

All of them are handled, and none is left to the system: it would end the process at once and cut what runs, and for the
first process of a container (PID 1) it would ignore even SIGTERM.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum


class SignalAction(StrEnum):
    STOP = "takes no more requests, and ends once running ones have; a second one cuts them"
    RELOAD = "reads the configuration and the certificate anew, and opens the log file again"
    NOTHING = "goes on as if nothing had happened"


ACTS: Mapping[signal.Signals, SignalAction] = {
    signal.SIGTERM: SignalAction.STOP,
    signal.SIGINT: SignalAction.STOP,
    signal.SIGQUIT: SignalAction.STOP,
    signal.SIGHUP: SignalAction.RELOAD,
    signal.SIGUSR1: SignalAction.NOTHING,
    signal.SIGUSR2: SignalAction.NOTHING,
}


def until_handled() -> None:
    """While the daemon starts, nothing but a stop ends it: a migration may take minutes."""
    for number, act in ACTS.items():
        if act is not SignalAction.STOP:
            signal.signal(number, signal.SIG_IGN)


class Signals:
    """To be made within the running event loop."""

    def __init__(self) -> None:
        self.stop, self.stop_now = asyncio.Event(), asyncio.Event()
        self._reload: Callable[[], None] | None = None
        self._reload_asked = False
        self._at_a_terminal = _is_terminal()
        loop = asyncio.get_running_loop()
        for number, act in ACTS.items():
            loop.add_signal_handler(number, self._on, act)

    def when_to_reload(self, reload: Callable[[], None]) -> None:
        """Also if it was asked for before: the settings may have been read by then."""
        self._reload = reload
        if self._reload_asked:
            reload()

    def _on(self, act: SignalAction) -> None:
        if act is SignalAction.RELOAD and self._at_a_terminal and not _is_terminal():
            act = SignalAction.STOP  # it was closed, and nobody could stop there what goes on
        if act is SignalAction.STOP:
            (self.stop_now if self.stop.is_set() else self.stop).set()
        elif act is SignalAction.RELOAD and not self.stop.is_set():
            self._reload_asked = True
            if self._reload is not None:
                self._reload()


def _is_terminal() -> bool:
    return os.isatty(sys.__stdin__.fileno()) if sys.__stdin__ and not sys.__stdin__.closed else False
