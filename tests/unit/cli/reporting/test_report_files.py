from __future__ import annotations

from pathlib import Path

import pytest

from softix_proxy.cli.reporting.report_files import day_text, opened
from softix_proxy.domain.core.errors import FailureError


def test_day_is_counted_from_1970() -> None:
    assert [day_text(day) for day in (0, 20_727)] == ["1970-01-01", "2026-10-01"]


def test_file_that_cannot_be_opened_is_one_line_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match=r"none\.csv: No such file"), opened(tmp_path / "none.csv"):
        pass
