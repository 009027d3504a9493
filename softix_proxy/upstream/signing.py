"""Signs requests to AWS with Signature Version 4."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.catalog.credentials import AwsKeys
from softix_proxy.domain.core.errors import FailureError

_SERVICE = "bedrock"


def signed(keys: AwsKeys, region: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Returns the headers to add to a POST of `body`. The signature covers only `host` and the headers in `headers`.

    Raises FailureError if botocore is not installed.
    """
    try:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
    except ImportError:
        raise FailureError("botocore is not installed", "pip install 'softix-proxy[bedrock]'") from None
    request = AWSRequest(method="POST", url=url, data=body, headers=dict(headers))
    proof = Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
    SigV4Auth(proof, _SERVICE, region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items() if name.lower() not in headers}
