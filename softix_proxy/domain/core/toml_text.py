"""Reads TOML that an operator has written, and says where it is wrong."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from softix_proxy.domain.core.errors import BadInputError


def parse_toml(text: str, name: str, remedy: str) -> dict[str, Any]:
    """Returns the tables of a file. Raises BadInputError with the line, and nothing of what stands there."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
        raise BadInputError(f"{name} is not valid TOML" + (f" at {place[1]}" if place else ""), remedy) from None
    except RecursionError:
        raise BadInputError(f"{name} is not valid TOML: it is nested too deeply", remedy) from None
