"""QR codes as SVG within a page. They are dark on light in every colour scheme, or cameras do not read them."""

from __future__ import annotations

import segno

_DARK, _LIGHT = "#000", "#fff"
_SCALE, _BORDER = 5, 4
"""The quiet zone of four modules that ISO/IEC 18004 asks for."""


def qr_code_svg(text: str) -> str:
    """Returns an `svg` element with the text as a QR code. It has no style and no script, so pages may have it."""
    code = segno.make(text, error="m", micro=False)
    return code.svg_inline(scale=_SCALE, border=_BORDER, dark=_DARK, light=_LIGHT, svgclass="qr-code", lineclass=None)
