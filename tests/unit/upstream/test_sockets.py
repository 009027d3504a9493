import socket
from pathlib import Path

import pytest
from support.certificates import write_pair
from support.open_files import used_up

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.upstream.sockets import ForbiddenAddressError, OutOfFilesError, Trust, dial, open_socket

TCP = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "fe80::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
    ],
)
def test_socket_of_a_metadata_service_is_refused(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    place = (host, 80, 0, 0) if ":" in host else (host, 80)
    with pytest.raises(ForbiddenAddressError):
        open_socket((family, *TCP, place))


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "192.0.2.1"])
def test_socket_of_another_address_is_opened(host: str) -> None:
    opened = open_socket((socket.AF_INET, *TCP, (host, 80)))
    assert (opened.family, opened.type) == (socket.AF_INET, socket.SOCK_STREAM)
    opened.close()


class Names:
    """A name server that gives other addresses each time that it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        found = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, *TCP, (address, port)) for address in found]


def listening() -> tuple[socket.socket, int]:
    server = socket.create_server(("127.0.0.1", 0))
    return server, server.getsockname()[1]


def test_dialled_address_is_the_one_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name leads elsewhere as soon as it was looked up, as in DNS rebinding."""
    server, port = listening()
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    monkeypatch.setattr(socket, "getaddrinfo", names)
    with server, dial("rebinding.example", port, 5) as opened:
        assert opened.getpeername() == ("127.0.0.1", port) and names.asked == 1
        with pytest.raises(ForbiddenAddressError):
            dial("rebinding.example", port, 5)


def test_dial_skips_forbidden_addresses_and_those_that_do_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    server, port = listening()
    monkeypatch.setattr(socket, "getaddrinfo", Names(["169.254.169.254", "127.0.0.2", "127.0.0.1"]))
    with server, dial("several.example", port, 5) as opened:
        assert opened.getpeername()[0] == "127.0.0.1"
    monkeypatch.setattr(socket, "getaddrinfo", Names([]))
    with pytest.raises(OSError, match="no address"):
        dial("none.example", port, 5)


async def test_trust_context_is_read_once() -> None:
    trust = Trust(None)
    assert await trust.context() is await trust.context()


def test_trust_of_a_file_without_certificates_raises_at_once(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="cannot read certificates"):
        Trust(tmp_path / "none.pem")


def test_trust_when_out_of_files_does_not_blame_the_certificates(tmp_path: Path) -> None:
    chain, _ = write_pair(tmp_path, "ours")
    with used_up(), pytest.raises(OutOfFilesError, match="no file can be opened") as failure:
        Trust(chain)
    assert "LimitNOFILE=" in failure.value.remedy
    Trust(chain)
