"""Declares a setting: a field of a section's dataclass, with its meaning and its range."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Any


class PathUse(StrEnum):
    """What a setting whose value is a path names. The value says it in the reference and in refusals."""

    FILE = "the path of a file"
    FOLDER = "the path of a folder"
    NEW_FILE = "the path of a file, which softix makes"
    NEW_FOLDER = "the path of a folder, which softix makes"


def setting(default: Any, doc: str, **more: Any) -> Any:
    """Returns the field of a dataclass that declares one setting.

    `least` and `most` bound a number. `item` is called with a text, or with each item of a list, and raises if it is
    not accepted. `example` is shown instead of a default of None. `veil` returns the part of the value that may be
    shown. `use` says what a path names, if it is no file that has to be there. With `restart` a running daemon keeps
    the value with which it started.
    """
    if more.get("restart"):
        doc += " It is read at the start only."
    return field(default=default, metadata={"doc": doc, "restart": False, **more})
