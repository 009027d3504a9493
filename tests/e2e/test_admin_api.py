"""The admin API of a real daemon does what the commands do, once, and for whom it may."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from support.admin_api import AdminApi, admin_api, new_token
from support.provider import FakeProvider
from support.tenants import house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider) -> AsyncIterator[AdminApi]:
    made = await house(tmp_path_factory.mktemp("admin-api"), shared_provider.base_url)
    async with admin_api(made) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def own_api(tmp_path: Path, shared_provider: FakeProvider) -> AsyncIterator[AdminApi]:
    """A daemon for one test, which may fill its counts."""
    async with admin_api(await house(tmp_path, shared_provider.base_url)) as opened:
        yield opened


class Names:
    """A user of this test alone, who need not exist yet."""

    def __init__(self, number: int) -> None:
        self.name = f"lin{number}"
        self.email = f"{self.name}@example.org"

    @property
    def made(self) -> dict[str, str]:
        return {"name": self.name, "email": self.email}

    def paid(self, amount: str = "5.00") -> dict[str, str]:
        return {"user": self.email, "amount": amount, "note": "invoice 17"}


_numbers = count(1)


@pytest.fixture
def lin() -> Names:
    return Names(next(_numbers))


async def balance(api: AdminApi, lin: Names) -> str:
    text: str = (await api.get(f"balance/show?user={lin.email}")).value["balance"]
    return text


async def test_call_answers_what_the_command_prints(api: AdminApi, lin: Names) -> None:
    made = await api.post("users/create", {**lin.made, "postpaid": True})
    assert made.status == 200 and made.value["postpaid"] is True
    assert (
        made.value == (await api.get(f"users/show?user={lin.name}")).value == api.daemon.cli("users", "show", lin.name)
    )
    assert (await api.get("users/list")).value == api.daemon.cli("users", "list")
    [entry] = [one for one in api.daemon.cli("audit", "list") if one["action"] == "users.create"][:1]
    assert (entry["channel"], entry["actor_kind"], entry["subject"]) == ("api", "token", made.value["id"])


async def test_key_made_over_the_api_works_at_the_next_request_and_not_after_it_is_revoked(
    api: AdminApi, lin: Names
) -> None:
    await api.post("users/create", lin.made)
    key = (await api.post("keys/create", {"user": lin.name, "rpm": "60", "allow_ip": ["127.0.0.0/8", "::1"]})).value
    url = f"{api.daemon.instance.url}/v1/models"
    for status in (200, 401):
        async with api.session.get(url, headers={"Authorization": f"Bearer {key['key']}"}) as answer:
            assert answer.status == status
        assert (await api.post("keys/revoke", {"key": key["id"]})).value["status"] == "revoked"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("GET", "users/show?user=nobody", None, 404, "no user 'nobody'"),
        ("GET", "users/show", None, 400, "user is missing"),
        ("GET", "users/show?user=", None, 400, "user is empty"),
        ("GET", "users/show?user=a&user=b", None, 400, "user is given 2 times"),
        ("GET", "users/list?colour=red", None, 400, "there is no parameter 'colour'"),
        ("GET", "users/list?limit=0", None, 400, "limit is out of range"),
        ("GET", "users/list?cursor=x", None, 400, "the cursor is not one of a link to a page"),
        ("GET", "users/list?user=%ff", None, 400, "the query is not UTF-8"),
        ("POST", "users/create", {"name": "lin"}, 400, "email is missing"),
        ("POST", "users/create", {"name": 5, "email": "lin@example.org"}, 400, "name is not text"),
        ("POST", "users/create", {"name": "lin", "email": "lin"}, 400, "'lin'"),
        ("POST", "users/create", ["lin"], 400, "the body is not a JSON object"),
        ("POST", "users/create?name=lin", {}, 400, "a change takes no query"),
        ("POST", "keys/create", {"user": "ada", "cap": "-5"}, 400, "a cap is not negative"),
        ("POST", "keys/revoke", {"key": "nobody"}, 404, "no key 'nobody'"),
        ("POST", "webhooks/replay", {}, 400, ""),
        ("POST", "users/list", {}, 405, "this call is a GET"),
        ("GET", "users/nothing", None, 404, "there is no such call"),
        ("GET", "users.list", None, 404, "there is no such call"),
        ("POST", "init", {}, 404, "there is no such call"),
    ],
)
async def test_wrong_call_is_told_what_is_wrong_and_changes_nothing(
    api: AdminApi, method: str, path: str, body: object, status: int, told: str
) -> None:
    before = api.daemon.cli("users", "list")
    said = await api.ask(method, path, body, {})
    assert (said.status, said.headers["Content-Type"]) == (status, "application/problem+json")
    assert told in said.value["detail"] and said.value["status"] == status
    assert said.headers["x-softix-request-id"] == said.value["request_id"]
    assert api.daemon.cli("users", "list") == before


async def test_body_with_a_member_twice_or_of_another_type_is_refused(api: AdminApi) -> None:
    url = f"{api.daemon.url}/admin/v1/users/create"
    for body, kind, status in (
        (b'{"name":"a","name":"b","email":"a@example.org"}', "application/json", 400),
        (b'{"name":NaN,"email":"a@example.org"}', "application/json", 400),
        (b"name=a&email=a@example.org", "application/x-www-form-urlencoded", 415),
        (b"[" * 60_000, "application/json", 400),
        (b'"' + b"x" * 70_000 + b'"', "application/json", 413),
    ):
        headers = {"Authorization": f"Bearer {api.token}", "Content-Type": kind}
        async with api.session.post(url, data=body, headers=headers) as answer:
            assert answer.status == status, await answer.text()


async def test_only_an_admin_token_opens_the_api(own_api: AdminApi, lin: Names) -> None:
    api, without = own_api, {"Authorization": ""}
    await api.post("users/create", lin.made)
    key = (await api.post("keys/create", {"user": lin.name})).value["key"]
    said = await api.ask("GET", "users/list", None, without)
    assert said.status == 401 and said.headers["WWW-Authenticate"].startswith("Bearer")
    for text in (key, api.token[:-1], f"{api.token}x", "sx_admin_", "\u20ac".encode().decode("latin-1")):
        said = await api.ask("GET", "users/list", None, {"Authorization": f"Bearer {text}"})
        assert said.status == 401, text
    said = await api.ask("GET", "users/list", None, {"Cookie": f"__Host-softix={api.token}", "Authorization": ""})
    assert said.status == 401
    for other in ("evil.example.org", "127.0.0.1"):
        assert (await api.get("users/list", Host=other)).status == 421


async def test_wrong_tokens_are_slowed_for_their_network(own_api: AdminApi) -> None:
    api = own_api
    statuses = [
        (await api.ask("GET", "users/list", None, {"Authorization": f"Bearer sx_admin_{number:032}"})).status
        for number in range(33)
    ]
    assert statuses[:30] == [401] * 30 and set(statuses[30:]) == {429}
    said = await api.get("users/list")
    assert said.status == 429 and int(said.headers["Retry-After"]) >= 1


async def test_role_that_lacks_the_permission_is_refused_and_that_is_written_down(api: AdminApi, lin: Names) -> None:
    auditor = AdminApi(api.daemon, api.session, new_token(api.daemon, "auditor"))
    assert (await auditor.get("audit/list")).status == 200
    said = await auditor.post("users/create", lin.made)
    assert said.status == 403 and "users.write" in said.value["detail"]
    newest = (await auditor.get("audit/list?limit=1")).value[0]
    assert (newest["action"], newest["outcome"], newest["channel"]) == ("users.create", "refused", "api")


async def test_revoked_token_ends_at_once(api: AdminApi) -> None:
    token = api.daemon.cli("tokens", "create", "--role", "auditor")
    auditor = AdminApi(api.daemon, api.session, token["token"])
    assert (await auditor.get("users/list")).status == 200
    await api.post("tokens/revoke", {"token": token["id"]})
    assert (await auditor.get("users/list")).status == 401


async def test_repeated_call_is_done_once_and_answered_alike(api: AdminApi, lin: Names) -> None:
    await api.post("users/create", lin.made)
    first = await api.post("balance/add", lin.paid(), Idempotency_Key=f"pay-17 {lin.name}")
    second = await api.post("balance/add", lin.paid(), Idempotency_Key=f"pay-17 {lin.name}")
    assert first.status == second.status == 200 and first.value == second.value
    assert "Idempotency-Replayed" not in first.headers and second.headers["Idempotency-Replayed"] == "true"
    other = await api.post("balance/add", lin.paid("6.00"), Idempotency_Key=f"pay-17 {lin.name}")
    assert other.status == 422 and "another request" in other.value["detail"]
    assert await balance(api, lin) == "5.00"
    bad = await api.post("balance/add", lin.paid(), Idempotency_Key="x" * 300)
    assert bad.status == 400


async def test_calls_that_are_repeated_at_once_are_done_once(api: AdminApi, lin: Names) -> None:
    await api.post("users/create", lin.made)
    said = await asyncio.gather(
        *(api.post("balance/add", lin.paid(), Idempotency_Key=f"pay {lin.name}") for _ in range(12))
    )
    assert {one.status for one in said} <= {200, 422} and any(one.status == 200 for one in said)
    assert await balance(api, lin) == "5.00"
    assert (await api.post("balance/add", lin.paid(), Idempotency_Key=f"pay {lin.name}")).status == 200


async def test_call_that_failed_can_be_repeated_under_its_key(api: AdminApi, lin: Names) -> None:
    assert (await api.post("balance/add", lin.paid(), Idempotency_Key=f"pay {lin.name}")).status == 404
    await api.post("users/create", lin.made)
    assert (
        await api.post("balance/add", {**lin.paid(), "dry_run": True}, Idempotency_Key=f"dry {lin.name}")
    ).status == 200
    assert (await api.post("balance/add", lin.paid(), Idempotency_Key=f"pay {lin.name}")).status == 200
    assert (
        await api.post("balance/add", {**lin.paid(), "dry_run": True}, Idempotency_Key=f"dry {lin.name}")
    ).status == 200
    assert await balance(api, lin) == "5.00"


async def test_kept_answer_with_a_secret_is_sealed(api: AdminApi, lin: Names) -> None:
    await api.post("users/create", lin.made)
    made = await api.post("keys/create", {"user": lin.name}, Idempotency_Key=f"key-1 {lin.name}")
    again = await api.post("keys/create", {"user": lin.name}, Idempotency_Key=f"key-1 {lin.name}")
    assert made.value == again.value
    stored = b"".join(path.read_bytes() for path in api.daemon.instance.data_dir.glob("softix.db*") if path.is_file())
    assert made.value["key"].encode() not in stored and f"key-1 {lin.name}".encode() not in stored


async def test_keys_of_two_tokens_are_apart(api: AdminApi, lin: Names) -> None:
    await api.post("users/create", lin.made)
    other = AdminApi(api.daemon, api.session, new_token(api.daemon, "admin"))
    for one in (api, other):
        assert (await one.post("balance/add", lin.paid(), Idempotency_Key=f"pay {lin.name}")).status == 200
    assert await balance(api, lin) == "10.00"


async def test_change_bound_to_a_version_is_refused_once_the_thing_has_another(api: AdminApi, lin: Names) -> None:
    await api.post("users/create", lin.made)
    version = (await api.get(f"users/show?user={lin.name}")).headers["ETag"]
    assert (await api.post("users/disable", {"user": lin.name}, If_Match=version)).status == 200
    stale = await api.post("users/enable", {"user": lin.name}, If_Match=version)
    assert stale.status == 412 and api.daemon.cli("users", "show", lin.name)["status"] == "disabled"
    fresh = (await api.get(f"users/show?user={lin.name}")).headers["ETag"]
    assert (await api.post("users/enable", {"user": lin.name}, If_Match=fresh)).status == 200
    assert (await api.post("users/enable", {"user": lin.name}, If_Match="*")).status == 400
    assert (
        await api.post("users/create", {"name": "other", "email": "other@example.org"}, If_Match=fresh)
    ).status == 400


async def test_of_changes_bound_to_one_version_at_once_one_is_made(api: AdminApi, lin: Names) -> None:
    await api.post("users/create", lin.made)
    version = (await api.get(f"users/show?user={lin.name}")).headers["ETag"]
    names = [f"{lin.name}x{number}" for number in range(8)]
    said = await asyncio.gather(
        *(api.post("users/update", {"user": lin.email, "name": name}, If_Match=version) for name in names)
    )
    assert sorted(one.status for one in said) == [200] + [412] * 7


async def test_list_is_read_by_pages_that_lose_and_repeat_nothing(api: AdminApi, lin: Names) -> None:
    names = [f"{lin.name}x{number:02}" for number in range(7)]
    for name in names:
        await api.post("users/create", {"name": name, "email": f"{name}@example.org"})
    whole = (await api.get("users/list")).value
    path, read = "users/list?limit=3", []
    while path:
        said = await api.get(path)
        read += said.value
        link = said.headers.get("Link", "")
        path = link.partition(">")[0].removeprefix(f"<{api.daemon.url}/admin/v1/")
        assert link == "" or link.endswith('; rel="next"')
    assert read == whole and len(read) > len(names)
    entries = [one["id"] for one in (await api.get("audit/list?limit=2")).value]
    said = await api.get("audit/list?limit=2")
    await api.post("users/disable", {"user": names[1]})  # a new entry moves the others
    link = said.headers["Link"].partition(">")[0].removeprefix(f"<{api.daemon.url}/admin/v1/")
    assert [one["id"] for one in (await api.get(link)).value] == [entries[1] - 1, entries[1] - 2]


async def test_file_is_answered_as_the_command_writes_it(api: AdminApi) -> None:
    body = {"format": "csv", "from": "2026-01-01", "to": "2026-02-01"}
    said = await api.post("usage/export", body)
    assert said.status == 200 and said.headers["Content-Type"].startswith("text/csv")
    assert said.body.startswith(b"row_id,posted_at,") and said.headers["Content-Disposition"] == "attachment"
    lines = (await api.get("audit/export")).body.splitlines()
    assert [json.loads(line)["id"] for line in lines] == list(range(1, len(lines) + 1))


async def test_what_is_in_a_file_is_given_as_a_parameter(api: AdminApi) -> None:
    head = (await api.post("audit/sign")).value
    said = await api.post("audit/verify", {"head": json.dumps(head)})
    assert said.status == 200 and said.value["whole"] is True and "x-softix-exit-code" not in said.headers
    assert (await api.post("audit/verify", {"head": "{}"})).status == 400


async def test_secret_is_given_in_the_body_and_no_answer_has_it(api: AdminApi) -> None:
    secret = f"sk-{secrets.token_urlsafe(24)}"
    made = await api.post(
        "providers/add",
        {
            "name": "lab2",
            "type": "openai-compatible",
            "base_url": "https://lab.example.org/v1",
            "key": secret,
            "no_test": True,
        },
    )
    assert made.status == 200, made.body
    assert secret not in made.body.decode() + (await api.get("providers/show?name=lab2")).body.decode()
    assert api.daemon.cli("providers", "show", "lab2")["has_key"] is True


async def test_description_is_served_to_everybody(api: AdminApi) -> None:
    said = await api.ask("GET", "openapi.json", None, {"Authorization": ""})
    assert said.status == 200 and said.value["openapi"] == "3.1.0"
    assert "/admin/v1/keys/revoke" in said.value["paths"]


async def test_setting_switches_the_api_off(tmp_path: Path, shared_provider: FakeProvider) -> None:
    made = await house(tmp_path, shared_provider.base_url)
    async with admin_api(made, SOFTIX_PORTAL_ADMIN_API="false") as api:
        assert (await api.get("users/list")).status == 404


async def test_entry_of_a_call_tells_from_where_it_came_until_that_is_purged(own_api: AdminApi, lin: Names) -> None:
    await own_api.post("users/create", lin.made, user_agent="OpenAI/Python 1.54.0")
    [entry] = (await own_api.get("audit/list?action=users.create&limit=1")).value
    shown = (await own_api.get(f"audit/show?number={entry['id']}")).value
    told = [shown[name] for name in ("address", "family", "program_version", "tls")]
    assert told == ["127.0.0.1", "OpenAI Python SDK", "1.54.0", None]
    assert (await own_api.post("addresses/purge", {"all": True})).value["removed"] > 0
    shown = (await own_api.get(f"audit/show?number={entry['id']}")).value
    assert (shown["address"], shown["family"]) == (None, None)
    assert own_api.daemon.cli("audit", "verify")["whole"] is True
    newest = (await own_api.get("audit/list?limit=1")).value[0]
    assert newest["action"] == "addresses.purge"
