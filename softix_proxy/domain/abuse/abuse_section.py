"""The settings of the rules against abuse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from softix_proxy.domain.core.config import setting


@dataclass(frozen=True, slots=True)
class AbuseSection:
    """Sets what the rules against abuse are given. The rules themselves are tuned by `softix abuse tune`."""

    leak_keys: Path | None = setting(  # noqa: RUF009
        None,
        "The public keys of the code host that reports leaked keys, as a JSON file: what "
        "https://api.github.com/meta/public_keys/secret_scanning answers. Without it, only an admin token can report.",
        restart=True,
        example="/etc/softix/secret_scanning.json",
    )
    countries: Path | None = setting(  # noqa: RUF009
        None,
        "A file in MaxMind's format that says in which country an address is, for the rule new-country. "
        "Without it, the rule notices nothing. It needs the extra [countries].",
        restart=True,
        example="/var/lib/softix/countries.mmdb",
    )
