from softix_proxy.doctor.findings import Severity, error, ok, warning


def test_each_comes_with_its_remedy_but_what_is_well() -> None:
    assert ok("a") == (Severity.OK, "a", "")
    assert warning("a", "b") == (Severity.WARNING, "a", "b")
    assert error("a", "b") == (Severity.ERROR, "a", "b")
