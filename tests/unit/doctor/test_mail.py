from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.notices.mail_section import MailSection
from softix_proxy.domain.ports.mail import DeliveryError, DeliveryFault
from softix_proxy.settings import Settings
from softix_proxy.storage.sqlite.core.engine import SqliteConnection

PORTAL = PortalSection(enabled=True, public_url="https://portal.example.org")
SMTP = MailSection(transport="smtp", host="smtp.example.org", from_address="softix@example.org")
ROW = (
    "INSERT INTO outbox (public_id, kind, email, template_values, state, next_at_us, created_at_us, ended_at_us)"
    " VALUES ('{name}', 'test', 'ada@example.org', '{{}}', '{state}', 1, 1, {ended})"
)


class Health:
    def __init__(self, fault: DeliveryFault | None = None, broken: Sequence[str] = ()) -> None:
        self.fault = fault
        self.broken = broken

    async def server(self) -> None:
        if self.fault is not None:
            raise DeliveryError(self.fault)

    def broken_templates(self) -> Sequence[str]:
        return self.broken


async def fetch(url: str, *arguments: Any, **options: Any) -> Any:
    raise AssertionError("no provider is asked")


def with_mail(settings: Settings, mail: MailSection, portal: PortalSection = PORTAL) -> Settings:
    return replace(settings, mail=mail, portal=portal)


@pytest.mark.parametrize(
    ("mail", "portal", "severity", "told"),
    [
        (MailSection(), PortalSection(), Severity.OK, "messages go to files in"),
        (MailSection(), PORTAL, Severity.WARNING, "so nobody gets them"),
        (MailSection(), replace(PORTAL, public_url="http://127.0.0.1:8485"), Severity.OK, "messages go to files in"),
        (MailSection(transport="off"), PORTAL, Severity.WARNING, "mail is off, so nobody gets a link"),
        (MailSection(transport="off"), PortalSection(), Severity.OK, "mail is off"),
        (SMTP, PORTAL, Severity.OK, "was not asked"),
    ],
)
async def test_mail_check_says_where_messages_go(
    made: Settings, look: Any, mail: MailSection, portal: PortalSection, severity: Severity, told: str
) -> None:
    first, last = await look("mail", settings=with_mail(made, mail, portal))
    assert (first.severity, told in first.message) == (severity, True)
    assert (last.severity, last.message) == (Severity.OK, "no message is late (0 waiting)")


@pytest.mark.parametrize("fault", [DeliveryFault.LOGIN_REFUSED, DeliveryFault.TLS_FAILED, DeliveryFault.NO_PASSWORD])
async def test_mail_check_of_a_server_that_takes_nothing_is_an_error(
    made: Settings, look: Any, fault: DeliveryFault
) -> None:
    found = await look("mail", settings=with_mail(made, SMTP), mail=Health(fault), fetch=fetch)
    assert found[0].severity is Severity.ERROR and "smtp.example.org:587" in found[0].message and found[0].remedy


async def test_mail_check_of_a_server_that_takes_messages_is_ok(made: Settings, look: Any) -> None:
    found = await look("mail", settings=with_mail(made, SMTP), mail=Health(), fetch=fetch)
    assert found[0].message == "smtp.example.org:587 takes messages"


async def test_mail_check_names_templates_that_fail(made: Settings, look: Any, tmp_path: Path) -> None:
    mail = MailSection(templates=tmp_path)
    found = await look("mail", settings=with_mail(made, mail, PortalSection()), mail=Health(broken=["receipt"]))
    [broken] = [each for each in found if each.severity is Severity.ERROR]
    assert "receipt" in broken.message and broken.remedy.endswith("softix mail preview receipt")
    tmp_path.joinpath("invoice.txt").write_text("{% if %}")
    found = await look("mail", settings=with_mail(made, mail, PortalSection()))
    assert ["invoice" in each.message for each in found if each.severity is Severity.ERROR] == [True]


async def test_mail_check_names_messages_that_were_given_up_or_wait_too_long(
    made: Settings, look: Any, books: SqliteConnection
) -> None:
    books.execute(ROW.format(name="msg_a", state="given-up", ended=1))
    books.execute(ROW.format(name="msg_b", state="waiting", ended="NULL"))
    _, given_up, late = await look("mail")
    assert (given_up.message, late.message) == (
        "1 message was given up",
        "1 message waits, the oldest for more than an hour",
    )
    assert {given_up.severity, late.severity} == {Severity.WARNING}
    assert "ada" not in str((given_up, late))
