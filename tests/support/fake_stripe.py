"""A fake Stripe on loopback, for the real SDK: what softix uses of the API, over real HTTP.

It keeps Stripe's rules where softix depends on them (https://docs.stripe.com/api): idempotency keys are bound to their
parameters, lists are newest first and in pages, a payment intent is made when a page is paid, tax lies in the total, a
refund may wait and fail, and a dispute moves money by balance transactions. Nothing is delivered by itself: a test
delivers events in any order, twice, or never.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from support.stripe_account import ApiProblemError, StripeAccount, Thing, copied
from support.stripe_forms import read_form

TAX_PERCENT = 19
"""The rate of the fake's automatic tax."""


@dataclass
class Faults:
    """What goes wrong with the next requests."""

    statuses: list[int] = field(default_factory=list)
    """Answered with these instead, one for each request, and nothing is done."""
    cut: int = 0
    """So many changes are done, and their answers never arrive."""
    hold: asyncio.Event | None = None
    """Requests wait for it before they are answered, after they were done."""
    paths: str = ""
    """Only requests whose path contains this are concerned."""
    forbidden: set[str] = field(default_factory=set)
    """The paths for which the key lacks the right, as a restricted key does for the account."""
    hidden: set[str] = field(default_factory=set)
    """What the account does not tell a restricted key."""


