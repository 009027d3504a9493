"""Reads a file that says in which country an address is, in the format of MaxMind (`.mmdb`).

Nothing of the kind is shipped. It needs maxminddb, which the extra `[countries]` installs, and which is imported when a
file is named.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from softix_proxy.domain.core.errors import BadInputError, FailureError

_PLACES = ("country", "registered_country")
"""The members of a record that name a country. The first is where the address is used."""


class CountryFile:
    """The countries of addresses. The file is mapped into memory, and read at each question."""

    def __init__(self, path: Path) -> None:
        """Raises FailureError if the package is missing, and BadInputError for a file that cannot be read."""
        try:
            import maxminddb
        except ImportError:
            raise FailureError(
                "abuse.countries needs the package maxminddb", "run: pip install 'softix-proxy[countries]'"
            ) from None
        try:
            self._reader = maxminddb.open_database(path)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError):
            raise BadInputError(
                f"{path} is no file of countries that can be read", "name a file in MaxMind's format in abuse.countries"
            ) from None

    def country_of(self, address: str) -> str:
        """Returns the two letters of the country (ISO 3166-1). Empty if the file does not know it."""
        try:
            record: Any = self._reader.get(address)
        except ValueError:  # no address: what softix has where there is none
            return ""
        if not isinstance(record, dict):
            return ""
        for place in _PLACES:
            found = record.get(place)
            code = found.get("iso_code") if isinstance(found, dict) else None
            if isinstance(code, str):
                return code[:2]
        return ""

    def close(self) -> None:
        self._reader.close()
