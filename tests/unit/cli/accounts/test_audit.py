from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from softix_proxy import __version__
from softix_proxy.storage.sqlite.core.engine import connect

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_audit_of_a_new_instance_is_empty_and_whole(run: Softix, read: Read) -> None:
    assert read("audit list") == []
    assert read("audit verify") == {"entries": 0, "broken_at": None, "whole": True}
    assert "whole" in run("audit verify").output


def test_command_that_changes_something_is_in_the_audit_with_the_user_who_ran_it(run: Softix, read: Read) -> None:
    user = read("users create ada --email ada@example.org")["id"]
    run("users disable ada")
    [disabled, created] = read("audit list")
    assert (disabled["action"], disabled["subject"], disabled["outcome"]) == ("users.disable", user, "done")
    assert (created["action"], created["subject"]) == ("users.create", user)
    assert (created["actor_kind"], created["actor"], created["channel"]) == ("os-user", f"uid:{os.getuid()}", "cli")
    shown = read(f"audit show {disabled['id']}")
    assert shown["changes"] == [
        {"kind": "user", "id": user, "before": {"status": "active"}, "after": {"status": "disabled"}, "hidden": []}
    ]
    told = run(f"audit show {disabled['id']}").output
    assert f"user {user}" in told and "status: 'active' → 'disabled'" in told
    assert "ada@example.org" not in json.dumps(read("audit show 1"))


def test_command_that_only_shows_something_leaves_no_entry(run: Softix, read: Read) -> None:
    run("users create ada --email ada@example.org")
    for line in ("users list", "users show ada", "keys list", "ledger verify", "balance show ada", "audit list"):
        run(line)
    assert [entry["id"] for entry in read("audit list")] == [1]


def test_name_of_a_value_that_is_free_text_is_told_without_the_value(run: Softix, read: Read) -> None:
    run("users create ada --email ada@example.org")
    run("users update ada --name lovelace")
    [change] = read("audit show 2")["changes"]
    assert (change["before"], change["after"], change["hidden"]) == ({}, {}, ["name"])
    assert "name: changed, and not shown" in run("audit show 2").output


def test_entries_are_filtered(run: Softix, read: Read) -> None:
    user = read("users create ada --email ada@example.org")["id"]
    run("users create bob --email bob@example.org")
    run("users disable ada")
    assert [entry["id"] for entry in read(f"audit list --subject {user}")] == [3, 1]
    assert [entry["id"] for entry in read("audit list --action users.create --limit 1")] == [2]
    assert read("audit list --actor acc_none") == [] and read("audit list --to 2020-01-01") == []


def test_export_has_all_that_is_needed_to_calculate_the_hashes(run: Softix, read: Read, tmp_path: Path) -> None:
    run("users create ada --email ada@example.org")
    run("users disable ada")
    place = tmp_path / "audit.jsonl"
    assert read(f"audit export --out {place}") == {"file": str(place), "entries": 2}
    lines = place.read_text("utf-8").splitlines()
    assert lines == run("audit export --json").stdout.splitlines()
    previous = bytes(32)
    for line in lines:
        entry = json.loads(line)
        changes = json.dumps(entry["changes"], separators=(",", ":"))
        names = ("version", "id", "at_us", "actor", "action", "subject", "actor_kind", "channel", "outcome")
        told = json.dumps([*(entry[name] for name in names), changes])
        previous = sha256(previous + told.encode()).digest()
        assert previous.hex() == entry["sha256"]
    assert "exists" in run(f"audit export --out {place}", code=1).output


def test_entry_that_does_not_exist_is_refused(run: Softix) -> None:
    assert "no entry 7" in run("audit show 7", code=1).output


def test_head_that_is_kept_elsewhere_proves_that_no_end_was_removed(
    run: Softix, read: Read, instance: Path, tmp_path: Path
) -> None:
    for name in ("ada", "bob"):
        run(f"users create {name} --email {name}@example.org")
    place = tmp_path / "head.json"
    key = run("export public-key").stdout.strip()
    signed = read(f"audit sign --out {place}")
    assert json.loads(place.read_text()) == signed and (signed["entries"], signed["public_key"]) == (3, key)
    run("users disable bob")
    assert read(f"audit verify --head {place} --public-key {key}") == {"entries": 4, "broken_at": None, "whole": True}
    connection = connect(instance / "softix.db")
    connection.execute("DROP TRIGGER audit_is_not_deleted")
    connection.execute("DELETE FROM audit WHERE id > 2")
    connection.close()
    assert read("audit verify")["whole"] is True
    assert "broken at entry 3" in run(f"audit verify --head {place}", code=1).output


def test_head_that_is_forged_is_refused(run: Softix, read: Read, tmp_path: Path) -> None:
    run("users create ada --email ada@example.org")
    place = tmp_path / "head.json"
    signed = read("audit sign")
    for forged in ({**signed, "entries": 0}, {**signed, "signature": "00"}, {**signed, "signature": "x"}):
        place.write_text(json.dumps(forged))
        assert "was changed after it was signed" in run(f"audit verify --head {place}", code=1).output
    place.write_text(json.dumps(signed))
    assert "another instance" in run(f"audit verify --head {place} --public-key {'0' * 64}", code=1).output


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"entries": "1"}', "[" * 100_000])
def test_what_is_no_head_is_refused(run: Softix, tmp_path: Path, text: str) -> None:
    place = tmp_path / "head.json"
    place.write_text(text)
    assert "softix audit sign" in run(f"audit verify --head {place}", code=2).output


def test_entry_tells_from_where_it_was_done_until_that_is_purged(
    run: Softix, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22")
    run("users create ada --email ada@example.org")
    monkeypatch.setenv("SSH_CONNECTION", "a word of somebody")
    run("users disable ada")
    shown, local = read("audit show 1"), read("audit show 2")
    assert (shown["address"], shown["family"], shown["program_version"]) == ("192.0.2.7", "softix", __version__)
    assert local["address"] is None and local["family"] == "softix" and local["tls"] is None
    assert "192.0.2.7" in run("audit show 1").output
    assert "192.0.2.7" not in run("audit export").output, "what is exported has no technical data"
    run("addresses purge --all --yes")
    purged = read("audit show 1")
    assert (purged["address"], purged["family"], purged["sha256"]) == (None, None, shown["sha256"])
    assert read("audit verify") == {"entries": 3, "broken_at": None, "whole": True}
