"""Ids in the style of each dialect, made from the provider's own where it gave one."""

from __future__ import annotations

import re

_PREFIX = re.compile(r"^(?:chatcmpl-|msg_|resp_|gen-)")
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)


def answer_id(given: str, prefix: str, fallback: str) -> str:
    """`chatcmpl-…`, `msg_…`, `resp_…`."""
    bare = _PREFIX.sub("", given)
    return prefix + (bare if _PLAIN.fullmatch(bare) else fallback)
