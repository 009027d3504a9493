from softix_proxy.domain.metering.usage import UsageSource, UsageTotal, add_up


def test_sources_are_the_stored_words() -> None:
    expected = ["provider", "partial", "estimate", "interrupted", "none", "correction"]
    assert [str(source) for source in UsageSource] == expected


def test_add_up() -> None:
    totals = [UsageTotal("a", "a", 3, 1, 1500, 25, 2, 4), UsageTotal("b", "b", 4, 1, 1500, 25, 3, 6)]
    assert add_up(totals) == UsageTotal("total", "total", 7, 2, 3000, 50, 5, 10)
    assert add_up([], "none") == UsageTotal("none", "none", 0, 0, 0, 0, 0, 0)
