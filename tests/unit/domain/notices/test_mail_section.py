from __future__ import annotations

from pathlib import Path

import pytest

from softix_proxy import settings
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.notices.mail_section import MailSection

SMTP = {"transport": "smtp", "host": "smtp.example.org", "from_address": "softix@example.org"}


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_port_is_the_usual_one_unless_it_is_set(security: str, port: int) -> None:
    assert MailSection(**SMTP, security=security).usual_port == port  # type: ignore[arg-type]
    assert MailSection(**SMTP, security=security, port=2525).server == "smtp.example.org:2525"  # type: ignore[arg-type]


def test_messages_go_to_a_folder_in_the_data_directory_unless_another_is_named() -> None:
    assert MailSection().eml_folder(Path("/data")) == Path("/data/mail")
    assert MailSection(folder=Path("/else")).eml_folder(Path("/data")) == Path("/else")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"host": None}, "needs a mail server"),
        ({"from_address": None}, "needs mail.from_address"),
        ({"security": "none"}, "only for a mail server on this machine"),
        ({"security": "none", "host": "10.0.0.5"}, "only for a mail server on this machine"),
        ({"security": "none", "host": "localhost.example.org"}, "only for a mail server on this machine"),
    ],
)
def test_settings_that_cannot_work_or_that_others_could_read_are_refused(changes: dict[str, str], told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        MailSection(**{**SMTP, **changes}).require()  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_server_on_this_machine_may_be_spoken_to_without_encryption(host: str) -> None:
    MailSection(**{**SMTP, "host": host, "security": "none"}).require()  # type: ignore[arg-type]


def test_settings_are_refused_when_they_are_read(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="needs a mail server"):
        settings.load(None, tmp_path, {"SOFTIX_MAIL_TRANSPORT": "smtp"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FROM_ADDRESS", "a@x.example,b@x.example"),
        ("FROM_ADDRESS", "ada"),
        ("FROM_NAME", "a\nb"),
        ("REPLY_TO", "<ada@example.org>"),
        ("LOW_BALANCE_USD", "five"),
        ("PORT", "0"),
        ("SECURITY", "ssl"),
        ("KEEP_DAYS", "31"),
    ],
)
def test_setting_out_of_range_is_refused_by_its_name(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=f"SOFTIX_MAIL_{name} must be"):
        settings.load(None, tmp_path, {f"SOFTIX_MAIL_{name}": value})


def test_settings_by_default_write_messages_into_a_folder(tmp_path: Path) -> None:
    assert settings.load(None, tmp_path, {}).mail == MailSection()
