from __future__ import annotations

from softix_proxy.web.portal.core.security_headers import security_headers


def test_page_loads_nothing_from_elsewhere_and_is_in_no_frame() -> None:
    headers = dict(security_headers(is_https=True))
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "camera=()" in headers["Permissions-Policy"]


def test_page_whose_form_leads_to_a_payment_page_names_its_origin() -> None:
    policy = dict(security_headers(is_https=True, forms_to=("https://checkout.stripe.com",)))["Content-Security-Policy"]
    assert "form-action 'self' https://checkout.stripe.com;" in policy


def test_page_with_a_script_takes_it_from_the_portal_alone() -> None:
    policy = dict(security_headers(is_https=True, has_script=True))["Content-Security-Policy"]
    assert "script-src 'self'; connect-src 'self';" in policy
    assert "unsafe" not in policy


def test_https_is_kept_for_a_year_and_plain_http_is_not_turned_into_it() -> None:
    assert dict(security_headers(is_https=True))["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in dict(security_headers(is_https=False))


def test_file_with_its_hash_in_the_url_is_kept_by_browsers() -> None:
    assert (
        dict(security_headers(is_https=True, is_forever=True))["Cache-Control"] == "public, max-age=31536000, immutable"
    )
