from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from softix_proxy.cli.admin_api.described import CommandTable
from softix_proxy.domain.core.errors import BadInputError

FOUND = CommandTable().found


def arguments(command: str, **values: object) -> tuple[list[str], str]:
    with ExitStack() as files:
        return FOUND[command].parameters.arguments(values, files)


def test_values_become_the_arguments_of_the_command() -> None:
    given, stdin = arguments("keys.update", key="--yes", rpm="-5", allow_ip=["::1", "10.0.0.0/8"])
    assert given == ["--rpm=-5", "--allow-ip=::1", "--allow-ip=10.0.0.0/8", "--", "--yes"]
    assert stdin == ""


def test_command_that_asks_is_told_yes() -> None:
    assert arguments("keys.revoke", key="ci")[0] == ["--yes", "--", "ci"]


def test_flag_is_given_only_if_it_is_true() -> None:
    assert arguments("bill.run", period="2026-10", open=True, dry_run=False)[0] == ["--period=2026-10", "--open", "--"]


def test_secret_goes_into_standard_input() -> None:
    given, stdin = arguments("providers.set-key", name="lab", key="sk-of-a-lab")
    assert given == ["--key-stdin", "--", "lab"] and stdin == "sk-of-a-lab"


def test_content_of_a_file_is_written_for_the_time_of_the_call() -> None:
    with ExitStack() as files:
        given, _ = FOUND["prices.import"].parameters.arguments({"file": "x = 1", "dry_run": True}, files)
        place = Path(given[-1])
        assert place.read_text() == "x = 1" and place.parent.stat().st_mode & 0o777 == 0o700
    assert not place.exists() and given[:-1] == ["--dry-run", "--"]


def test_argument_after_one_that_is_missing_is_refused() -> None:
    with pytest.raises(BadInputError, match="report needs source"):
        arguments("reconcile", report="x")


def test_live_view_is_one_picture() -> None:
    assert arguments("top")[0] == ["--once", "--"]


def test_flag_with_an_opposite_is_given_as_its_opposite_if_it_is_false() -> None:
    assert arguments("routes.set", name="best", sticky=False)[0] == ["--no-sticky", "--", "best"]
    assert arguments("routes.set", name="best", sticky=True)[0] == ["--sticky", "--", "best"]
