"""Lists: a page of campaigns in a network of a thousand and in one of very many, by role and by grant."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns.actions import access_grant
from campaigns.choices import CampaignStatus, CampaignType
from campaigns.models import Advertiser, Campaign, RoutingProfile
from portal.accounts.actions.tokens import token_create
from portal.accounts.models import Membership, Network, User
from portal.accounts.roles import Role

from .report import Options, Report, Row, median, say
from .services import settle

FEW, PER_ADVERTISER, GRANTED, TIMES = 1000, 1000, 50, 15


@dataclass(frozen=True)
class _Side:
    """A network of one size, with an Observer who sees all of it and a Limited user who sees what he was granted."""

    network: Network
    observer: User
    limited: User


def _side(name: str, campaigns: int) -> _Side:
    network = Network.objects.create(name=name)
    for block in range(0, campaigns, PER_ADVERTISER):
        advertiser = Advertiser.objects.create(network=network, id_from_network=f"a{block}", name=f"Advertiser {block}")
        made = Campaign.objects.bulk_create(
            Campaign(
                network=network, advertiser=advertiser, id_from_network=f"c{number}", name=f"Campaign {number:07}",
                campaign_type=CampaignType.DIRECT_ONLY, status=CampaignStatus.LIVE,
            )
            for number in range(block, min(block + PER_ADVERTISER, campaigns))
        )  # fmt: skip
        RoutingProfile.objects.bulk_create(
            RoutingProfile(campaign=campaign, routable=True, status="Live", time_zone="UTC") for campaign in made
        )
    users = [User.objects.create_user(f"{role}@{network.pk}.example") for role in ("observer", "limited")]
    for user, role in zip(users, (Role.OBSERVER, Role.LIMITED), strict=True):
        Membership.objects.create(user=user, network=network, role=role)
    spread = range(0, campaigns, max(campaigns // GRANTED, 1))
    for campaign in Campaign.objects.filter(network=network, id_from_network__in=[f"c{number}" for number in spread]):
        access_grant(by=None, obj=campaign, to=User.objects.get(pk=users[1].pk), action="view")
    return _Side(network, *users)


def _api(side: _Side, user: User) -> Callable[[], None]:
    _, key = token_create(by=None, user=user, name="benchmark")
    client = Client(headers={"Authorization": f"Bearer {key}", "Host": "localhost"})

    def ask() -> None:
        answer = client.get(f"/api/2026-11-01/{side.network.pk}/campaigns.json")
        assert answer.status_code == 200, answer.content[:300]

    return ask


def _page(user: User) -> Callable[[], None]:
    client = Client(headers={"Host": "localhost"})
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])

    def ask() -> None:
        answer = client.get("/campaigns/")
        assert answer.status_code == 200, answer.content[:300]

    return ask


def _queries(ask: Callable[[], None]) -> int:
    with CaptureQueriesContext(connection) as queries:
        ask()
    return len(queries)


def _milliseconds(ask: Callable[[], None]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


def run(options: Options) -> Report:
    """Ask for the same list in both networks, in turn."""
    # The requests run in this process, without `collectstatic` before it.
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    few, many = _side("Few", FEW), _side("Many", options.campaigns)
    settle()
    say(f"networks of {FEW} and {options.campaigns} campaigns")
    cases = {
        "API page, Observer": (_api(few, few.observer), _api(many, many.observer)),
        f"API page, {GRANTED} grants": (_api(few, few.limited), _api(many, many.limited)),
        "HTML page, Observer": (_page(few.observer), _page(many.observer)),
        f"HTML page, {GRANTED} grants": (_page(few.limited), _page(many.limited)),
    }
    rows = []
    for name, (small, large) in cases.items():
        for ask in (small, large):
            ask()
        times = [(_milliseconds(small), _milliseconds(large)) for _ in range(TIMES)]
        small_ms, large_ms = median(one for one, _ in times), median(one for _, one in times)
        counts = _queries(small), _queries(large)
        say(f"{name}: {small_ms:.1f} ms and {large_ms:.1f} ms, {counts[0]} and {counts[1]} queries")
        ratio, reached = large_ms / small_ms, large_ms <= 1.5 * small_ms and counts[0] == counts[1]
        rows.append(
            Row(name, f"{large_ms:.1f} ms, {counts[1]} queries", f"{small_ms:.1f} ms, {counts[0]} queries", ratio,
                "<= 1.5, as many queries", reached)
        )  # fmt: skip
    return Report(
        "lists",
        "Lists and rights",
        f"The campaign list of a network with {options.campaigns:,} campaigns against that of one with {FEW:,}, both in the "
        f"same tables; the whole request within one process, asked in turn {TIMES} times, medians.",
        rows,
    )
