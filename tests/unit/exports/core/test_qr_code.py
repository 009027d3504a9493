import re
from xml.etree import ElementTree

from softix_proxy.exports.core.qr_code import qr_code_svg

SECRET = "JBSWY3DPEHPK3PXP"


def test_qr_code_is_an_svg_without_the_text_a_style_or_a_script() -> None:
    svg = qr_code_svg(f"otpauth://totp/softix:ada@example.org?secret={SECRET}&issuer=<softix>")
    root = ElementTree.fromstring(svg)
    assert root.tag == "svg"
    assert SECRET not in svg and "otpauth" not in svg
    assert not re.search(r"style|script|\bon\w+=|href", svg)


def test_qr_code_is_dark_on_light_in_every_colour_scheme() -> None:
    strokes = re.findall(r'(?:fill|stroke)="([^"]+)"', qr_code_svg("x"))
    assert set(strokes) == {"#fff", "#000"}
