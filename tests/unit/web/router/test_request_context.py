from softix_proxy.web.visit import Answer, Visit


def test_a_credential_is_in_no_repr() -> None:
    visit = Visit(None, "openai", "llama", "canary", "10.0.0.1")  # type: ignore[arg-type]
    assert "canary" not in repr(visit) and "llama" in repr(visit)


def test_an_answer_is_json_unless_it_says_so() -> None:
    assert (Answer(b"{}").status, Answer(b"{}").content_type) == (200, "application/json")
