"""The list of calls: what a user may see of it, filtered, one page at a cost that does not grow with the table.

A call is seen by whoever sees the campaign called, and by whoever sees a destination that it reached; the latter sees
his own leg of it and neither the campaign called nor the promo number (`CallRow.whole`).

How a page is found: candidates' ids are taken from an index in their order (the network's, a campaign's, a caller's, a
destination's legs) below the cursor. A filter that no index serves looks through at most `WINDOW` calls at a time and
says how far it came, instead of reading ten million rows for the one that fits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from campaigns.models import Call, CallLeg, Campaign
from campaigns.regions import places_of
from portal.accounts import access
from portal.accounts.models import Network, User

PAGE_SIZE = 50
WINDOW = 20_000
# Ids are drawn in the order of beginning, give or take the transactions that run at the same moment.
SLACK = 200
# Up to so many campaigns are looked up one by one, in one statement.
FEW = 50
CLOCK_SLACK = timedelta(minutes=5)
MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class CallFilter:
    """What to keep of the list. caller and promo_number in E.164; `withheld` = calls without a caller's number."""

    campaign: Campaign | None = None
    destination: Campaign | None = None
    outcome: str = ""
    reason: str = ""
    caller: str = ""
    withheld: bool = False
    promo_number: str = ""
    since: datetime | None = None
    until: datetime | None = None
    live: bool = False


@dataclass
class CallRow:
    """One call as lists show it. `whole` = the user sees the call itself, not only his leg of it.

    state: setup, ringing, talking, ended or refused. talked: seconds between answer and end (or now).
    """

    call: Call
    leg: CallLeg | None
    whole: bool
    campaign: Campaign | None
    destination: Campaign | None
    destination_visible: bool
    place: str = ""

    @property
    def state(self) -> str:
        return state_of_leg(self.leg)

    @property
    def is_live(self) -> bool:
        return self.leg is not None and self.leg.ended_at is None

    @property
    def talked(self) -> float | None:
        return talked(self.leg)

    @property
    def reason(self) -> str:
        """Why it ended, or why nobody took it."""
        if self.leg is None:
            return self.call.get_refusal_display() if self.whole else ""
        return self.leg.get_end_reason_display()


