from __future__ import annotations

from softix_proxy.dialects.canonical.ids import answer_id


def test_answer_id_with_an_id_of_the_provider_takes_the_prefix_of_the_client() -> None:
    assert answer_id("msg_01AB", "chatcmpl-", "0a") == "chatcmpl-01AB"
    assert answer_id("chatcmpl-x-1", "resp_", "0a") == "resp_x-1"
    assert answer_id("gen-1", "", "0a") == "1"


def test_answer_id_without_a_usable_id_of_the_provider_uses_our_own() -> None:
    assert answer_id("", "msg_", "0a") == "msg_0a"
    assert answer_id("a b\n", "msg_", "0a") == "msg_0a"
