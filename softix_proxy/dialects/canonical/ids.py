"""Makes ids in the style of each dialect, from the provider's id if there is one."""

from __future__ import annotations

import re

_PREFIX = re.compile(r"^(?:chatcmpl-|msg_|resp_|gen-)")
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


def answer_id(given: str, prefix: str, fallback: str) -> str:
    """Returns an id such as `chatcmpl-…`, `msg_…` or `resp_…`."""
    bare = _PREFIX.sub("", given)
    return prefix + (bare if _PLAIN.fullmatch(bare) else fallback)
