import pytest
from support.process import environment


def test_environment_of_a_process_lets_it_keep_what_it_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("SOFTIX_DATA_DIR", "of whoever runs the tests")
    kept = environment(SOFTIX_PORT="0")
    assert "PYTHONDONTWRITEBYTECODE" not in kept and "SOFTIX_DATA_DIR" not in kept
    assert kept["SOFTIX_PORT"] == "0"
