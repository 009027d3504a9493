"""Templates: what is escaped, what is missing, and whose template counts."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import jinja2
import pytest
from markupsafe import Markup

from softix_proxy.exports.core.templates import HtmlTemplates, PlainTemplates
from softix_proxy.exports.core.texts import Texts

SCRIPT = "<script>alert(1)</script>"
SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;"
TEXTS = Texts("en", {"a.hello": "Hello {name} & <all>", "a.keys": {"one": "{n} key", "other": "{n} keys"}})


def html(folder: Path, template: str, **values: object) -> str:
    (folder / "page.html").write_text(template)
    return HtmlTemplates("portal", TEXTS, UTC, folder).render("page", values)


def plain(folder: Path, template: str, **values: object) -> str:
    (folder / "page.txt").write_text(template)
    return PlainTemplates("portal", TEXTS, UTC, folder).render("page", values)


def test_value_in_html_is_escaped(tmp_path: Path) -> None:
    assert html(tmp_path, "{{ name }}", name=SCRIPT) == SAFE


def test_text_in_html_is_escaped_with_its_values(tmp_path: Path) -> None:
    assert html(tmp_path, '{{ t("a.hello", name=name) }}', name=SCRIPT) == f"Hello {SAFE} &amp; &lt;all&gt;"


def test_markup_within_a_text_stays_markup(tmp_path: Path) -> None:
    link = Markup('<a href="/">Ada</a>')
    assert html(tmp_path, '{{ t("a.hello", name=name) }}', name=link) == f"Hello {link} &amp; &lt;all&gt;"


def test_value_in_plain_text_stays_as_it_is(tmp_path: Path) -> None:
    assert plain(tmp_path, '{{ t("a.hello", name=name) }}', name=SCRIPT) == f"Hello {SCRIPT} & <all>"


def test_text_of_a_number_follows_it_in_a_template(tmp_path: Path) -> None:
    assert html(tmp_path, '{{ t("a.keys", n=1) }}, {{ t("a.keys", n=3) }}') == "1 key, 3 keys"


def test_missing_value_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(jinja2.UndefinedError):
        html(tmp_path, "{{ nobody }}")


def test_missing_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        html(tmp_path, '{{ t("a.bye") }}')


def test_amounts_counts_and_times_have_filters(tmp_path: Path) -> None:
    shown = "{{ 1500000000000 | usd }} {{ 1509999999999 | usd_cents }} {{ 12345 | number }}"
    assert plain(tmp_path, shown) == "$1.50 $1.50 12,345"
    assert plain(tmp_path, "{{ 0 | when }} {{ 0 | day }}") == "1970-01-01 00:00 1970-01-01"
    assert html(tmp_path, "{{ 0 | when }}") == (
        '<time datetime="1970-01-01T00:00:00.000000Z">1970-01-01 00:00</time>'
    )


def test_own_template_is_used_where_nobody_overrides_it(tmp_path: Path) -> None:
    with pytest.raises(jinja2.UndefinedError):  # it is found, and wants its values
        HtmlTemplates("portal", TEXTS, UTC, tmp_path).render("error", {})
