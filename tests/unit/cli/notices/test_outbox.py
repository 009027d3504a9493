from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from softix_proxy import assembly
from softix_proxy.domain.notices.contents import ACTION
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.operations.notices import mail_password, outbox

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def given_up(instance: Path) -> str:
    """Adds a message that was given up, and returns its id."""

    async def add() -> str:
        async with assembly.open_instance(assembly.read_settings(None, instance)) as opened:
            notice = Notice(NoticeKind.RESET_PASSWORD, "ada@example.org", links={ACTION: "/reset?token=s3cret"})
            async with opened.storage.writing() as unit:
                await outbox.enqueue(unit, await opened.vault(), notice)
                now_us = unit.clock.now_us()
                [claimed] = await unit.outbox.claim(now_us, now_us + 1, 1)
                await unit.outbox.failed(claimed, None, "recipient_refused", now_us)
            return claimed.public_id

    return asyncio.run(add())


def configure(instance: Path, text: str) -> None:
    instance.joinpath("config.toml").write_text(f"[mail]\n{text}\n")


def test_test_message_is_written_into_the_folder(instance: Path, read: Read) -> None:
    shown = read("mail test ada@example.org")
    assert (shown["to"], shown["transport"], shown["where"]) == ("ada@example.org", "file", str(instance / "mail"))
    [file] = (instance / "mail").iterdir()
    message = message_from_bytes(file.read_bytes())
    assert message["To"] == "ada@example.org" and message["Message-ID"] == f"<{shown['id']}@localhost>"


def test_test_message_that_does_not_leave_says_what_to_do(instance: Path, run: Softix) -> None:
    configure(instance, 'transport = "off"')
    told = run("mail test ada@example.org", code=1).output
    assert "mail is turned off" in told and "→ set mail.transport" in told


@pytest.mark.parametrize("address", ["ada", "'a@x.example,b@x.example'"])
def test_test_message_to_no_address_is_refused(run: Softix, address: str) -> None:
    assert "not a usable e-mail" in run(f"mail test {address}", code=2).output


def test_messages_are_listed_without_what_they_say_and_retried(instance: Path, run: Softix, read: Read) -> None:
    name = given_up(instance)
    [row] = read("mail list --state given-up")
    assert (row["id"], row["kind"], row["to"], row["error"]) == (
        name,
        "reset_password",
        "ada@example.org",
        "recipient_refused",
    )
    assert "s3cret" not in run("mail list").output and name in run("mail list").output
    assert read(f"mail retry {name}")["state"] == "waiting"
    assert read("mail list --state given-up") == []
    assert "only what was given up" in run(f"mail retry {name}", code=1).output
    assert "no message" in run("mail retry msg_unknown", code=1).output


@pytest.mark.parametrize("kind", NoticeKind)
def test_preview_of_each_kind_shows_the_message(read: Read, kind: NoticeKind) -> None:
    shown = read(f"mail preview {kind.value}")
    assert shown["subject"] and shown["text"].startswith("Hello,") and shown["html"].startswith("<!doctype html>")


def test_preview_prints_text_or_html(run: Softix) -> None:
    assert run("mail preview receipt").output.startswith("Subject: Your receipt\n\nHello,")
    assert run("mail preview receipt --html").output.startswith("<!doctype html>")


def test_preview_of_a_template_that_fails_names_it(instance: Path, run: Softix) -> None:
    configure(instance, 'templates = "own"')
    instance.joinpath("own").mkdir()
    instance.joinpath("own/receipt.txt").write_text("one\n{% if %}\n")
    assert "the template of receipt.txt, line 2 fails" in run("mail preview receipt", code=1).output
    run("mail preview invoice")


def test_password_is_read_from_standard_input_a_file_or_a_variable(
    instance: Path, run: Softix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(instance, 'host = "smtp.example.org"\nuser = "softix"')
    texts = [secrets.token_urlsafe(12) for _ in range(3)]
    tmp_path.joinpath("password").write_text(f"{texts[1]}\n")
    monkeypatch.setenv("MAIL_PASSWORD", texts[2])

    async def stored() -> str | None:
        async with assembly.open_instance(assembly.read_settings(None, instance)) as opened:
            vault = await opened.vault()
            return await mail_password.password(opened.storage.reading(), vault, opened.settings.mail)

    for text, line, stdin in (
        (texts[0], "mail set-password --password-stdin", f"{texts[0]}\n"),
        (texts[1], f"mail set-password --password-file {tmp_path / 'password'}", ""),
        (texts[2], "mail set-password --password-env MAIL_PASSWORD", ""),
    ):
        assert text not in run(line, stdin=stdin).output
        assert asyncio.run(stored()) == text


def test_password_without_a_source_or_a_server_is_refused(instance: Path, run: Softix) -> None:
    assert "no terminal" in run("mail set-password", code=2).output
    assert "belongs to a mail server" in run("mail set-password --password-stdin", code=2, stdin="x\n").output
    told = run("mail set-password --password-stdin --password-env HOME", code=2, stdin="x\n").output
    assert "the password has more than one source" in told
