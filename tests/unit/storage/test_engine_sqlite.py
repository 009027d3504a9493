from pathlib import Path

import pytest

from softix_proxy.domain.errors import FailureError
from softix_proxy.storage import engine_sqlite


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 50, 8), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_which_versions_may_lose_rows(version: tuple[int, ...], affected: bool) -> None:
    assert engine_sqlite.is_affected(version) is affected


def test_the_one_in_use_is_sound() -> None:
    assert not engine_sqlite.is_affected(engine_sqlite.version())
    engine_sqlite.require_sound()


def test_an_affected_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_sqlite, "version", lambda: (3, 40, 1))
    with pytest.raises(FailureError, match="can lose committed rows") as refused:
        engine_sqlite.require_sound()
    assert refused.value.remedy == engine_sqlite.remedy()


def test_how_a_connection_is_set_up(tmp_path: Path) -> None:
    connection = engine_sqlite.connect(tmp_path / "softix.db", busy_timeout_ms=1234, make=True)
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "fullfsync": 1,
        "foreign_keys": 1,
        "secure_delete": 1,
        "temp_store": 2,
        "trusted_schema": 0,
        "wal_autocheckpoint": 0,
        "busy_timeout": 1234,
    }
    found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in expected}
    assert found == expected
    assert connection.in_transaction is False
    connection.close()
