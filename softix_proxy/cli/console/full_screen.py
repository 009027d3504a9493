"""The whole screen of a terminal, and its keys. The terminal is put back on every exit: a key, a signal, an error.

It draws on the alternate screen, so that what was on the terminal before is there again afterwards.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import signal
import sys
import termios
import tty
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

_MOST_BYTES = 1024
_ESCAPE = "\x1b"
_ENDING = (signal.SIGTERM, signal.SIGHUP)
SIGNALLED = 128
"""The exit code after a signal is its number above this, as shells count."""


class FullScreen:
    """Shows one drawing at a time, and calls functions when a key is pressed or the window changes its size.

    Enter it within a running event loop. A key is one character, and `\\x1b` is the escape key. Keys that send several
    characters, such as arrows, are left out. Ctrl-Z stops the program as usual, and `fg` brings it back.
    """

    def __init__(self, on_key: Callable[[str], None], on_change: Callable[[], None]) -> None:
        from rich.console import Console

        self.console: Console = Console()
        self.ended_by: int | None = None
        """The signal that asks the program to end. `on_change` is called when it comes."""
        self._on_key = on_key
        self._on_change = on_change
        self._live: Live | None = None
        self._stdin = sys.stdin.fileno() if sys.stdin.isatty() else None
        self._mode_before: list[object] | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def __enter__(self) -> FullScreen:
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGWINCH, self._on_change)
        loop.add_signal_handler(signal.SIGTSTP, self._suspend)
        try:
            self._occupy()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        try:
            self._leave()
        finally:
            loop = asyncio.get_running_loop()
            for number in (*_ENDING, signal.SIGWINCH, signal.SIGTSTP):
                loop.remove_signal_handler(number)

    def draw(self, drawing: RenderableType) -> None:
        """Replaces what is on the screen."""
        if self._live is not None:
            self._live.update(drawing, refresh=True)

    def _occupy(self) -> None:
        from rich.live import Live

        if self._stdin is not None:
            self._mode_before = termios.tcgetattr(self._stdin)
            tty.setcbreak(self._stdin, termios.TCSADRAIN)
            asyncio.get_running_loop().add_reader(self._stdin, self._read_keys, self._stdin)
        self._live = Live(
            console=self.console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        self._live.start()

    def _leave(self) -> None:
        live, self._live = self._live, None
        try:
            if live is not None:
                live.stop()
        finally:
            if self._stdin is not None and self._mode_before is not None:
                asyncio.get_running_loop().remove_reader(self._stdin)
                termios.tcsetattr(self._stdin, termios.TCSADRAIN, self._mode_before)  # type: ignore[arg-type] # it is what tcgetattr gave
                self._mode_before = None

    def _read_keys(self, stdin: int) -> None:
        given = os.read(stdin, _MOST_BYTES)
        if not given:  # the terminal gives no more keys
            asyncio.get_running_loop().remove_reader(stdin)
            return
        keys = self._decoder.decode(given)
        if keys.startswith(_ESCAPE) and len(keys) > 1:
            return
        for key in keys:
            self._on_key(key)

    def _end(self, number: int) -> None:
        self.ended_by = number
        self._on_change()

    def _suspend(self) -> None:
        self._leave()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._occupy()
        self._on_change()