class FakeStripe(StripeAccount):
    """The account behind its API, over HTTP, with its webhook and the pages that a browser sees."""

    def __init__(self, *, secret_key: str | None = None, now_s: Callable[[], int] | None = None) -> None:
        super().__init__(is_live="_live_" in (secret_key or ""), now_s=now_s)
        self.secret_key = secret_key or f"sk_test_{secrets.token_hex(16)}"
        self.webhook_secret = f"whsec_{secrets.token_hex(20)}"
        self.webhook_url = ""
        self.base_url = ""
        self.requests: list[tuple[str, str]] = []
        self.faults = Faults()
        self.keys: dict[str, tuple[str, int, Thing]] = {}
        self.account_id, self.country, self.currency = "acct_fake", "US", "usd"

    # Events on their way.

    def signed(self, event: Thing, *, secret: str | None = None, at_s: int | None = None) -> tuple[bytes, str]:
        """The body and the signature of an event, as Stripe sends them."""
        body = json.dumps({name: value for name, value in event.items() if name != "order"}).encode()
        at_s = self.now_s() if at_s is None else at_s
        key = (self.webhook_secret if secret is None else secret).encode()
        digest = hmac.new(key, str(at_s).encode() + b"." + body, hashlib.sha256).hexdigest()
        return body, f"t={at_s},v1={digest}"

    async def deliver(self, event: Thing) -> int:
        """Sends an event once, and returns the status of the answer."""
        body, signature = self.signed(event)
        headers = {"Stripe-Signature": signature, "Content-Type": "application/json; charset=utf-8"}
        async with (
            aiohttp.ClientSession() as http,
            http.post(self.webhook_url, data=body, headers=headers) as answer,
        ):
            return answer.status

    # The API.

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/pay/{id}", self._page)
        app.router.add_post("/pay/{id}", self._paid)
        app.router.add_get("/manage/{id}", self._manage)
        app.router.add_route("*", "/v1/{path:.*}", self._api)
        return app

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.requests.append((request.method, path))
        if request.headers.get("Authorization") != f"Bearer {self.secret_key}":
            return _problem(401, {"type": "invalid_request_error", "message": "Invalid API Key provided"})
        if path in self.faults.forbidden:
            told = "The provided key does not have the required permissions for this endpoint"
            return _problem(403, {"type": "invalid_request_error", "message": told})
        concerned = self.faults.paths in path
        if self.faults.statuses and concerned:
            status = self.faults.statuses.pop(0)
            return _problem(status, {"type": "api_error", "message": "a fault", "code": "fault"})
        raw = (await request.read()).decode()
        params = read_form(raw if request.method == "POST" else request.query_string)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        status, answer = self._once(key, path, raw, lambda: self._answer(request.method, path, params))
        if self.faults.hold is not None and concerned:
            await self.faults.hold.wait()
        if self.faults.cut and concerned and request.method == "POST":
            self.faults.cut -= 1
            if request.transport is not None:
                request.transport.close()
        return web.json_response(answer, status=status, headers={"Request-Id": "req_fake"})

    def _once(self, key: str | None, path: str, raw: str, act: Callable[[], Thing]) -> tuple[int, Thing]:
        """Does what an idempotency key stands for once. Errors of a request that was begun are kept, too."""
        if key is not None and key in self.keys:
            digest, status, answer = self.keys[key]
            if digest != f"{path} {raw}":
                error = {"type": "idempotency_error", "message": "Keys can only be used with the same parameters"}
                return 400, {"error": error}
            return status, answer
        try:
            status, answer = 200, act()
        except ApiProblemError as problem:
            status, answer = problem.status, {"error": {"message": "refused", **problem.error}}
        answer = copied(answer)
        if key is not None:
            self.keys[key] = (f"{path} {raw}", status, answer)
        return status, answer

    def _answer(self, method: str, path: str, params: Thing) -> Thing:
        parts = path.split("/")
        if method == "GET":
            return self._read(path, parts, params)
        makers: dict[str, Callable[[Thing], Thing]] = {
            "customers": self._customer,
            "checkout/sessions": self._session,
            "billing_portal/sessions": self._portal_session,
            "payment_intents": self._intent,
            "refunds": self._refund,
            "webhook_endpoints": self._endpoint,
        }
        if path not in makers:
            raise ApiProblemError(
                404, {"type": "invalid_request_error", "message": f"Unrecognized request URL: {path}"}
            )
        return makers[path](params)

    def _read(self, path: str, parts: list[str], params: Thing) -> Thing:
        kinds = {
            "customers": "customer",
            "checkout/sessions": "checkout.session",
            "payment_intents": "payment_intent",
            "refunds": "refund",
            "disputes": "dispute",
            "events": "event",
        }
        if path == "account":
            told = {"id": self.account_id, "object": "account", "charges_enabled": True}
            told |= {"default_currency": self.currency, "country": self.country}
            return {name: value for name, value in told.items() if name not in self.faults.hidden}
        if path in kinds:
            self._require_customer(params)
            return self._listed(self.of(kinds[path]), params)
        if len(parts) == 3 and parts[0] == "customers" and parts[2] == "payment_methods":
            return self._listed(self.of("payment_method", customer=parts[1]), params)
        found = self.things.get(parts[-1])
        if found is None or kinds.get("/".join(parts[:-1])) != found["object"]:
            raise ApiProblemError(404, {"type": "invalid_request_error", "code": "resource_missing"})
        return found

    def _require_customer(self, params: Thing) -> None:
        """A customer that was deleted, or that is of another account, is none."""
        if "customer" in params and params["customer"] not in self.things:
            error = {"type": "invalid_request_error", "code": "resource_missing", "param": "customer"}
            raise ApiProblemError(400, error)

    def _listed(self, found: list[Thing], params: Thing) -> Thing:
        since = int((params.get("created") or {}).get("gte", 0))
        types = params.get("types")
        chosen = [
            one
            for one in found
            if one["created"] >= since
            and all(one.get(name) == params[name] for name in ("customer", "payment_intent") if name in params)
            and (types is None or one.get("type") in types)
        ]
        if "starting_after" in params:
            ids = [one["id"] for one in chosen]
            chosen = chosen[ids.index(params["starting_after"]) + 1 :]
        limit = int(params.get("limit", 10))
        return {"object": "list", "data": chosen[:limit], "has_more": len(chosen) > limit, "url": "/v1/x"}

    def _customer(self, params: Thing) -> Thing:
        named = {"name": params.get("name"), "email": params.get("email"), "metadata": params.get("metadata", {})}
        return self.make("cus", "customer", **named, invoice_settings={"default_payment_method": None})

    def _session(self, params: Thing) -> Thing:
        for name in ("mode", "customer", "line_items", "success_url"):
            if name not in params:
                raise ApiProblemError(
                    400, {"type": "invalid_request_error", "code": "parameter_missing", "param": name}
                )
        self._require_customer(params)
        lines = [line["price_data"] for line in params["line_items"]]
        subtotal = sum(
            int(line["price_data"]["unit_amount"]) * int(line.get("quantity", 1)) for line in params["line_items"]
        )
        taxed = (params.get("automatic_tax") or {}).get("enabled") == "true"
        tax = (subtotal * TAX_PERCENT + 50) // 100 if taxed else 0
        session = self.make(
            "cs_test",
            "checkout.session",
            mode=params["mode"],
            customer=params["customer"],
            client_reference_id=params.get("client_reference_id"),
            metadata=params.get("metadata", {}),
            payment_intent_data=params.get("payment_intent_data", {}),
            currency=lines[0]["currency"],
            amount_subtotal=subtotal,
            amount_total=subtotal + tax,
            total_details={"amount_tax": tax, "amount_discount": 0, "amount_shipping": 0},
            status="open",
            payment_status="unpaid",
            payment_intent=None,
            success_url=params["success_url"],
            cancel_url=params.get("cancel_url"),
            line_items_sent=lines,
        )
        session["url"] = f"{self.base_url}/pay/{session['id']}"
        return session

    def _portal_session(self, params: Thing) -> Thing:
        self._require_customer(params)
        made = self.make("bps", "billing_portal.session", customer=params["customer"], return_url=params["return_url"])
        made["url"] = f"{self.base_url}/manage/{made['id']}"
        return made

    def _intent(self, params: Thing) -> Thing:
        method = self.things.get(params.get("payment_method", ""))
        if method is None or method["customer"] != params["customer"]:
            raise ApiProblemError(400, {"type": "invalid_request_error", "code": "resource_missing"})
        intent = self.make(
            "pi",
            "payment_intent",
            amount=int(params["amount"]),
            amount_received=0,
            currency=params["currency"],
            customer=params["customer"],
            status="processing",
            metadata=params.get("metadata", {}),
            last_payment_error=None,
            latest_charge=None,
        )
        if method["behaviour"] == "works":
            self._receive(intent)
            return intent
        codes = {"declined": ("card_declined", "insufficient_funds"), "asks": ("authentication_required", None)}
        code, decline = codes[method["behaviour"]]
        intent.update(status="requires_payment_method", last_payment_error={"code": code, "decline_code": decline})
        self.happen("payment_intent.payment_failed", intent)
        error = {"type": "card_error", "code": code, "decline_code": decline, "payment_intent": intent}
        raise ApiProblemError(402, error)

    def _refund(self, params: Thing) -> Thing:
        return self.send_back(params["payment_intent"], int(params["amount"]), metadata=params.get("metadata"))

    def _endpoint(self, params: Thing) -> Thing:
        self.webhook_url = params["url"]
        listened = {"url": params["url"], "enabled_events": params["enabled_events"], "status": "enabled"}
        return self.make("we", "webhook_endpoint", **listened, secret=self.webhook_secret)

    # The pages that a browser sees.

    async def _page(self, request: web.Request) -> web.Response:
        session = self.things[request.match_info["id"]]
        amount = f"{session['amount_total'] // 100}.{session['amount_total'] % 100:02d}"
        return web.Response(
            text=f"<!doctype html><title>Checkout</title><h1>Pay US${amount}</h1><form method=post>"
            "<button name=what value=pay>Pay</button><button name=what value=cancel>Back</button></form>",
            content_type="text/html",
        )

    async def _paid(self, request: web.Request) -> web.Response:
        session = self.things[request.match_info["id"]]
        if (await request.post()).get("what") == "pay":
            self.pay(session["id"])
            raise web.HTTPSeeOther(session["success_url"])
        raise web.HTTPSeeOther(session["cancel_url"])

    async def _manage(self, request: web.Request) -> web.Response:
        back = self.things[request.match_info["id"]]["return_url"]
        return web.Response(
            text=f'<!doctype html><title>Cards</title><a href="{back}">Back</a>', content_type="text/html"
        )


def _problem(status: int, error: Thing) -> web.Response:
    return web.json_response({"error": error}, status=status, headers={"Request-Id": "req_fake"})


@asynccontextmanager
async def serving_stripe(fake: FakeStripe) -> AsyncIterator[FakeStripe]:
    """Serves the fake on a free port of loopback, until the end of the block."""
    runner = web.AppRunner(fake.app())
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        fake.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield fake
    finally:
        await runner.cleanup()
