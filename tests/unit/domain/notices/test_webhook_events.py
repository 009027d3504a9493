from __future__ import annotations

import re

from softix_proxy.domain.notices.webhook_events import CHOSEN, EVENTS, EventKind


def test_each_kind_of_event_says_what_it_means_and_has_fields() -> None:
    assert EVENTS.keys() == {*EventKind} and {*CHOSEN} == {*EventKind} - {EventKind.WEBHOOK_TEST}
    for kind, content in EVENTS.items():
        assert re.fullmatch(r"[a-z_]+\.[a-z]+", kind), "the specification: groups by full stops"
        assert content.meaning.endswith(".") and len({*content.fields}) == len(content.fields) > 0
        assert content.is_of_organisation is (content.fields[0] == "organisation")


def test_no_event_has_a_field_for_content_or_a_secret() -> None:
    names = {name for content in EVENTS.values() for name in content.fields}
    assert not names & {"prompt", "answer", "content", "email", "secret", "address"}
