"""What the two summary pages and the dashboard show of the present moment."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from campaigns.choices import CapKind, LegKind, Passed
from campaigns.models import Call, CallLeg, Campaign, Cap, DestinationState
from portal.accounts import access
from portal.accounts.models import Network, User

from .decisions import Reason, reasons_against
from .lists import campaigns_visible

# Enough calls for a share in whole percent, few enough to count on every look at the page.
SHARE_OF_LAST = 1000


@dataclass(frozen=True)
class Slots:
    """Concurrent calls of one destination now. cap None = no cap in force; `over` = calls above the cap."""

    live: int
    cap: int | None

    @property
    def free(self) -> int | None:
        """Slots left; None without a cap."""
        return None if self.cap is None else max(0, self.cap - self.live)

    @property
    def over(self) -> int:
        return 0 if self.cap is None else max(0, self.live - self.cap)

    @property
    def is_full(self) -> bool:
        return self.cap is not None and self.live >= self.cap


@dataclass(frozen=True)
class PeriodicCap:
    """A budget or periodic call cap with its use in the present period. `used` None = nothing counts there (a bundle)."""

    kind: str
    label: str
    amount: Decimal
    used: Decimal | int | None
    unit: str
    period: str
    resets_at: datetime | None
    begins_at: datetime | None
    time_zone: str
    includes_fees: bool

    @property
    def is_money(self) -> bool:
        return self.kind == CapKind.BUDGET

    @property
    def set_words(self) -> str:
        """The button that sets its counter by hand."""
        return f"Set the counter of the {self.label.lower()}"


def state_of(campaign: Campaign) -> DestinationState | None:
    """The destination's counters, read afresh; None for a bundle."""
    return DestinationState.objects.filter(pk=campaign.pk).first()


def slots_of(state: DestinationState | None) -> Slots:
    return Slots(state.live, state.live_cap) if state else Slots(0, None)


def _use(
    state: DestinationState | None, kind: str, now: datetime
) -> tuple[Decimal | int | None, datetime | None, bool]:
    """What is used, when it resets, and whether the cap is in force. A period that has passed counts as unused."""
    if state is None:
        return None, None, True
    used: Decimal | int
    if kind == CapKind.BUDGET:
        used, since, until = state.spend_used, state.spend_since, state.spend_until
    else:
        used, since, until = state.calls_used, state.calls_since, state.calls_until
    if since is None:
        return 0, until, False
    return (0 if until is not None and now >= until else used), until, True


def periodic_caps(caps: list[Cap], state: DestinationState | None) -> list[PeriodicCap]:
    """The budget and the periodic call cap among `caps`, with their use and next reset."""
    now = timezone.now()
    views = []
    for cap in caps:
        if cap.kind == CapKind.CONCURRENT_CALLS:
            continue
        used, until, in_force = _use(state, cap.kind, now)
        views.append(
            PeriodicCap(
                kind=cap.kind,
                label=cap.get_kind_display(),
                amount=cap.amount,
                used=used,
                unit=cap.currency if cap.kind == CapKind.BUDGET else "calls",
                period=cap.get_reset_period_display(),
                resets_at=until if in_force else None,
                begins_at=None if in_force else until,
                time_zone=cap.time_zone,
                includes_fees=cap.include_call_fees,
            )
        )
    return views


@dataclass
class BundleRow:
    """One destination of a bundle now. `reasons` speak against it for any caller; regions are told apart in `where`."""

    destination: Campaign
    visible: bool
    priority: int
    weight: int
    slots: Slots
    reasons: list[Reason]
    where: str
    share: float | None = None
    received: int = 0

    @property
    def is_open(self) -> bool:
        return not self.reasons


def where_taken(campaign: Campaign) -> str:
    """The campaign's regions in a few words, “everywhere” if it has none."""
    names = [named["name"] for named in campaign.named_regions if named.get("regions")]
    if not names:
        return "Everywhere"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def shares(bundle: Campaign) -> dict[int, int]:
    """{destination id: calls} of the bundle's last `SHARE_OF_LAST` calls in 24 hours that it sent to destinations."""
    since = timezone.now() - timedelta(hours=24)
    last = Call.objects.filter(campaign=bundle, started_at__gte=since).order_by("-id").values("pk")[:SHARE_OF_LAST]
    legs = CallLeg.objects.filter(call__in=last, kind__in=(LegKind.BUNDLE, LegKind.REPEAT)).order_by()
    return dict(legs.values_list("destination").annotate(n=Count("*")))


