"""The demo's contracts with a CSM, a year's growth in numbers, and limit requests: one decided, one waiting."""

from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from promo_numbers import actions
from promo_numbers.actions.contracts import contract_set
from promo_numbers.actions.days import days_roll_up
from promo_numbers.actions.requests import limit_request_create, limit_request_decide
from promo_numbers.choices import NumberState, StockState
from promo_numbers.models import (
    CampaignNumbers,
    Contract,
    LimitRequest,
    NetworkNumbers,
    NumberDay,
    PromoNumber,
    StockNumber,
)
from promo_numbers.queries.forecast import add_months
from promo_numbers.suppliers import Wanted
from promo_numbers.suppliers.stock import stock_pick

from campaigns.models import Campaign
from portal.accounts.models import Network, User
from portal.notices.models import Notice

from .catalog import COPPER_CREEK

# Campaigns whose limit the demo shows something else of.
_LEFT_ALONE = ("roofing-florida", "plumbing-seattle")
_SPREAD = 9
_PLACES = [
    ("Bus shelter, Main Street", "Offline: Billboard"), ("Radio spot, morning drive", "Offline: Radio"),
    ("Search ads, brand", "Online: Search"), ("Neighborhood mailer", "Offline: Direct Mail"),
    ("Landing page A", "Online: Website"), ("Landing page B", "Online: Website"), ("Local directory", "Online: Directory"),
    ("TV spot, evening news", "Offline: TV"), ("Home show booth", "Offline: Event"), ("Newspaper insert", "Offline: Print"),
    ("Social ads, spring", "Online: Social"), ("Newsletter footer", "Online: Email"),
]  # fmt: skip


def agreements_load(network: Network, staff_email: str) -> None:
    """Contract, months of use, requests: whatever of it is missing. Call it when the network has its campaigns and people."""
    staff = User.objects.get(email=staff_email)
    second = network.name == COPPER_CREEK.name
    today = timezone.now().date()
    if not NumberDay.objects.filter(network=network).exists():
        _grow(network, today, months=5 if second else 8, count=30 if second else 130)
        days_roll_up(network=network)
    if not Contract.objects.filter(pk=network.pk).exists():
        starts = add_months(today.replace(day=1), -8)
        contract_set(
            by=staff, network=network, csm=staff, starts_on=starts, ends_on=add_months(starts, 12) - timedelta(days=1),
            numbers=45 if second else 1800, period="Month" if second else "Year", overage_price=Decimal("2.50"),
            reason="As signed",
        )  # fmt: skip
    if not second and not LimitRequest.objects.filter(network=network).exists():
        _requests(network, staff)


@transaction.atomic
def _grow(network: Network, today: date, *, months: int, count: int) -> None:
    """`count` static numbers, added one after the other over the months, every ninth released again after a while.

    Not by the actions: their records would all say today. The limits hold all the same, by trigger.
    """
    campaigns = list(
        Campaign.objects.filter(network=network)
        .exclude(id_from_network__in=_LEFT_ALONE)
        .exclude(status="Archived")
        .order_by("id")[:_SPREAD]
    )
    room = -(-count // len(campaigns)) + 4
    CampaignNumbers.objects.filter(campaign__in=campaigns, allowed__lt=F("used") + room).update(
        allowed=F("used") + room
    )
    NetworkNumbers.objects.filter(pk=network.pk, total_limit__lt=F("total_used") + count).update(
        total_limit=F("total_used") + count + 20
    )
    first, span = add_months(today, -months), months * 30 - 3
    begin = timezone.now() - (today - first)
    # What is there already was the beginning.
    PromoNumber.objects.filter(network=network).update(created_at=begin)
    made, back = [], []
    for index, (number, supplier) in enumerate(stock_pick(network, Wanted(), count)):
        text, media = _PLACES[index % len(_PLACES)]
        # A little faster towards the end, a few at a time.
        at = begin + timedelta(days=round(span * (index / count) ** 0.85 / 3) * 3, minutes=index)
        gone = index % 9 == 4 and index < count * 0.8
        made.append(
            PromoNumber(
                network=network, campaign=campaigns[index % len(campaigns)], number=number, supplier=supplier, created_at=at,
                description=f"{text} {1 + index // len(_PLACES)}", media_type=media,
                state=NumberState.RELEASED if gone else NumberState.ACTIVE,
                released_at=at + timedelta(days=40) if gone else None,
            )
        )  # fmt: skip
        if gone:
            back.append(number)
    PromoNumber.objects.bulk_create(row for row in made if row.released_at is None or row.released_at < timezone.now())
    StockNumber.objects.filter(number__in=back).update(state=StockState.FREE)


def _requests(network: Network, staff: User) -> None:
    row = NetworkNumbers.objects.get(pk=network.pk)
    total = {"total": row.total_used + 60} if row.total_limit is None else {}
    dynamic = {"dynamic": row.dynamic_used + 10} if row.dynamic_limit is None else {}
    if total or dynamic:
        actions.network_limits_set(by=staff, network=network, reason="As signed", **total, **dynamic)
    mina, marco = (User.objects.get(email=f"{name}@bluemesa.example") for name in ("mina", "marco"))
    decided = limit_request_create(
        by=mina, network=network, ceiling="network_total", more=60, reason="Two new advertisers start in spring."
    )
    limit_request_decide(
        by=staff, request=decided, decision="change", granted=20,
        note="20 are safe until the contract ends. For more let us speak about the next contract.",
    )  # fmt: skip
    waiting = limit_request_create(
        by=marco, network=network, ceiling="network_dynamic", more=30, visitors_per_hour=120, lifetime_seconds=1800,
        reason="Solar quotes gets its own landing pages; every visitor should see a number of his own.",
    )  # fmt: skip
    # As if it had happened over the last week.
    now = timezone.now()
    LimitRequest.objects.filter(pk=decided.pk).update(
        asked_at=now - timedelta(days=6, hours=3), decided_at=now - timedelta(days=5, hours=22)
    )
    LimitRequest.objects.filter(pk=waiting.pk).update(asked_at=now - timedelta(hours=20))
    # Nobody reads the mail of these people.
    Notice.objects.filter(network=network).update(by_mail=False)


def agreements_remove(network: Network) -> None:
    """Take the record of use and the requests away; the contract stays with the network."""
    NumberDay.objects.filter(network=network).delete()
    LimitRequest.objects.filter(network=network).delete()
