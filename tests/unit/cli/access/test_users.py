import asyncio
import io
import json
import os
import pty
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from softix_proxy import assembly
from softix_proxy.storage.sqlite.core import engine

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_users_create_returns_the_user_that_show_and_list_return(run: Softix, read: Read) -> None:
    ada = read("users create ada --email ada@example.org")
    assert list(ada) == ["id", "name", "email", "role", "status", "postpaid", "regions", "created_at", "display_name"]
    assert (ada["name"], ada["role"], ada["status"], ada["postpaid"]) == ("ada", "user", "active", False)
    assert ada["id"].startswith("usr_") and ada["created_at"].endswith("Z")
    for reference in (ada["id"], "ADA", "ada@example.org"):
        assert read(f"users show {reference}") == ada
    assert read("users list") == [ada]
    assert run("users list").stdout.splitlines()[1].split("\t")[1] == "ada"
    assert "softix balance add bob@example.org 25.00" in run("users create bob --email bob@example.org").stderr


def test_users_update_disable_and_enable_change_the_user(read: Read) -> None:
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


def test_role_of_a_user_is_deprecated_aloud_and_in_no_table(run: Softix, read: Read) -> None:
    remedy = "what a person may do under /admin: softix accounts set-role"
    told = f"--role: It has no effect, and will be removed.\n  → {remedy}"
    assert told in run("users create ada --email ada@example.org --role admin").stderr
    assert told in run("users update ada --role user").stderr
    assert "--role" not in run("users create bob --email bob@example.org").stderr + run("users update bob").stderr
    assert run("users list").stdout.splitlines()[0].split("\t") == ["id", "name", "email", "status", "created_at"]
    assert [each["role"] for each in read("users list")] == ["user", "user"]


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
def test_users_command_with_bad_input_exits_with_the_reason(run: Softix, line: str, code: int, said: str) -> None:
    run("users create ada --email ada@example.org")
    assert said in run(f"users {line}", code=code).stderr


def verifies(instance: Path, password: str) -> bool:
    """Whether it is that of the one user."""
    connection = engine.connect(instance / "softix.db")
    (hashed,) = connection.execute("SELECT password_hash FROM users").fetchone()
    connection.close()

    async def verify() -> bool:
        async with assembly.open_instance(assembly.read_settings(None, instance)) as opened:
            return (await opened.vault()).verify_password(hashed, password)

    return asyncio.run(verify())


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nnot this"])
def test_users_set_password_with_password_stdin_stores_the_first_line(run: Softix, instance: Path, end: str) -> None:
    made = json.loads(run("users create ada --email ada@example.org --json").stdout)
    password = f" {secrets.token_hex(8)} "
    result = run("users set-password ADA --password-stdin --json", stdin=password + end)
    assert json.loads(result.stdout) == made and password.strip() not in result.output
    assert verifies(instance, password)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("ada", 2, "--password-stdin"),
        ("ada --password-stdin", 2, "not a usable password"),
        ("eve --password-stdin", 1, "softix users list"),
        ("ada secret", 2, "extra argument"),
    ],
)
def test_users_set_password_without_usable_password_is_refused(run: Softix, line: str, code: int, said: str) -> None:
    run("users create ada --email ada@example.org")
    assert said in run(f"users set-password {line}", code=code, stdin="short").stderr


def test_password_on_standard_input_that_is_not_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from softix_proxy.cli.access import users
    from softix_proxy.domain.core.errors import BadInputError

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff" * 20), encoding="utf-8"))
    with pytest.raises(BadInputError, match="not text"):
        users._read_password("ada", True)


def test_users_set_password_on_a_terminal_prompts_without_showing_the_password(run: Softix, instance: Path) -> None:
    """As a process of its own with a terminal of its own."""
    run("users create ada --email ada@example.org")
    password = secrets.token_hex(8)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "softix_proxy", "--data-dir", str(instance), "users", "set-password", "ada"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        close_fds=True,
    )
    os.close(slave)
    shown = b""
    for prompt in (b"New password for ada:", b"Repeat for confirmation:"):
        while prompt not in shown:
            shown += os.read(master, 1024)
        os.write(master, password.encode() + b"\n")
    assert process.wait(30) == 0
    shown += os.read(master, 65536)
    os.close(master)
    assert password.encode() not in shown and b"The password of ada is set." in shown
    assert verifies(instance, password)
