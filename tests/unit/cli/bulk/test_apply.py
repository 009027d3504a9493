from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from softix_proxy.cli.bulk.kinds import KINDS
from softix_proxy.storage.sqlite.core.engine import connect

Run = Callable[..., Result]
Read = Callable[[str], Any]
TOML = """
[[users]]
name = "bob"
email = "bob@example.org"
postpaid = true

[[organisations]]
name = "acme"
email = "acme@example.org"
display_name = "Acme Ltd"

[[credit_limits]]
user = "bob@example.org"
amount = 50

[[projects]]
organisation = "acme"
name = "search"

[[budgets]]
organisation = "acme"
project = "search"
period = "month"
amount = "100.00"

[[models]]
name = "llama"
provider = "lab"
context = 100000

[[prices]]
model = "lab/llama"
input = "2.00"
output = 8

[[markups]]
default = "10%"

[[routes]]
name = "best"
targets = "lab/llama weight 3"
sticky = false

[[keys]]
user = "bob"
name = "ci"
rpm = 60
models = ["gpt-*", "best"]
allow_ip = ["10.0.0.0/8"]
expires = "30d"
"""
YAML = """
users:
  - name: bob
    email: bob@example.org
    postpaid: true
keys:
  - {user: bob, name: ci, rpm: 60, models: [gpt-*, best]}
"""


@pytest.fixture
def file(tmp_path: Path, run: Run) -> Path:
    run("providers add lab --type openai-compatible --base-url http://lab.example --no-test")
    place = tmp_path / "softix.toml"
    place.write_text(TOML)
    return place


def everything(instance: Path) -> dict[str, list[Any]]:
    """All rows of the database but those that every command writes."""
    connection = connect(instance / "softix.db")
    try:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in names}
    finally:
        connection.close()


def test_file_is_applied_and_a_second_run_changes_nothing(file: Path, run: Run, read: Read, instance: Path) -> None:
    done = read(f"apply {file} --yes")
    assert (done["created"], done["changed"], done["unchanged"]) == (9, 1, 0)
    [key] = done["keys"]
    assert key["key"].startswith("sx_live_") and (key["user"], key["name"]) == ("bob", "ci")
    shown = read("keys show " + key["id"])
    assert shown["rpm"] == 60 and shown["models"] == ["gpt-*", "best"] and shown["expires_at"] is not None
    assert read("balance show bob")["credit_limit"] == "50.00"
    assert read("routes show best")["sticky"] is False
    assert read("prices show lab/llama")["charged"] == {"input": "2.2", "output": "8.8"}
    assert [one["amount"] for one in read("budgets list acme")] == ["100.00"]
    before = everything(instance)
    again = read(f"apply {file} --yes")
    assert (again["changes"], again["keys"], again["unchanged"]) == ([], [], 10)
    assert everything(instance) == before


def test_dry_run_shows_the_difference_and_changes_nothing(file: Path, run: Run, read: Read, instance: Path) -> None:
    before = everything(instance)
    told = read(f"apply {file} --dry-run")
    assert told["dry_run"] is True and told["created"] == 9 and told["keys"] == []
    assert everything(instance) == before
    run(f"apply {file} --yes")
    file.write_text(TOML.replace("rpm = 60", "rpm = 90").replace("output = 8", "output = 9"))
    changes = {one["section"]: one for one in read(f"apply {file} --dry-run")["changes"]}
    assert changes["keys"]["fields"] == {"rpm": {"before": 60, "after": 90}}
    assert changes["prices"]["fields"]["prices"]["after"] == {"input": "2.00", "output": "9"}
    assert set(changes) == {"keys", "prices"}
    assert "rpm 60 → 90" in run(f"apply {file} --dry-run").stdout


def test_one_thing_that_cannot_be_done_undoes_all(file: Path, run: Run, instance: Path) -> None:
    before = everything(instance)
    file.write_text(TOML.replace("lab/llama weight 3", "lab/other"))
    said = run(f"apply {file} --yes", code=1)
    assert said.stderr.startswith("softix: routes best: ")
    assert everything(instance) == before


def test_without_yes_nothing_is_changed(file: Path, run: Run, instance: Path) -> None:
    before = everything(instance)
    assert "Add --yes" in run(f"apply {file}", code=2).stderr
    assert everything(instance) == before


def test_yaml_means_the_same(file: Path, run: Run, read: Read, tmp_path: Path) -> None:
    run(f"apply {file} --yes")
    place = tmp_path / "softix.yaml"
    place.write_text(YAML)
    assert read(f"apply {place} --yes")["unchanged"] == 2