@dataclass
class CallPage:
    """One page of calls. `after`: the cursor of the next one; `searched_to`: the search paused at that time."""

    rows: list[CallRow]
    after: str | None = None
    searched_to: datetime | None = None
    before: str | None = field(default=None)

    def __iter__(self) -> Iterator[CallRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def state_of_leg(leg: CallLeg | None) -> str:
    """setup, ringing, talking or ended; refused without a leg."""
    if leg is None:
        return "refused"
    if leg.ended_at:
        return "ended"
    if leg.answered_at:
        return "talking"
    return "ringing" if leg.ringing_at else "setup"


def talked(leg: CallLeg | None) -> float | None:
    """Seconds of talk so far; None if nobody answered."""
    if leg is None or leg.answered_at is None:
        return None
    return ((leg.ended_at or timezone.now()) - leg.answered_at).total_seconds()


def sees_all(user: User, network: Network) -> bool:
    """Whether his role shows `user` every call of the network (a grant shows only what it was given on)."""
    least = access.access_of(Call).roles["view"]
    return access.stands_above(user) or network.pk in access.networks_with(user, least)


def campaigns_seen(user: User, network: Network) -> QuerySet[Campaign]:
    """The campaigns by which calls and legs are seen: the grants on both lead to the same campaigns (campaigns.rights)."""
    return access.restrict(Campaign.objects.filter(network=network), user)


def calls_seen(user: User, network: Network) -> Q:
    """The condition on `Call`: he sees the campaign called or a destination reached."""
    if sees_all(user, network):
        return Q(network=network)
    seen = campaigns_seen(user, network).values("pk")
    return Q(network=network) & (
        Q(campaign__in=seen) | Q(Exists(CallLeg.objects.filter(call=OuterRef("pk"), destination__in=seen)))
    )


def legs_seen(user: User, network: Network) -> Q:
    """The condition on `CallLeg`: he sees its destination or the campaign called."""
    if sees_all(user, network):
        return Q(call__network=network)
    seen = campaigns_seen(user, network).values("pk")
    return Q(call__network=network) & (Q(destination__in=seen) | Q(call__campaign__in=seen))


_FIRST_AT = """
WITH RECURSIVE halves (low, high) AS (
    SELECT 0::bigint, coalesce(max(id), 0) + 1 FROM campaigns_call
    UNION ALL
    SELECT CASE WHEN early THEN middle + 1 ELSE low END, CASE WHEN early THEN high ELSE middle END
    FROM (
        SELECT low, high, (low + high) / 2 AS middle, coalesce((
            SELECT started_at FROM campaigns_call WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1
        ) < %s, false) AS early
        FROM halves WHERE low < high
    ) h
)
SELECT min(high) FROM halves
"""


def first_id_at(at: datetime) -> int:
    """The lowest id of calls that began at `at` or later: found by halving over the primary key, not by reading on."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_AT, [at])
        return int(cursor.fetchone()[0])


class _Search:
    """One look for a page of ids: bounds, window, and the conditions on calls and on legs."""

    def __init__(self, user: User, network: Network, filters: CallFilter, cursor: int | None, size: int) -> None:
        self.user, self.network, self.filters, self.size = user, network, filters, size
        self.everything = sees_all(user, network)
        self.seen = campaigns_seen(user, network)
        self.high = cursor if cursor is not None else MAX_ID
        self.low = 0
        self.paused_at: int | None = None
        if filters.since:
            self.low = first_id_at(filters.since - CLOCK_SLACK)
        if filters.until:
            self.high = min(self.high, first_id_at(filters.until + CLOCK_SLACK))

    def _of_call(self, prefix: str = "") -> Q:
        """The filters on the call that a source has not yet applied."""
        f = self.filters
        wanted: dict[str, Any] = {}
        if f.outcome:
            wanted["outcome"] = f.outcome
        if f.promo_number:
            wanted["promo_number"] = f.promo_number
        if f.since:
            wanted["started_at__gte"] = f.since
        if f.until:
            wanted["started_at__lt"] = f.until
        if f.campaign:
            wanted["campaign"] = f.campaign
        if f.caller:
            wanted["caller"] = f.caller
        if f.withheld:
            wanted["caller"] = None
        condition = Q(**{f"{prefix}{name}": value for name, value in wanted.items()})
        if (f.promo_number or f.campaign) and not self.everything:
            # Who sees only a leg does not learn which number or bundle was called, by asking for it either.
            condition &= Q(**{f"{prefix}campaign__in": self.seen.values("pk")})
        return condition

    @property
    def needs_window(self) -> bool:
        """Whether a filter is left that no index serves."""
        f = self.filters
        unserved = f.outcome or f.reason or f.promo_number or (f.withheld and not self.everything)
        return bool(unserved) and not (f.caller or f.live)

    def _calls(self) -> QuerySet[Call]:
        """Calls within the bounds, by the index that fits, newest first."""
        rows = Call.objects.filter(network=self.network, id__lt=self.high, id__gte=self.low)
        if self.filters.campaign:
            rows = rows.filter(campaign=self.filters.campaign)
        if self.filters.caller:
            rows = rows.filter(caller=self.filters.caller)
        if self.filters.withheld and self.everything:
            rows = rows.filter(caller=None)
        return rows.order_by("-id")

    def _legs(self) -> QuerySet[CallLeg]:
        """Legs of calls within the bounds, newest first. The bound on their own id keeps a deep page as cheap as the first."""
        rows = CallLeg.objects.filter(call_id__lt=self.high, call_id__gte=self.low)
        if self.high < MAX_ID:
            nearest = CallLeg.objects.filter(call_id__lt=self.high).order_by("-call_id").values_list("id", flat=True)
            rows = rows.filter(id__lte=max(nearest[:SLACK], default=0))
        return rows.order_by("-id")

    def _set_window(self) -> None:
        if not self.needs_window:
            return
        if self.filters.destination:
            legs = self._legs().filter(destination=self.filters.destination)
            found = list(legs.values_list("call_id", flat=True)[WINDOW : WINDOW + 1])
        else:
            found = list(self._calls().values_list("id", flat=True)[WINDOW : WINDOW + 1])
        if found:
            self.low = self.paused_at = found[0]

    def ids(self) -> list[int]:
        """The ids of the page's calls and one more, newest first."""
        self._set_window()
        reason, wanted = self.filters.reason, self._of_call()
        ended_so = Q(end_reason=reason) if reason else Q()
        if self.filters.live:
            return self._live_ids()
        if self.filters.destination:
            legs = self._legs().filter(self._of_call("call__"), ended_so, destination=self.filters.destination)
            return self._top(legs.values_list("call_id", flat=True)[: self.size + 1 + SLACK])
        if reason:
            wanted &= Q(refusal=reason) | Q(Exists(CallLeg.objects.filter(call=OuterRef("pk"), end_reason=reason)))
        calls = self._calls().filter(wanted)
        if self.everything:
            return list(calls.values_list("id", flat=True)[: self.size + 1])
        if self.filters.caller:
            seen = calls.filter(calls_seen(self.user, self.network))
            return list(seen.values_list("id", flat=True)[: self.size + 1])
        return self._granted_ids(calls, self._legs().filter(self._of_call("call__"), ended_so))

    def _live_ids(self) -> list[int]:
        # What is live is few and has an index of its own.
        legs = CallLeg.objects.filter(self._of_call("call__"), legs_seen(self.user, self.network), ended_at=None)
        legs = legs.filter(call_id__lt=self.high, call_id__gte=self.low)
        if self.filters.destination:
            legs = legs.filter(destination=self.filters.destination)
        if self.filters.reason:
            return []
        return self._top(legs.order_by("-call_id").values_list("call_id", flat=True)[: self.size + 1])

    def _granted_ids(self, calls: QuerySet[Call], legs: QuerySet[CallLeg]) -> list[int]:
        """The newest of every campaign that he sees, called or as a destination, in one statement."""
        called, received = self.size + 1, self.size + 1 + SLACK
        few = list(self.seen.order_by().values_list("pk", flat=True)[: FEW + 1])
        if len(few) <= FEW:
            # With the campaign as a constant PostgreSQL knows which are rare and never walks the table for one of them.
            parts: list[QuerySet[Any]] = [calls.filter(campaign=pk).values_list("id", flat=True)[:called] for pk in few]
            parts += [legs.filter(destination=pk).values_list("call_id", flat=True)[:received] for pk in few]
            return self._top(parts[0].union(*parts[1:], all=True)) if parts else []
        per_campaign = self.seen.order_by().values_list(
            ArraySubquery(calls.filter(campaign=OuterRef("pk")).values("id")[:called]),
            ArraySubquery(legs.filter(destination=OuterRef("pk")).values("call_id")[:received]),
        )
        return self._top(call for both in per_campaign for ids in both for call in ids)

    def _top(self, ids: Iterable[int]) -> list[int]:
        return sorted(set(ids), reverse=True)[: self.size + 1]


def call_list(
    *, user: User, network: Network, filters: CallFilter, after: str | None = None, size: int = PAGE_SIZE
) -> CallPage:
    """One page of the calls that `user` may see, newest first; `after` is the cursor that the page before it gave.

    A constant number of statements whose cost does not grow with the table. Where a filter has no index the page may
    come back short with `searched_to` set: the search goes on from `after`.
    """
    known = after is not None and after.isascii() and after.isdecimal() and len(after) < 20
    cursor = int(after) if after and known and int(after) <= MAX_ID else None
    search = _Search(user, network, filters, cursor, size)
    ids = search.ids()
    page = CallPage(rows_of(user, network, ids[:size]))
    if len(ids) > size:
        page.after = str(ids[size - 1])
    elif search.paused_at is not None:
        page.after = str(search.paused_at)
        page.searched_to = Call.objects.values_list("started_at", flat=True).get(pk=search.paused_at)
    return page


def rows_of(user: User, network: Network, ids: list[int]) -> list[CallRow]:
    """The rows of calls by id, in the order of `ids`, as far as `user` may see them. Four statements."""
    calls = {call.pk: call for call in Call.objects.defer("trace").filter(calls_seen(user, network), pk__in=ids)}
    legs = CallLeg.objects.filter(legs_seen(user, network), call_id__in=list(calls)).order_by("id")
    last = {leg.call_id: leg for leg in legs}
    wanted = {call.campaign_id for call in calls.values()} | {leg.destination_id for leg in last.values()}
    campaigns = Campaign.objects.in_bulk(list(wanted))
    visible = set(campaigns)
    if not sees_all(user, network):
        visible = set(campaigns_seen(user, network).filter(pk__in=wanted).values_list("pk", flat=True))
    places = places_of(call.caller for call in calls.values())
    rows = []
    for pk in ids:
        if pk not in calls:
            continue
        call, leg = calls[pk], last.get(pk)
        whole = call.campaign_id in visible
        rows.append(
            CallRow(
                call=call, leg=leg, whole=whole, campaign=campaigns.get(call.campaign_id) if whole else None,
                destination=campaigns.get(leg.destination_id) if leg else None,
                destination_visible=bool(leg and leg.destination_id in visible), place=places.get(call.caller or "", ""),
            )
        )  # fmt: skip
    return rows
