from pathlib import Path

import pytest

from softix_proxy import settings
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.instance.backup_section import BackupSection


def test_settings_of_backups_by_default_make_none_and_keep_a_year() -> None:
    assert (BackupSection().folder, BackupSection().keep, BackupSection().encrypt) == (None, "7d,4w,12m", True)


def test_setting_of_what_is_kept_has_one_form(tmp_path: Path) -> None:
    assert settings.load(None, tmp_path, {"SOFTIX_BACKUP_KEEP": "3d"}).backup.keep == "3d"
    with pytest.raises(BadInputError, match="numbers of days"):
        settings.load(None, tmp_path, {"SOFTIX_BACKUP_KEEP": "three days"})
