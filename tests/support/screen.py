"""A command on a terminal of its own: keys go in, and what its screen shows comes out."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Sequence
from types import TracebackType

from support.process import environment

TIMEOUT_S = 30
ENTERS, LEAVES = "\x1b[?1049h", "\x1b[?1049l"
SHOWS_CURSOR = "\x1b[?25h"
_HOME = "\x1b[H"
_CODE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class ScreenProcess:
    """Runs a command on a pseudo-terminal, which is its controlling one. Use it as an asynchronous context."""

    def __init__(self, command: Sequence[str], columns: int = 80, lines: int = 24, **variables: str) -> None:
        self._ours, self._theirs = pty.openpty()
        self.resize(columns, lines, tell=False)
        self.mode_before = termios.tcgetattr(self._theirs)
        kept = {"TERM": "xterm-256color", "PYTHONUNBUFFERED": "1", **variables}
        environ = environment(**kept)
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            environ.pop(name, None)
        self.process = subprocess.Popen(
            command,
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            env=environ,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.output = ""
        self._came = asyncio.Event()

    async def __aenter__(self) -> ScreenProcess:
        asyncio.get_running_loop().add_reader(self._ours, self._read)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)

    @property
    def shown(self) -> str:
        """The text of the screen as it was drawn last, without colours."""
        drawn = self.output.rpartition(ENTERS)[2].split(_HOME)
        whole = next((part for part in reversed(drawn) if part.count("\n") + 1 == self._lines), "")
        return "\n".join(line.rstrip() for line in _CODE.sub("", whole).replace("\r", "").split("\n"))

    @property
    def mode(self) -> list[object]:
        """The modes of the terminal now."""
        return termios.tcgetattr(self._theirs)

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, lines: int, *, tell: bool = True) -> None:
        self._lines = lines
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if tell:
            self.process.send_signal(signal.SIGWINCH)

    async def until(self, *words: str, without: str = "") -> str:
        """Returns the screen as soon as it shows all of these words, and not the other ones."""

        def is_there() -> bool:
            shown = self.shown
            return all(word in shown for word in words) and not (without and without in shown)

        try:
            async with asyncio.timeout(TIMEOUT_S):
                while not is_there():
                    await self._came.wait()
                    self._came.clear()
        except TimeoutError:
            wanted = f"{words}{f' without {without!r}' if without else ''}"
            raise AssertionError(f"not shown: {wanted}\n{self.shown or repr(self.output[-2000:])}") from None
        return self.shown

    async def ended(self) -> int:
        """Returns the exit code, when all output was read."""
        code = await asyncio.to_thread(self.process.wait, TIMEOUT_S)
        await asyncio.sleep(0)  # what it wrote last is in the terminal's buffer by now
        self._read_now()
        return code

    def _read(self) -> None:
        try:
            self.output += os.read(self._ours, 65536).decode("utf-8", "replace")
        except OSError:
            asyncio.get_running_loop().remove_reader(self._ours)
        self._came.set()

    def _read_now(self) -> None:
        os.set_blocking(self._ours, False)
        try:
            while given := os.read(self._ours, 65536):
                self.output += given.decode("utf-8", "replace")
        except (BlockingIOError, OSError):
            return
