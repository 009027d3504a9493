"""Whatever a provider says of its own key and account, a client does not get it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.playbook import LAB, SECRET

from softix_proxy.relay.core.redaction import NOTHING_HIDDEN, Redaction, StreamRedaction, redaction

secrets = st.text("abcDEF0123-_./+", min_size=16, max_size=120)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
)
FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda key: key,
    "JSON": lambda key: "".join(f"\\u{ord(letter):04x}" for letter in key),
    "JSON in capitals": lambda key: "".join(f"\\u{ord(letter):04X}" for letter in key),
    "slashes": lambda key: key.replace("/", "\\/"),
    "percent": lambda key: "".join(f"%{ord(letter):02x}" for letter in key),
    "quoted": lambda key: quote(key, safe=""),
    "percent twice": lambda key: quote(quote(key, safe=""), safe=""),
    "HTML": lambda key: "".join(f"&#{ord(letter)};" for letter in key),
    "HTML hex": lambda key: "".join(f"&#x{ord(letter):x};" for letter in key),
    "hex": lambda key: key.encode().hex(),
    "HEX": lambda key: key.encode().hex().upper(),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 after a word": lambda key: base64.b64encode(f"Bearer {key}".encode()).decode(),
    "basic": lambda key: base64.b64encode(f"user:{key}:x".encode()).decode(),
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(f"a{key}".encode()).decode(),
    "base64 in JSON": lambda key: base64.b64encode(key.encode()).decode().replace("/", "\\/"),
}


@pytest.mark.parametrize("form", FORMS)
@given(secret=secrets)
def test_error_with_the_key_in_any_form_loses_it(form: str, secret: str) -> None:
    spelled = FORMS[form](secret)
    hidden = Redaction(secret)
    for body in (f'{{"error":{{"message":"no: {spelled}!","code":"x"}}}}', f"<p>no: {spelled}</p>"):
        found = hidden.error(body.encode())
        assert found is None or (spelled.encode() not in found and secret.encode() not in found)
        if found is not None and body.startswith("{"):
            assert json.loads(found)["error"]["code"] == "x" and "[redacted]" in json.loads(found)["error"]["message"]


def test_error_with_the_key_as_a_name_or_deep_inside_loses_it() -> None:
    hidden = Redaction(SECRET)
    told = {"error": {"details": [{"headers": {SECRET: [f"Bearer {SECRET}"]}}]}}
    assert json.loads(hidden.error(json.dumps(told).encode()) or b"") == {
        "error": {"details": [{"headers": {"[redacted]": ["Bearer [redacted]"]}}]}
    }


def test_error_whose_hidden_member_comes_twice_is_withheld() -> None:
    """A decoder keeps the last of them, and the client's may keep the first."""
    assert Redaction(SECRET).error(b'{"error":"%b","error":"x"}' % SECRET.encode()) is None


@given(json_values)
def test_error_without_the_key_or_account_stays_byte_for_byte(value: object) -> None:
    body = json.dumps({"error": value}, indent=1).encode()
    found = Redaction(SECRET, "api.acme.example").error(body)
    assert found is not None and (found == body or b"[redacted]" in found)


def test_error_loses_the_host_of_the_operator_but_not_a_word_like_it() -> None:
    provider = replace(LAB, base_url="https://llm.acme.example/v1")
    hidden = redaction(SECRET, provider)
    body = b'{"error":{"message":"LLM.acme.example: no such label at llm.acme.example.org"}}'
    assert hidden.error(body) == b'{"error":{"message":"[redacted]: no such label at llm.acme.example.org"}}'.replace(
        b"llm.acme.example.org", b"[redacted].org"
    )
    for base_url in ("http://model:8000", LAB.profile.base_url or "http://lab"):
        plain = b'{"error":{"message":"the model api.openai.com knows"}}'
        assert redaction(SECRET, replace(LAB, base_url=base_url)).error(plain) == plain


def test_error_with_more_than_can_be_searched_keeps_its_short_beginning() -> None:
    body = {"error": {"message": "too long", "input": "a" * 100_000, "list": ["b"] * 10_000}}
    found = json.loads(NOTHING_HIDDEN.error(json.dumps(body).encode()) or b"")["error"]
    assert (found["message"], found["input"]) == ("too long", "[redacted]")
    assert NOTHING_HIDDEN.error(b"<p>" + b"a" * 100_000) is None


def test_error_loses_the_members_that_name_the_account() -> None:
    body = b'{"error":{"message":"no","metadata":{"consumer":"acme","model":"m"}},"user_id":"user_x"}'
    assert json.loads(NOTHING_HIDDEN.error(body) or b"") == {
        "error": {"message": "no", "metadata": {"consumer": "[redacted]", "model": "m"}},
        "user_id": "[redacted]",
    }


