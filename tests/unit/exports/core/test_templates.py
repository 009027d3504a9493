"""Templates: what is escaped, and what is missing."""

from __future__ import annotations

from datetime import UTC

import jinja2
import pytest
from markupsafe import Markup

from softix_proxy.exports.core.templates import HtmlTemplates
from softix_proxy.exports.core.texts import Texts

SCRIPT = "<script>alert(1)</script>"
SAFE = "&lt;script&gt;alert(1)&lt;/script&gt;"
TEXTS = Texts("en", {"a.hello": "Hello {name} & <all>", "a.keys": {"one": "{n} key", "other": "{n} keys"}})


def html(template: str, **values: object) -> str:
    loader = jinja2.DictLoader({"page.html": template})
    return HtmlTemplates("portal", TEXTS, UTC, loader).render("page", values)


def test_value_is_escaped() -> None:
    assert html("{{ name }}", name=SCRIPT) == SAFE


def test_text_is_escaped_with_its_values() -> None:
    assert html('{{ t("a.hello", name=name) }}', name=SCRIPT) == f"Hello {SAFE} &amp; &lt;all&gt;"


def test_markup_within_a_text_stays_markup() -> None:
    link = Markup('<a href="/">Ada</a>')
    assert html('{{ t("a.hello", name=name) }}', name=link) == f"Hello {link} &amp; &lt;all&gt;"


def test_text_of_a_number_follows_it_in_a_template() -> None:
    assert html('{{ t("a.keys", n=1) }}, {{ t("a.keys", n=3) }}') == "1 key, 3 keys"


def test_missing_value_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        html("{{ nobody }}")


def test_missing_text_is_an_error() -> None:
    with pytest.raises(LookupError):
        html('{{ t("a.bye") }}')


def test_amounts_counts_and_times_have_filters() -> None:
    assert (
        html("{{ 1500000000000 | usd }} {{ 1509999999999 | usd_cents }} {{ 12345 | number }}") == "$1.50 $1.50 12,345"
    )
    assert html("{{ 0 | when }}") == '<time datetime="1970-01-01T00:00:00.000000Z">1970-01-01 00:00</time>'
    assert html("{{ 0 | day }}") == '<time datetime="1970-01-01T00:00:00.000000Z">1970-01-01</time>'


def test_templates_of_the_package_are_found_without_a_loader() -> None:
    with pytest.raises(jinja2.UndefinedError):  # it is found, and wants its values
        HtmlTemplates("portal", TEXTS, UTC).render("error", {})
