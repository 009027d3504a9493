from softix_proxy.doctor.findings import Severity, error, ok, warning


def test_findings_other_than_ok_have_a_remedy() -> None:
    assert ok("a") == (Severity.OK, "a", "")
    assert warning("a", "b") == (Severity.WARNING, "a", "b")
    assert error("a", "b") == (Severity.ERROR, "a", "b")
