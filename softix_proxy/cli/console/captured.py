"""What a command prints where nobody looks at a terminal: it is kept for whoever has called the command."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, BinaryIO

_IN_MEMORY_BYTES = 1024 * 1024


def _spool() -> BinaryIO:
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # type: ignore[return-value] # it is a file, without its type


@dataclass(slots=True)
class Captured:
    """The results of one command, and what it reads as its standard input."""

    stdin: StringIO
    as_lines: bool = False
    """Whether each JSON is a line of a file. There may be more of them than fit into memory."""
    values: list[Any] = field(default_factory=list)
    file: BinaryIO = field(default_factory=_spool)

    def take(self, value: Any, text: str) -> None:
        """Takes one JSON. `text` is how it is printed."""
        if self.as_lines:
            self.write(f"{text}\n".encode())
        else:
            self.values.append(value)

    def write(self, content: bytes) -> None:
        self.file.write(content)

    def close(self) -> None:
        self.file.close()
