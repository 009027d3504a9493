"""The page of webhooks names the events and fields that the code has, and its code for receivers is right."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from typing import Any

import pytest
from support.sources import ROOT

from softix_proxy.domain.notices.webhook_events import EVENTS
from softix_proxy.domain.notices.webhook_signatures import new_secret, signed_headers

PAGE = (ROOT / "docs" / "webhooks.md").read_text("utf-8")


def test_page_has_each_event_with_its_meaning_and_fields() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
    expected = [
        (kind.value, content.meaning, ", ".join(f"`{name}`" for name in content.fields))
        for kind, content in EVENTS.items()
    ]
    assert rows == expected, "instead: copy the table of softix_proxy/domain/notices/webhook_events.py"


def test_code_for_receivers_in_python_verifies_what_softix_signs() -> None:
    [code] = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
    secret, body = new_secret(), b'{"type":"key.created"}'
    names: dict[str, Any] = {"secret": secret, "body": body}
    names["headers"] = signed_headers([secret], "evt_a", int(time.time()), body)
    exec(code, names)  # it is the code of the page
    assert names["event"] == {"type": "key.created"}
    with pytest.raises(Exception, match="No matching signature"):
        exec(code, names | {"secret": new_secret()})


def test_words_for_receivers_without_a_package_are_what_softix_does() -> None:
    secret, body = new_secret(), b"{}"
    headers = signed_headers([new_secret(), secret], "evt_a", 1_796_112_091, body)
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    digest = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert f"v1,{base64.b64encode(digest).decode()}" in headers["webhook-signature"].split(" ")


def test_example_of_the_page_is_an_event_with_fields_of_its_kind() -> None:
    [example] = re.findall(r"^(\{\"type\".+?\}\})$", PAGE, re.DOTALL | re.MULTILINE)
    told = json.loads(example.replace("\n", ""))
    kinds = {kind.value: content for kind, content in EVENTS.items()}
    assert tuple(told["data"]) == kinds[told["type"]].fields
