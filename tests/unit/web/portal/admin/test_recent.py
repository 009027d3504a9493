from softix_proxy.web.portal.admin.recent import recent_from


def test_recent_usage_is_that_of_a_month() -> None:
    assert recent_from(1_800_000_000_000_000) == "2026-12-15T08:00:00.000000Z"