def test_description_of_a_stored_object_is_cleaned_in_its_errors_only() -> None:
    told = {"id": "batch_1", "errors": {"data": [{"message": "in organization org-4Xk2mmPqRz81"}]}}
    kept = {"metadata": {"project": "org-4Xk2mmPqRz81"}}
    found = NOTHING_HIDDEN.described(json.dumps({**told, **kept}).encode())
    assert json.loads(found) == {
        "id": "batch_1",
        "errors": {"data": [{"message": "in organization [redacted]"}]},
        **kept,
    }
    plain = b'{"id":"batch_1", "errors":null, "metadata":{"project":"org-4Xk2mmPqRz81"}}'
    assert NOTHING_HIDDEN.described(plain) == plain and NOTHING_HIDDEN.described(b'"errors"[') == b'"errors"['


@pytest.mark.parametrize("form", ["plain", "base64", "percent"])
def test_headers_with_the_key_are_left_out(form: str) -> None:
    headers = [("x-request-id", FORMS[form](SECRET)), ("request-id", "1")]
    assert Redaction(SECRET).headers(headers) == [("request-id", "1")]
    named = [("x-request-id", "org-4Xk2mmPqRz81"), ("request-id", "1")]
    assert Redaction(SECRET).headers(named) == [("request-id", "1")]


def test_result_loses_the_key_and_keeps_its_length_and_every_other_byte() -> None:
    body = b'{"choices":["%b org-4Xk2mmPqRz81 10.0.0.5"]}' % SECRET.encode()
    found = Redaction(SECRET).content(body)
    assert found == body.replace(SECRET.encode(), b"*" * len(SECRET)) and len(found) == len(body)


@pytest.mark.parametrize("secret", [None, "none", "EMPTY", "sk-1234"])
def test_word_instead_of_a_key_is_not_searched_for(secret: str | None) -> None:
    hidden = Redaction(secret)
    body = b'{"error":{"message":"none EMPTY sk-1234"}}'
    assert hidden.error(body) == hidden.content(body) == body and hidden.content_secret is None


# Streams


def stream(secret: str | None = SECRET, failure: str | None = None) -> StreamRedaction:
    return StreamRedaction(Redaction(secret), SimpleNamespace(failure=failure))  # type: ignore[arg-type]


@given(secrets, st.binary(max_size=40), st.binary(max_size=40), st.lists(st.integers(0, 200), max_size=6))
def test_stream_divided_anywhere_loses_the_key_and_nothing_else(
    secret: str, before: bytes, after: bytes, cuts: list[int]
) -> None:
    whole = before + secret.encode() + after
    shown, pieces, start = StreamRedaction(Redaction(secret)), [], 0
    for cut in [*sorted(cut for cut in cuts if cut < len(whole)), len(whole)]:
        pieces.append(shown.feed(whole[start:cut]) if cut > start else b"")
        start = cut
    found = b"".join((*pieces, shown.end()))
    assert found == whole.replace(secret.encode(), b"*" * len(secret))


def test_stream_of_whole_events_holds_nothing_back() -> None:
    shown = stream()
    for event in (b'data: {"a":"s"}\n\n', b"data: sk-\n\n", b'data: {"b":1}\n\n'):
        assert shown.feed(event) is event
    assert shown.end() == b""


def test_stream_that_failed_is_cleaned_where_it_tells_the_failure() -> None:
    content = b'data: {"choices":[{"delta":{"content":"org-4Xk2mmPqRz81"}}]}\n\n'
    failed = b'event: error\ndata: {"error":{"message":"%b of org-4Xk2mmPqRz81"}}\n\n' % FORMS["JSON"](SECRET).encode()
    assert stream(failure="x").feed(content + failed) == content + (
        b'event: error\ndata: {"error":{"message":"[redacted] of [redacted]"}}\n\n'
    )
    named = b'data: {"error":{"message":"in org-4Xk2mmPqRz81"}}\r\n\r\n'
    assert stream(failure="x").feed(named) == b'data: {"error":{"message":"in [redacted]"}}\r\n\r\n'
    assert stream().feed(named) == named, "as long as the meter has seen no failure"


def test_failed_element_of_a_json_array_is_cleaned() -> None:
    element = b'{"error":{"message":"in org-4Xk2mmPqRz81"}}'
    assert stream(failure="x").feed(element) + stream().end() == b'{"error":{"message":"in [redacted]"}}'
