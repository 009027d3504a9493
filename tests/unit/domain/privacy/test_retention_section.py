from __future__ import annotations

from pathlib import Path

import pytest

from softix_proxy import settings
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.privacy.retention_section import RetentionSection


def test_technical_data_is_kept_for_ninety_days() -> None:
    assert RetentionSection().technical_days == 90


@pytest.mark.parametrize("days", ["0", "-1", "4000", "90.5"])
def test_days_out_of_range_are_refused(tmp_path: Path, days: str) -> None:
    with pytest.raises(BadInputError, match="RETENTION_TECHNICAL_DAYS must be a whole number from 1 to 3650"):
        settings.load(None, tmp_path, {"SOFTIX_RETENTION_TECHNICAL_DAYS": days})
