from softix_proxy.web.router.responses import respond


def test_response_without_a_content_type_is_json() -> None:
    told = respond(b"{}")
    assert (told.status, told.body, told.headers["content-type"]) == (200, b"{}", "application/json")
    told = respond(b"x 1", 503, "text/plain; version=0.0.4")
    assert (told.status, told.headers["content-type"]) == (503, "text/plain; version=0.0.4")
