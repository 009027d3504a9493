import socket
from pathlib import Path

import pytest
from support.certificates import write_pair
from support.open_files import used_up

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.upstream.sockets import OutOfFilesError, Trust, open_socket

TCP = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254"]
)
def test_link_local_socket_is_refused(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    place = (host, 80, 0, 0) if ":" in host else (host, 80)
    with pytest.raises(OSError, match="link-local"):
        open_socket((family, *TCP, place))


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "192.0.2.1"])
def test_socket_of_another_address_is_opened(host: str) -> None:
    opened = open_socket((socket.AF_INET, *TCP, (host, 80)))
    assert (opened.family, opened.type) == (socket.AF_INET, socket.SOCK_STREAM)
    opened.close()


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
