"""The pages of the portal still say what the pictures of the documents show. Pixels are not compared."""

from __future__ import annotations

import sys

import pytest
from support.browser import program
from support.sources import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import make_pictures


@pytest.mark.slow
async def test_pages_say_what_their_pictures_show() -> None:
    program()  # skips the test where there is no Chromium
    found = make_pictures.differences(await make_pictures.drawn())
    assert not found, "\n".join([*found, "instead: make pictures, and look at them"])
