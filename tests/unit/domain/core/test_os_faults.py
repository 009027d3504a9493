import errno

import pytest

from softix_proxy.domain.core.os_faults import remedy_of


@pytest.mark.parametrize(
    ("number", "to_do"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "quota"),
        (errno.EFBIG, "LimitFSIZE="),
        (errno.EROFS, "mount it writable"),
        (errno.EIO, "system's log"),
        (errno.EMFILE, "LimitNOFILE="),
        (errno.ENFILE, "fs.file-max"),
        (errno.EACCES, "check its owner"),
    ],
)
def test_remedy_of_each_cause_says_what_to_do(number: int, to_do: str) -> None:
    assert to_do in remedy_of(OSError(number, "x"), "check its owner")


def test_remedy_of_an_error_without_a_number_is_the_given_one() -> None:
    assert remedy_of(OSError("x"), "check its owner") == "check its owner"
