"""The pages against their templates and texts: what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import pytest
from support.sources import ROOT

from softix_proxy.exports.core.texts import texts
from softix_proxy.web.portal.core.page import Access
from softix_proxy.web.portal.core.portal_router import PortalRouter
from softix_proxy.web.portal.route_table import ROUTES

TEMPLATES = sorted((ROOT / "softix_proxy/data/templates/portal").glob("*.html"))
PAGES = sorted((ROOT / "softix_proxy/web/portal").rglob("*.py"))
TEXT = re.compile(r"""\bt\(\s*["']([a-z_]+\.[a-z_]+)["']\s*[,)]""")
MESSAGE = re.compile(r'"(flash\.[a-z_]+)"')


def test_no_two_routes_have_one_method_and_pattern() -> None:
    PortalRouter(ROUTES)


def test_page_of_operators_lies_below_admin_and_nothing_else_does() -> None:
    for route in ROUTES:
        assert (route.access is Access.OPERATOR) == route.pattern.startswith("/admin"), route.pattern


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_can_be_read_and_its_texts_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    jinja2.Environment(autoescape=True).parse(text)
    assert set(TEXT.findall(text)) <= set(texts())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_has_no_script_no_style_and_nothing_that_is_not_escaped(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"\bstyle=|<style|\son[a-z]+=|<script(?![^>]*\bsrc=)|\|\s*safe\b", text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_message_of_a_page_exists() -> None:
    used = {key for path in PAGES for key in MESSAGE.findall(path.read_text("utf-8"))}
    assert used <= set(texts())
