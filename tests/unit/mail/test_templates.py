from __future__ import annotations

import html
import logging
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.sources import ROOT

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.notices.contents import ACTION, CONTENTS
from softix_proxy.domain.notices.notice_preferences import OPTIONAL_KINDS
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.mail import DeliveryError, DeliveryFault
from softix_proxy.exports.core.texts import texts
from softix_proxy.mail.message import RenderedNotice
from softix_proxy.mail.samples import sample
from softix_proxy.mail.templates import PROSE, NoticeTemplates

URL = "https://portal.example.org"
FOLDER = ROOT / "softix_proxy/data/templates/mail"
ELEMENTS = {
    "a",
    "body",
    "br",
    "div",
    "head",
    "hr",
    "html",
    "meta",
    "p",
    "span",
    "strong",
    "table",
    "td",
    "th",
    "title",
    "tr",
}
EMPTY = {"br", "hr", "meta"}


class Page(HTMLParser):
    """Checks that each element is known and closed, and collects addresses."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ELEMENTS, tag
        if tag not in EMPTY:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on") and name != "src"
            if name == "href":
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def made(folder: Path | None = None, url: str | None = URL) -> NoticeTemplates:
    return NoticeTemplates(texts(), url, folder)


def rendered(kind: NoticeKind, values: Mapping[str, str] | None = None, **options: object) -> RenderedNotice:
    notice, links = sample(kind)
    if values is not None:
        notice = Notice(kind, notice.email, values)
    return made(**options).render(notice, links)  # type: ignore[arg-type]


def test_every_kind_has_its_content_and_its_texts() -> None:
    assert {*CONTENTS} == {*NoticeKind}
    assert {path.name for path in FOLDER.iterdir()} == {"base.txt", "base.html"}
    for kind in NoticeKind:
        shown = rendered(kind)
        for part in ("intro", "outro") if f"mail_{kind.value}.outro" in texts() else ("intro",):
            said = texts().text(f"mail_{kind.value}.{part}")
            assert said in shown.text and said in html.unescape(shown.html)
        has_button = bool(sample(kind)[1] or CONTENTS[kind].page)
        assert (f"mail_{kind.value}.action" in texts()) is has_button
        assert not has_button or f"{texts().text(f'mail_{kind.value}.action')}:\n{URL}/" in shown.text


@pytest.mark.parametrize("kind", NoticeKind)
def test_message_of_each_kind_shows_every_value_in_both_parts_and_links_to_the_public_url_only(
    kind: NoticeKind,
) -> None:
    notice, links = sample(kind)
    shown = made().render(notice, links)
    page = Page(shown.html)
    assert shown.subject == texts().text(f"mail_{kind.value}.subject") != ""
    for value in notice.values.values():
        for part in value.split("\n\n"):
            assert part in shown.text and part in shown.html
    found = [*page.links, *re.findall(r"https?://\S+", shown.text)]
    assert all(link.startswith(f"{URL}/") for link in found)
    wanted = links.get(ACTION) or CONTENTS[kind].page
    assert (f"{URL}{wanted}" in shown.text and f"{URL}{wanted}" in page.links) or not wanted
    assert (f"{URL}/account/notices" in shown.text) is (kind in OPTIONAL_KINDS)
    assert (texts().text("mail.not_you") in shown.text) is CONTENTS[kind].is_alarm
    assert "\n\n\n" not in shown.text and not re.search(r"[ \t]+\n", shown.text)


@pytest.mark.parametrize("kind", NoticeKind)
def test_message_of_each_kind_without_values_is_made_too(kind: NoticeKind) -> None:
    shown = rendered(kind, {})
    assert Page(shown.html) and "None" not in shown.text + shown.html


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_value_of_a_kind_has_a_label(kind: NoticeKind) -> None:
    for name in {*CONTENTS[kind].values} - PROSE:
        assert texts().text(f"mail_facts.{name}")


def test_every_text_of_messages_is_used() -> None:
    catalogue = texts()
    named = set(re.findall(r't\("(mail[\w.]*)"\)', "".join(path.read_text() for path in FOLDER.iterdir())))
    labels = {f"mail_facts.{name}" for content in CONTENTS.values() for name in {*content.values} - PROSE}
    needed = {f"mail_{kind.value}.{part}" for kind in NoticeKind for part in ("subject", "intro")}
    optional = {f"mail_{kind.value}.{part}" for kind in NoticeKind for part in ("action", "outro")}
    found = {key for key in catalogue if re.match(r"mail(_\w+)?\.", key)}
    assert found - optional == named | labels | needed


def test_value_with_markup_is_escaped_in_html_and_is_as_it_is_in_text() -> None:
    shown = rendered(NoticeKind.KEY_CREATED, {"key": "<script>alert('x')</script>\"&", "organisation": "A & B"})
    assert "<script>" not in shown.html and "&lt;script&gt;" in shown.html and "A &amp; B" in shown.html
    assert "<script>alert('x')</script>\"&" in shown.text
    Page(shown.html)


def test_value_of_several_lines_is_one_line_and_a_long_one_is_shortened() -> None:
    shown = rendered(NoticeKind.KEY_CREATED, {"key": "ci\n\n--\nPay at once", "organisation": "x" * 5000})
    assert "\nPay at once" not in shown.text and "ci\\n\\n--\\nPay at once" in shown.text
    assert "x" * 200 + "…" in shown.text and "x" * 201 not in shown.text


def test_value_with_braces_is_no_template() -> None:
    shown = rendered(NoticeKind.KEY_CREATED, {"key": "{{ 7 * 7 }}{% raw %}", "organisation": "{when}"})
    assert "{{ 7 * 7 }}{% raw %}" in shown.text and "{when}" in shown.text


def test_value_that_a_kind_does_not_know_is_not_shown() -> None:
    assert "secret" not in str(rendered(NoticeKind.TEST, {"password": "secret"}))


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/a b", "/a\r\nb", "evil.example", ""])
def test_link_that_is_no_path_of_the_portal_makes_no_message(path: str) -> None:
    notice = Notice(NoticeKind.RESET_PASSWORD, "ada@example.org")
    if not path:
        assert URL not in made().render(notice, {ACTION: path}).text
        return
    with pytest.raises(DeliveryError) as refused:
        made().render(notice, {ACTION: path})
    assert refused.value.fault is DeliveryFault.LINKS_UNREADABLE


def test_message_with_a_link_and_no_public_url_is_not_made_and_one_without_is() -> None:
    notice, links = sample(NoticeKind.RESET_PASSWORD)
    with pytest.raises(DeliveryError) as refused:
        made(url=None).render(notice, links)
    assert refused.value.fault is DeliveryFault.NO_PUBLIC_URL
    assert "http" not in made(url=None).render(*sample(NoticeKind.KEY_CREATED)).text


def test_template_of_an_operator_replaces_ours_and_may_extend_the_base(tmp_path: Path) -> None:
    tmp_path.joinpath("receipt.txt").write_text("Thanks for {{ values.amount }}")
    tmp_path.joinpath("receipt.html").write_text(
        '{% extends "base.html" %}{% block intro %}<b>{{ values.number }}</b>{% endblock %}'
    )
    shown = rendered(NoticeKind.RECEIPT, folder=tmp_path)
    assert shown.text == "Thanks for $25.00\n" and "<b>2026-00042</b>" in shown.html
    assert shown.subject == texts().text("mail_receipt.subject")
    tmp_path.joinpath("receipt.txt").write_text("{% block subject %}Receipt {{ values.number }}{% endblock %}")
    assert rendered(NoticeKind.RECEIPT, folder=tmp_path).subject == "Receipt 2026-00042"
    assert rendered(NoticeKind.INVOICE, folder=tmp_path) == rendered(NoticeKind.INVOICE)


def test_base_of_an_operator_changes_every_message_without_a_template_of_its_own(tmp_path: Path) -> None:
    tmp_path.joinpath("base.txt").write_text("{% block intro %}{{ words.intro }}{% endblock %} ACME")
    tmp_path.joinpath("receipt.txt").write_text('{% extends "base.txt" %}{% block intro %}Thanks.{% endblock %}')
    said = texts().text("mail_invoice.intro")
    assert rendered(NoticeKind.INVOICE, folder=tmp_path).text == f"{said} ACME\n"
    assert rendered(NoticeKind.RECEIPT, folder=tmp_path).text == "Thanks. ACME\n"


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ t.__self__ }}",
        "{{ values.items.__func__ }}",
        "{{ missing }}",
        "{% if %}",
        "{{ t('no.such') }}",
        "{% include '../../../settings.py' %}",
        "{% for i in range(10 ** 9) %}{% endfor %}",
        "{{ values.update({}) }}",
    ],
)
def test_template_of_an_operator_that_fails_or_reaches_out_is_told_and_ours_is_sent(
    source: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.joinpath("receipt.txt").write_text(source)
    with caplog.at_level(logging.WARNING):
        assert rendered(NoticeKind.RECEIPT, folder=tmp_path) == rendered(NoticeKind.RECEIPT)
    assert [record.getMessage() for record in caplog.records] == ["a template for messages failed"]
    with pytest.raises(FailureError, match="receipt"):
        made(tmp_path).preview(*sample(NoticeKind.RECEIPT))
