"""The version of a thing: a short text that is another one as soon as the thing is shown otherwise."""

from __future__ import annotations

import hashlib
import json
from typing import Any

_DIGITS = 32


def version_of(shown: Any) -> str:
    """Returns the version of a thing from the fields that an operator is shown."""
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
