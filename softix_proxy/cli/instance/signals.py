"""Defines what the daemon does at each signal.

All signals are handled, and none is left to the system. The system would end the process at once and cut running
requests. For the first process of a container (PID 1) it would ignore even SIGTERM.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum


class SignalAction(StrEnum):
    STOP = "stops accepting requests and exits when running ones have ended; a second signal cuts them off"
    RELOAD = "reloads the configuration and the certificate, and reopens the log file"
    NOTHING = "changes nothing"


ACTS: Mapping[signal.Signals, SignalAction] = {
    signal.SIGTERM: SignalAction.STOP,
    signal.SIGINT: SignalAction.STOP,
    signal.SIGQUIT: SignalAction.STOP,
    signal.SIGHUP: SignalAction.RELOAD,
    signal.SIGUSR1: SignalAction.NOTHING,
    signal.SIGUSR2: SignalAction.NOTHING,
}


def until_handled() -> None:
    """Ignores all signals but those that stop, while the daemon starts. A migration may take minutes."""
    for number, act in ACTS.items():
        if act is not SignalAction.STOP:
            signal.signal(number, signal.SIG_IGN)


class Signals:
    """The handlers of the signals. They must be made within the running event loop."""

    def __init__(self) -> None:
        self.stop, self.stop_now = asyncio.Event(), asyncio.Event()
        self._reload: Callable[[], None] | None = None
        self._reload_asked = False
        self._at_a_terminal = _is_terminal()
        loop = asyncio.get_running_loop()
        for number, act in ACTS.items():
            loop.add_signal_handler(number, self._on, act)

    def when_to_reload(self, reload: Callable[[], None]) -> None:
        """Sets the function that reloads, and calls it if a reload was requested before.

        The settings may have been read before that request.
        """
        self._reload = reload
        if self._reload_asked:
            reload()

    def _on(self, act: SignalAction) -> None:
        if act is SignalAction.RELOAD and self._at_a_terminal and not _is_terminal():
            act = SignalAction.STOP  # the terminal was closed, and nobody could stop a process that continues there
        if act is SignalAction.STOP:
            (self.stop_now if self.stop.is_set() else self.stop).set()
        elif act is SignalAction.RELOAD and not self.stop.is_set():
            self._reload_asked = True
            if self._reload is not None:
                self._reload()


def _is_terminal() -> bool:
    return os.isatty(sys.__stdin__.fileno()) if sys.__stdin__ and not sys.__stdin__.closed else False
