"""What every API key's text begins with, and how much of it may be shown."""

from __future__ import annotations

import re

KEY_HEAD = "sx_live_"
KEY_PREFIX_LETTERS = 12
"""The letters by which people distinguish keys: the head and four more. They are not enough to use a key."""
_VISIBLE = re.compile(rf"({KEY_HEAD}[0-9A-Za-z]{{{KEY_PREFIX_LETTERS - len(KEY_HEAD)}}})[0-9A-Za-z]+", re.ASCII)


def without_keys(text: str) -> str:
    """Returns the text with the visible prefix in place of each key."""
    return _VISIBLE.sub(r"\1", text) if KEY_HEAD in text else text
