"""Renders messages from one template for text and one for HTML, with the catalogue's texts of their kind.

An operator may replace both, and may give any kind a template of its own.

All of them run in jinja2's sandbox, since an operator's template should not reach the process that renders it. HTML is
escaped by itself. What others wrote, such as the name of a key, is shown on one line and shortened.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from softix_proxy.domain.core.display import visible, visible_lines
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.notices.contents import ACTION, CONTENTS
from softix_proxy.domain.notices.notice_preferences import OPTIONAL_KINDS
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.mail import DeliveryError, DeliveryFault
from softix_proxy.exports.core.texts import Texts
from softix_proxy.mail.message import RenderedNotice

log = logging.getLogger("softix.mail")
PROSE = frozenset(("text", "answer"))
"""The values that are paragraphs of several lines. All others are facts on one line."""
_PARTS = ("intro", "action", "outro")
"""The blocks of a template, each with the text of the same name in the section of the kind."""
_FAILURES = (TemplateError, LookupError, ValueError, TypeError, ArithmeticError, RecursionError, OSError)
"""What a template can raise."""
_MOST_LETTERS = 200
_MOST_PROSE_LETTERS = 10_000
_PREFERENCES = "/account/notices"
_ALARM_PAGE = "/account/password"


class NoticeTemplates:
    """Renders each kind of message."""

    def __init__(self, texts: Texts, origin: str | None, folder: Path | None = None) -> None:
        """Takes the address that all links begin with, and the folder of the operator's templates."""
        self._texts = texts
        self._origin = origin
        self._own = _environment(texts, None)
        self._overridden = None if folder is None else _environment(texts, folder)

    def render(self, notice: Notice, links: Mapping[str, str]) -> RenderedNotice:
        """Returns the texts of the message. Raises DeliveryError if it has links and there is no public URL.

        If an operator's template fails, the message is made of softix's own, because people wait for it.
        """
        values = self._values(notice, links)
        if self._overridden is not None:
            try:
                return self.rendered(self._overridden, notice.kind, values)
            except _FAILURES as error:
                log.warning("a template for messages failed", extra={"error": type(error).__name__})
        try:
            return self.rendered(self._own, notice.kind, values)
        except (TemplateError, LookupError):
            raise DeliveryError(DeliveryFault.TEMPLATE_FAILED) from None

    def preview(self, notice: Notice, links: Mapping[str, str]) -> RenderedNotice:
        """Returns the texts of the message as the operator's templates make it, and takes no others.

        Raises FailureError if one of them fails.
        """
        try:
            return self.rendered(self._overridden or self._own, notice.kind, self._values(notice, links))
        except TemplateSyntaxError as error:
            place, why = f"{error.name or notice.kind.value}, line {error.lineno}", "it is no valid template"
        except _FAILURES as error:
            place, why = notice.kind.value, type(error).__name__
        raise FailureError(f"the template of {place} fails: {why}", "mend it in the folder mail.templates")

    def rendered(
        self, environment: ImmutableSandboxedEnvironment, kind: NoticeKind, values: Mapping[str, Any]
    ) -> RenderedNotice:
        """Returns the message. Its template is the one of its kind, if an operator wrote one, and else the base."""
        text, html = (environment.select_template([f"{kind.value}.{form}", f"base.{form}"]) for form in ("txt", "html"))
        return RenderedNotice(self._subject(text, kind, values), _tidied(text.render(values)), html.render(values))

    def _subject(self, template: Template, kind: NoticeKind, values: Mapping[str, Any]) -> str:
        """Returns what the block `subject` of the text template says, or else the catalogue's subject."""
        block = template.blocks.get("subject")
        if block is None:
            return self._texts.text(f"mail_{kind.value}.subject")
        return "".join(block(template.new_context(dict(values))))

    def _values(self, notice: Notice, links: Mapping[str, str]) -> dict[str, Any]:
        content, texts = CONTENTS[notice.kind], self._texts
        known = [name for name in content.values if notice.values.get(name)]
        action = links.get(ACTION) or next(iter(links.values()), None)
        return {
            "kind": notice.kind.value,
            "words": {part: self._words(notice.kind, part) for part in _PARTS},
            "values": {name: _shown(name, notice.values[name]) for name in known},
            "facts": [
                (texts.text(f"mail_facts.{name}"), _line(notice.values[name])) for name in known if name not in PROSE
            ],
            "prose": [part for name in known if name in PROSE for part in _paragraphs(notice.values[name])],
            "button": self._url(action, needed=True) if action else self._url(content.page or None),
            "password_url": self._url(_ALARM_PAGE) if content.is_alarm else None,
            "preferences_url": self._url(_PREFERENCES) if notice.kind in OPTIONAL_KINDS else None,
            "alarm": content.is_alarm,
            "locale": texts.locale,
        }

    def _words(self, kind: NoticeKind, part: str) -> str:
        """Returns what the catalogue says at this part of the message. Not every kind says something everywhere."""
        key = f"mail_{kind.value}.{part}"
        return self._texts.text(key) if key in self._texts else ""

    def _url(self, path: str | None, *, needed: bool = False) -> str | None:
        """Returns the address of a page. None without a path, or if softix does not know its own address."""
        if path is None:
            return None
        if self._origin is None:
            if needed:
                raise DeliveryError(DeliveryFault.NO_PUBLIC_URL)
            return None
        if not path.startswith("/") or path.startswith("//") or not path.isprintable() or " " in path:
            raise DeliveryError(DeliveryFault.LINKS_UNREADABLE)
        return self._origin + path


def _environment(texts: Texts, folder: Path | None) -> ImmutableSandboxedEnvironment:
    own = FunctionLoader(_own_source)
    environment = ImmutableSandboxedEnvironment(
        loader=own if folder is None else ChoiceLoader([FileSystemLoader(folder), own]),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["t"] = texts.text
    return environment


def _own_source(name: str) -> str:
    place = files("softix_proxy").joinpath(f"data/templates/mail/{name}")
    if "/" in name or not place.is_file():
        raise TemplateNotFound(name)
    return place.read_text("utf-8")


def _shown(name: str, value: str) -> str:
    return visible_lines(value)[:_MOST_PROSE_LETTERS] if name in PROSE else _line(value)


def _line(value: str) -> str:
    shown = visible(value)
    return shown if len(shown) <= _MOST_LETTERS else f"{shown[:_MOST_LETTERS]}…"


def _paragraphs(value: str) -> list[str]:
    """Returns the paragraphs of a longer text. An empty line stands between two."""
    shown = visible_lines(value.replace("\r\n", "\n"))[:_MOST_PROSE_LETTERS]
    return [part.strip() for part in re.split(r"\n\s*\n", shown) if part.strip()]


def _tidied(text: str) -> str:
    """Returns the text with at most one empty line in a row, and no spaces at ends of lines."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"
