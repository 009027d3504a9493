from support.playbook import Client

from softix_proxy.relay.core.wrapped_client import WrappedClient


async def test_wrapped_client_passes_everything_on() -> None:
    client, noticed = Client([]), list[str]()
    wrapped = WrappedClient(client)
    assert not wrapped.begun and not wrapped.gone
    wrapped.when_gone(lambda: noticed.append("gone"))
    assert client.notice is not None
    client.notice()
    await wrapped.begin(200, [("a", "b")])
    assert wrapped.send(b"one ") and wrapped.begun
    await wrapped.caught_up()
    await wrapped.end()
    assert noticed == ["gone"] and client.story == ["begin", "send", "end"]
    assert (client.status, client.headers, client.body) == (200, {"a": "b"}, b"one ")


async def test_wrapped_client_passes_a_whole_answer_and_a_cut_on() -> None:
    client = Client([])
    wrapped = WrappedClient(client)
    await wrapped.answer(201, [], b"all")
    wrapped.cut()
    assert (client.status, client.body, client.story) == (201, b"all", ["answer", "cut"])
