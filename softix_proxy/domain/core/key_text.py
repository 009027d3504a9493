"""What the text of every API key and of every admin token begins with, and how much of it may be shown."""

from __future__ import annotations

import re

KEY_HEAD = "sx_live_"
TOKEN_HEAD = "sx_admin_"  # noqa: S105 # what every token begins with, and no secret
SHOWN_LETTERS = 4
"""The letters after the head by which people distinguish keys. They are not enough to use one."""
KEY_PREFIX_LETTERS = len(KEY_HEAD) + SHOWN_LETTERS
_VISIBLE = re.compile(rf"((?:{KEY_HEAD}|{TOKEN_HEAD})[0-9A-Za-z]{{{SHOWN_LETTERS}}})[0-9A-Za-z]+", re.ASCII)


def without_keys(text: str) -> str:
    """Returns the text with the visible prefix in place of each key and token."""
    return _VISIBLE.sub(r"\1", text) if KEY_HEAD in text or TOKEN_HEAD in text else text
