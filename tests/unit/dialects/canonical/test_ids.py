from __future__ import annotations

from softix_proxy.dialects.canonical.ids import answer_id


def test_the_providers_id_in_the_clients_style() -> None:
    assert answer_id("msg_01AB", "chatcmpl-", "0a") == "chatcmpl-01AB"
    assert answer_id("chatcmpl-x-1", "resp_", "0a") == "resp_x-1"
    assert answer_id("gen-1", "", "0a") == "1"


def test_an_id_of_our_own_where_there_is_none() -> None:
    assert answer_id("", "msg_", "0a") == "msg_0a"
    assert answer_id("a b\n", "msg_", "0a") == "msg_0a"