def test_status_switches_things_off_and_on(file: Path, run: Run, read: Read, tmp_path: Path) -> None:
    run(f"apply {file} --yes")
    place = tmp_path / "off.toml"
    place.write_text(
        '[[users]]\nname = "bob"\nemail = "bob@example.org"\nstatus = "disabled"\n'
        '[[models]]\nname = "llama"\nprovider = "lab"\nstatus = "disabled"\n'
        '[[routes]]\nname = "best"\nstatus = "disabled"\n'
        '[[keys]]\nuser = "bob"\nname = "ci"\nstatus = "revoked"\n'
    )
    assert read(f"apply {place} --yes")["changed"] == 4
    assert read("users show bob")["status"] == read("models show lab/llama")["status"] == "disabled"
    assert [one["status"] for one in read("keys list --user bob")] == ["revoked"]
    assert read(f"apply {place} --yes")["changes"] == []
    place.write_text(place.read_text().replace("disabled", "active"))
    assert read(f"apply {place} --yes")["changed"] == 3
    assert read("routes show best")["status"] == "active"


def test_part_that_the_token_may_not_do_is_refused_with_its_name(
    file: Path, run: Run, read: Read, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, read_token = (read(f"tokens create --role {role}")["token"] for role in ("support", "auditor"))
    monkeypatch.setenv("SOFTIX_TOKEN", token)
    said = run(f"apply {file} --yes", code=1)
    assert said.stderr.startswith("softix: credit_limits bob@example.org: balance.show needs the permission")
    monkeypatch.setenv("SOFTIX_TOKEN", read_token)
    file.write_text(TOML.partition("[[organisations]]")[0])
    said = run(f"apply {file} --yes", code=1)
    assert said.stderr.startswith("softix: users bob: users.create needs the permission users.write")


def test_change_between_plan_and_deed_is_noticed(
    file: Path, run: Run, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    from softix_proxy.cli.bulk import apply as module

    run(f"apply {file} --yes")
    file.write_text(TOML.replace("rpm = 60", "rpm = 90"))

    def change(*_: object) -> None:
        other = threading.Thread(target=lambda: run("users update bob --display-name Robert"))
        other.start()
        other.join()

    with monkeypatch.context() as patch:
        patch.setattr(module, "confirm", change)
        assert "users bob: somebody has changed it meanwhile" in run(f"apply {file} --yes", code=1).stderr
    assert read("keys list --user bob")[0]["rpm"] == 60


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("[[user]]\n", 2, "an unknown section 'user'"),
        ("users = 5\n", 2, "users in wrong.toml is not a list of things"),
        ("[[users]]\nname = 'bob'\n", 2, "users 1: email is missing"),
        ("[[users]]\nname = 'bob'\nemail = 'b@example.org'\nmail = 'x'\n", 2, "there is no 'mail'"),
        ("[[users]]\nname = 'bob'\nemail = 'b@example.org'\npostpaid = 'yes'\n", 2, "postpaid is not a boolean"),
        ("[[users]]\nname = 'bob'\nemail = 'b@example.org'\nstatus = 'gone'\n", 2, "none of its values"),
        ("[[users]]\nname = 'bob'\nemail = 'bob'\n", 2, "users bob: "),
        ("[[keys]]\nuser = 'nobody'\nname = 'ci'\n", 1, "no user 'nobody'"),
        ("[[keys]]\nuser = 'nobody'\n", 2, "keys 1: name is missing"),
        ("[[users]\n", 2, "wrong.toml is not TOML"),
        ("", 0, "0 created"),
        (
            "[[users]]\nname='a'\nemail='a@example.org'\n[[users]]\nname='a'\nemail='b@example.org'\n",
            2,
            "users a twice",
        ),
    ],
)
def test_wrong_file_is_told_where_and_what(tmp_path: Path, run: Run, text: str, code: int, told: str) -> None:
    place = tmp_path / "wrong.toml"
    place.write_text(text)
    assert told in run(f"apply {place} --yes", code=code).stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\xff\xfe", "is not UTF-8"), (b"users: [", "is not YAML"), (b"- a\n", "has no sections"), (b"&a [*a]", "")],
)
def test_wrong_yaml_is_refused(tmp_path: Path, run: Run, content: bytes, told: str) -> None:
    place = tmp_path / "wrong.yaml"
    place.write_bytes(content)
    assert told in run(f"apply {place} --yes", code=2).stderr
    assert "cannot read" in run(f"apply {tmp_path}/none.yaml --yes", code=1).stderr


def test_every_section_is_made_and_changed_by_commands_that_exist() -> None:
    from softix_proxy.cli.admin_api.described import CommandTable

    found = CommandTable().found
    for kind in KINDS:
        assert kind.makes in found and (not kind.changes or kind.changes in found)
        assert all(not command or command in found for command in kind.statuses.values())


def test_json_of_the_difference_is_whole(file: Path, read: Read) -> None:
    told = read(f"apply {file} --dry-run")
    assert json.dumps(told["changes"]).count('"effect": "created"') == 9
