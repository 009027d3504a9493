from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_create_show_and_list(run: Softix, read: Read) -> None:
    ada = read("users create ada --email ada@example.org")
    assert list(ada) == ["id", "name", "email", "role", "status", "postpaid", "created_at"]
    assert (ada["name"], ada["role"], ada["status"], ada["postpaid"]) == ("ada", "user", "active", False)
    assert ada["id"].startswith("usr_") and ada["created_at"].endswith("Z")
    for reference in (ada["id"], "ADA", "ada@example.org"):
        assert read(f"users show {reference}") == ada
    assert read("users list") == [ada]
    assert run("users list").stdout.splitlines()[1].split("\t")[1] == "ada"
    assert "softix balance add bob 25.00" in run("users create bob --email bob@example.org").stderr


def test_update_disable_and_enable(read: Read) -> None:
    read("users create ada --email ada@example.org")
    changed = read("users update ada --name 'Ada Lovelace' --email a@example.net --role admin --postpaid")
    assert (changed["name"], changed["email"], changed["role"], changed["postpaid"]) == (
        "Ada Lovelace",
        "a@example.net",
        "admin",
        True,
    )
    assert read("users update 'ada lovelace' --prepaid")["postpaid"] is False
    assert read("users update 'ada lovelace'") == read("users show 'ada lovelace'")
    assert read("users disable a@example.net")["status"] == "disabled"
    assert read("users enable a@example.net")["status"] == "active"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("show eve", 1, "softix users list"),
        ("create ada --email other@example.org", 1, "is taken"),
        ("create other --email ADA@EXAMPLE.ORG", 1, "is taken"),
        ("create ' x' --email x@example.org", 2, "not a usable name"),
        ("create x --email nonsense", 2, "not a usable e-mail"),
        ("create x", 2, "--email"),
        ("create x --email x@example.org --role king", 2, "--role"),
    ],
)
def test_refusals(run: Softix, line: str, code: int, said: str) -> None:
    run("users create ada --email ada@example.org")
    assert said in run(f"users {line}", code=code).stderr
