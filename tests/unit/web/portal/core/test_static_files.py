from __future__ import annotations

import re
from importlib.resources import files

from support.portal import Portal

from softix_proxy.web.portal.core.static_files import style_sheet


async def test_style_sheet_has_its_hash_in_the_url_and_is_kept_by_browsers(portal: Portal) -> None:
    url = style_sheet().url
    assert re.fullmatch(r"/static/portal\.css\?[0-9a-f]{16}", url)
    got = await portal.get(url)
    assert (got.status, got.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in got.headers["Cache-Control"]
    assert got.text == files("softix_proxy").joinpath("data/portal.css").read_text("utf-8")


def test_style_sheet_loads_nothing() -> None:
    text = style_sheet().content.body.decode()
    assert "@import" not in text
    assert "url(" not in text


async def test_health_page_answers_under_every_name_of_the_host(portal: Portal) -> None:
    got = await portal.get("/healthz", host="10.0.0.7:8485")
    assert (got.status, got.text) == (200, '{"status":"ok"}')
