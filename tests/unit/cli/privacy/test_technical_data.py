from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from softix_proxy.storage.sqlite.core.database import Database

Run = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture(autouse=True)
def used(database: Database) -> None:
    """Key 1 was used from two addresses on the day before."""
    connection = database.connect()
    connection.execute(
        "INSERT INTO technical_addresses VALUES (1, 20781, '192.0.2.1', 1795478400000000, 1795478400000001, 3),"
        " (1, 20781, '', 1795478400000000, 1795478400000002, 4);"
        "INSERT INTO technical_agents VALUES"
        " (1, 20781, 'curl', '8.1', 'Linux', 'TLSv1.3', 1795478400000000, 1795478400000001, 7)"
    )
    connection.close()


def test_addresses_list_shows_what_each_key_was_used_from(read: Read) -> None:
    further, known = read("addresses list")
    assert (further["address"], further["requests"]) == ("further", 4)
    assert (known["address"], known["requests"], known["day"]) == ("192.0.2.1", 3, "2026-11-24")
    assert known["first_at"].startswith("2026-11-24T00:00:00")
    assert known["key"].startswith("key_") and known["user"].startswith("usr_")
    assert len(read("addresses list --limit 1")) == 1
    assert read("addresses list --from 2026-11-25") == []
    assert len(read(f"addresses list --key {known['key']} --user {known['user']}")) == 2


def test_addresses_agents_shows_with_what_each_key_was_used(read: Read) -> None:
    [row] = read("addresses agents")
    told = {name: row[name] for name in ("family", "version", "device", "tls", "requests")}
    assert told == {"family": "curl", "version": "8.1", "device": "Linux", "tls": "TLSv1.3", "requests": 7}


def test_unknown_key_is_one_line(run: Run) -> None:
    done = run("addresses list --key nobody", 1)
    assert "no key 'nobody'" in done.stderr


@pytest.mark.parametrize("options", ["", "--all --user ada", "--key ci --account acc_1"])
def test_purge_of_nobody_or_of_two_is_refused(run: Run, options: str) -> None:
    done = run(f"addresses purge {options} --yes", 2)
    assert "give one of --key, --user, --account and --all" in done.stderr


def test_purge_asks_before_it_removes(run: Run, read: Read) -> None:
    done = run("addresses purge --all", 2)
    assert "technical data of everybody for good? Add --yes" in done.stderr
    assert len(read("addresses list")) == 2


def test_purge_removes_and_is_in_the_audit(run: Run, read: Read) -> None:
    [key] = {row["key"] for row in read("addresses list")}
    assert read(f"addresses purge --key {key} --yes") == {"subject": key, "removed": 3}
    assert read("addresses list") == [] and read("addresses agents") == []
    done = read("addresses purge --all --yes")
    assert done["subject"] is None and done["removed"] == len(read("audit list")) - 1, "from where each entry came"
    entry = read("audit list --action addresses")[-1]
    [change] = read(f"audit show {entry['id']}")["changes"]
    assert change["after"] == {"subject": key, "removed": 3}
    assert read("audit verify")["whole"] is True


def test_purge_of_a_user_removes_that_of_the_keys(read: Read) -> None:
    [user] = {row["user"] for row in read("addresses list")}
    assert read(f"addresses purge --user {user} --yes")["removed"] == 3


def test_purge_of_an_unknown_account_is_told(run: Run) -> None:
    done = run("addresses purge --account acc_nobody --yes", 1)
    assert "no account 'acc_nobody'" in done.stderr