def bundle_rows(*, bundle: Campaign, user: User | None) -> list[BundleRow]:
    """The bundle's destinations as routing sees them now (the same SQL function), in order of priority. Four statements.

    The caller's region is left out: it differs from call to call. `visible` says whether `user` may open the destination.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT destination, priority, weight, mask, live, live_cap, entry::text"
            " FROM campaigns_evaluate(%s, NULL, %s) ORDER BY priority, place",
            [bundle.pk, now],
        )
        evaluated = cursor.fetchall()
    campaigns = Campaign.objects.in_bulk([row[0] for row in evaluated])
    seen = set(campaigns) if user is None else set(
        access.restrict(Campaign.objects.filter(pk__in=campaigns), user).values_list("pk", flat=True)
    )  # fmt: skip
    received = shares(bundle)
    total = sum(received.values())
    rows = []
    for pk, priority, weight, mask, live, cap, entry in evaluated:
        extra = json.loads(entry)[6:]
        campaign = campaigns[pk]
        reasons = reasons_against(mask & ~Passed.OUT_OF_REGION, live, cap, extra[0] if extra else {}, campaign, now)
        count = received.get(pk, 0)
        rows.append(
            BundleRow(
                campaign,
                pk in seen,
                priority,
                weight,
                Slots(live, cap),
                reasons,
                where_taken(campaign),
                share=100 * count / total if total else None,
                received=count,
            )
        )
    return rows


def overflow_reasons(bundle: Campaign) -> list[Reason]:
    """What speaks against the bundle's overflow campaign now; empty when it can take a call."""
    if bundle.overflow is None:
        return []
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaigns_overflow_mask(%s, %s)", [bundle.overflow_id, now])
        (mask,) = cursor.fetchone()
        opens = None
        if mask & Passed.CLOSED:
            cursor.execute(
                "SELECT extract(epoch FROM campaigns_next_opening(p.hours, p.time_zone, %s))::bigint"
                " FROM campaigns_routingprofile p WHERE p.campaign_id = %s",
                [now, bundle.overflow_id],
            )
            (opens,) = cursor.fetchone()
    extra = {"status": bundle.overflow.status, "opens": opens}
    return reasons_against(mask, 0, None, extra, bundle.overflow, now)


def calls_now(*, campaign: Campaign) -> int:
    """Calls in progress that came to this campaign, a bundle or called directly."""
    return CallLeg.objects.filter(ended_at=None, call__campaign=campaign).count()


@dataclass(frozen=True)
class Now:
    """The dashboard's figures of the moment. `used` and `capacity`: live calls and caps of capped destinations."""

    calls: int
    used: int
    capacity: int
    capped: int
    uncapped_live: int


def now(*, user: User, network: Network) -> Now:
    """Calls in progress and capacity used in what `user` may see. Two statements."""
    visible = campaigns_visible(user, network)
    states = DestinationState.objects.filter(campaign__in=visible.order_by())
    sums = states.aggregate(
        used=Sum("live", filter=Q(live_cap__isnull=False)),
        capacity=Sum("live_cap"),
        capped=Count("pk", filter=Q(live_cap__isnull=False)),
        uncapped=Sum("live", filter=Q(live_cap=None)),
    )
    calls = CallLeg.objects.filter(ended_at=None, destination__in=visible.order_by()).count()
    return Now(calls, sums["used"] or 0, sums["capacity"] or 0, sums["capped"] or 0, sums["uncapped"] or 0)


def recent_legs(*, campaign: Campaign, user: User, limit: int = 8) -> QuerySet[CallLeg]:
    """The last calls that a destination received."""
    return (
        access.restrict(CallLeg.objects.filter(destination=campaign), user)
        .select_related("call", "call__campaign")
        .order_by("-id")[:limit]
    )


def recent_calls(*, bundle: Campaign, limit: int = 8) -> QuerySet[Call]:
    """The last calls to a bundle, with their legs."""
    return Call.objects.filter(campaign=bundle).prefetch_related("legs__destination").order_by("-id")[:limit]


def standing_in(*, campaign: Campaign, user: User) -> tuple[list[Campaign], int]:
    """The bundles that a destination stands in as far as `user` may see them (with `priority`, `weight`), and how many more."""
    rows = Campaign.objects.filter(destinations__destination=campaign)
    seen = list(
        access.restrict(rows, user)
        .annotate(priority=F("destinations__priority"), weight=F("destinations__weight"))
        .order_by("name", "id")[:50]
    )
    return seen, rows.count() - len(seen)
