"""Renders pages from templates. Whatever is put into HTML is escaped, and a missing value is an error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

import jinja2
from markupsafe import Markup, escape

from softix_proxy.exports.core import shown
from softix_proxy.exports.core.texts import Texts, fill


class HtmlTemplates:
    """The templates of a folder of `data/templates/`, for HTML."""

    def __init__(self, folder: str, texts: Texts, zone: tzinfo, loader: jinja2.BaseLoader | None = None) -> None:
        """Takes the language and the zone of times. `loader` finds templates in the place of those of the package."""
        self._environment = _environment(loader or jinja2.PackageLoader("softix_proxy", f"data/templates/{folder}"))
        self._environment.globals |= {"t": _HtmlTexts(texts).text, "lang": texts.locale}
        self._environment.filters |= {
            "usd": shown.usd,
            "usd_cents": shown.usd_cents,
            "when": lambda instant_us: _time(instant_us, shown.local_time(instant_us, zone)),
            "day": lambda instant_us: _time(instant_us, shown.local_day(instant_us, zone)),
            "number": "{:,}".format,
        }

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """Renders `NAME.html`. Raises jinja2.TemplateError, and LookupError for a text that is not there."""
        return self._environment.get_template(f"{name}.html").render(values)


class _HtmlTexts:
    """The texts of a catalogue, escaped with their values. A value that is markup already stays as it is."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def text(self, key: str, **values: Any) -> Markup:
        pattern = str(escape(self._texts.pattern(key, values.get("n"))))
        return Markup(fill(pattern, {name: str(escape(value)) for name, value in values.items()}))  # noqa: S704 # all of it is escaped


def _environment(loader: jinja2.BaseLoader) -> jinja2.Environment:
    return jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _time(instant_us: int, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(shown.machine_time(instant_us), text)
