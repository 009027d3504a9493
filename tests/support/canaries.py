"""Texts that can be nowhere by accident: they are put into requests and answers, and then looked for everywhere."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path


class Canaries:
    """Texts by where they are put."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def __getitem__(self, place: str) -> str:
        return self.texts.setdefault(place, f"canary{secrets.token_hex(12)}")

    def found_in(self, data: bytes) -> list[str]:
        """The places whose text is in there, plain or in base64."""
        return [place for place, text in self.texts.items() if any(form in data for form in forms(text))]

    def found_below(self, folder: Path) -> dict[str, list[str]]:
        """The same for all files below a folder, by their paths."""
        files = [path for path in folder.rglob("*") if path.is_file()]
        found = {str(path.relative_to(folder)): self.found_in(path.read_bytes()) for path in files}
        return {path: places for path, places in found.items() if places}


def forms(text: str) -> Iterator[bytes]:
    yield text.encode()
    yield base64.b64encode(text.encode()).rstrip(b"=")[:-1]
    yield text.encode("utf-16-le")
