"""The settings of how long personal data is kept that nobody needs for the books."""

from __future__ import annotations

from dataclasses import dataclass

from softix_proxy.domain.core.config import setting


@dataclass(frozen=True, slots=True)
class RetentionSection:
    """Sets for how long softix keeps what it knows of people beside the books."""

    technical_days: int = setting(
        90,
        "The days for which addresses, programs and TLS versions are kept, and the security events of accounts.",
        restart=True,
        least=1,
        most=3650,
    )
