"""`manage.py traffic` against a live server."""

import asyncio
import time
from collections import Counter
from random import Random

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from promo_numbers import actions as number_actions
from promo_numbers.models import Allocation, PoolMiss, PromoNumber

from campaigns import actions
from campaigns.models import Call, CallLeg, DestinationState
from portal.accounts.actions.tokens import token_create
from portal.accounts.roles import Role
from portal.runtime.traffic import play
from portal.runtime.traffic.client import Client, Refused, Unreachable
from portal.runtime.traffic.plan import Planner
from tests.factories import MembershipFactory, PromoNumberFactory, bundle_of, destinations, stock

NUMBER = "+18055550100"


@pytest.fixture
def called(transactional_db):
    """A network with one number of a bundle of three destinations with small caps, and a file with a switch's token."""
    bundle = bundle_of(*destinations(3, 2), distribution="MostFree", repeat_caller=True)
    PromoNumberFactory(campaign=bundle, number=NUMBER)
    switch = MembershipFactory(network=bundle.network, role=Role.MEMBER).user
    _, key = token_create(by=None, user=switch, name="traffic")
    return bundle, key


def test_it_leaves_every_call_ended_or_leased_and_no_drift(called, live_server, tmp_path, capsys):
    bundle, key = called
    (tmp_path / "token").write_text(key)
    call_command(
        "traffic", "--rate=1200", "--talk=0.4", "--burst=12", "--burst-every=2", "--seconds=6", "--seed=7",
        f"--network={bundle.network_id}", f"--base-url={live_server.url}", f"--token-file={tmp_path / 'token'}",
    )  # fmt: skip
    assert "calls: " in capsys.readouterr().out
    assert Call.objects.count() > 30
    outcomes = Counter(Call.objects.values_list("outcome", flat=True))
    assert outcomes["destination"] and outcomes["refused"], outcomes
    # What was lost, and what was being placed when it stopped, waits for its lease; all else has ended.
    still_open = CallLeg.objects.filter(ended_at=None)
    assert still_open.count() <= 10
    assert not still_open.filter(expires_at__lt=timezone.now()).exists()
    assert actions.live_counts_reconcile(with_usage=True) == []
    for state in DestinationState.objects.exclude(live_cap=None):
        repeats = CallLeg.objects.filter(destination=state.pk, ended_at=None, kind="repeat").count()
        assert state.live - repeats <= state.live_cap


def test_visitors_get_numbers_and_some_call_them(called, live_server, tmp_path, monkeypatch):
    bundle, key = called
    (tmp_path / "token").write_text(key)
    stock(5)
    number_actions.ring_pool_create(by=None, campaign=bundle, name="Web", max_pool_size=4)
    monkeypatch.setattr(play, "PAGE_SECONDS", (0.0, 0.2))
    monkeypatch.setattr(play, "CALLS_SHARE", 0.5)
    call_command(
        "traffic", "--rate=1", "--talk=0.4", "--burst=0", "--visitors=600", "--seconds=6", "--seed=7",
        f"--network={bundle.network_id}", f"--base-url={live_server.url}", f"--token-file={tmp_path / 'token'}",
    )  # fmt: skip
    assert Allocation.objects.count() == 4 and PoolMiss.objects.exists()
    shown = PromoNumber.objects.filter(ring_pool__isnull=False).values("number")
    assert Call.objects.filter(promo_number__in=shown).exists()


def test_the_same_seed_draws_the_same_calls():
    plans = [Planner(Random(5), {NUMBER: 1}, 150).draw() for _ in range(2)]
    assert plans[0] == plans[1]


def test_calls_are_of_every_kind():
    planner = Planner(Random(1), {NUMBER: 3, "+18055550101": 1}, 150)
    plans = [planner.draw() for _ in range(4000)]
    causes = Counter(plan.cause for plan in plans)
    assert set(causes) == {"caller_hangup", "destination_hangup", "busy", "no_answer"}
    callers = [plan.caller for plan in plans]
    assert callers.count(None) > 100
    assert len(set(callers)) < 0.95 * len(callers)
    assert all(caller is None or caller[5:10] == "55501" for caller in callers)
    assert 2.5 < len([p for p in plans if p.number == NUMBER]) / len([p for p in plans if p.number != NUMBER]) < 3.5
    assert 20 <= len([plan for plan in plans if plan.lost]) <= 80
    talks = sorted(plan.talks for plan in plans if plan.talks is not None)
    assert 130 < talks[len(talks) // 2] < 170 and talks[-1] <= 3600


class Portal(httpx.AsyncBaseTransport):
    """Answers in turn with what it was given: an exception, or (status, headers, body)."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    async def handle_async_request(self, request):
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer
        return httpx.Response(status, headers=headers, json=body)


def _post(portal, within=30.0):
    async def go():
        client = Client("http://portal", 1, "key")
        client._http = httpx.AsyncClient(transport=portal, base_url="http://portal/api/")
        try:
            return await client.post("calls.json", {}, within=within)
        finally:
            await client.close()

    return asyncio.run(go())


def test_a_portal_that_is_down_or_busy_is_asked_again():
    busy = (503, {"Retry-After": "1"}, {"errors": [{"code": "busy", "detail": ""}]})
    portal = Portal(httpx.ConnectError("down"), busy, (201, {}, {"call": "x"}))
    began = time.monotonic()
    assert _post(portal) == {"call": "x"}
    assert portal.asked == 3
    assert time.monotonic() - began >= 1.5


def test_a_refusal_is_final_and_patience_ends():
    with pytest.raises(Refused, match="call_finished") as refused:
        _post(Portal((409, {}, {"errors": [{"code": "call_finished", "detail": "over"}]})))
    assert refused.value.status == 409
    with pytest.raises(Unreachable):
        _post(Portal(*[httpx.ConnectError("down")] * 9), within=1.0)


@pytest.mark.django_db
def test_what_is_missing_is_said(settings, tmp_path, monkeypatch):
    monkeypatch.delenv("HEADROOM_TOKEN", raising=False)
    settings.HEADROOM_VAR = tmp_path
    with pytest.raises(CommandError, match=r"manage\.py demo"):
        call_command("traffic")
    (tmp_path / "traffic-token").write_text("x")
    with pytest.raises(CommandError, match="no network"):
        call_command("traffic", "--network=Nobody")
