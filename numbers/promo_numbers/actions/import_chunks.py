"""Many rows of an import at once: what `number_add` does to one, in the same order of refusals, in a fixed number of
statements.

The network's counters are held, so nothing moves them meanwhile: what fits is reckoned here, row by row as the file has
them, and the database is asked for the chunk as a whole. It still holds every limit and unique rule; where one of them
refuses the chunk in the end, the caller does it again, or one row at a time.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Q

from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.actions import record_all
from portal.bulk import rows_insert
from portal.errors import Invalid, Refused
from promo_numbers.choices import NumberState, StockState
from promo_numbers.csv_files import Row
from promo_numbers.models import CampaignNumbers, NetworkNumbers, NumberImport, PromoNumber, StockNumber
from promo_numbers.queries.limits import limit_of_campaign, limits_of_network
from promo_numbers.suppliers import Wanted
from promo_numbers.suppliers.registry import remote_of

from .import_rows import NumberAsked, campaign_unknown, campaign_unsaid, number_asked
from .limits import LimitReached
from .numbers import (
    OWN,
    campaign_takes_numbers,
    id_taken,
    number_new,
    number_taken,
    out_of_numbers,
    own_number,
    stock_supplier,
    values_clean,
)
from .orders import orders_begin, webhook_point

# How often the stock is asked. Only when it runs out of what is wished for must it be asked again: rows refused for that
# leave room under the limits for later ones.
ROUNDS = 4
# What a row may leave out.
_CARRIED = {"id_from_network": "", "custom_data": {}}


class Unsettled(Exception):
    """The chunk cannot be dealt with at once; one row at a time it can."""


@dataclass
class _Asked:
    """A row that may be added as far as it can be told without the counters: where, which number or wish, what it carries."""

    row: Row
    campaign: Campaign
    digits: str
    wanted: Wanted
    clean: dict[str, Any]

    @property
    def own_id(self) -> str:
        return str(self.clean.get("id_from_network", ""))


@dataclass
class _Walk:
    """The rows gone through once, in the file's order, with what the stock gave until then."""

    # (row, its number, that one's supplier); no number: to be bought.
    added: list[tuple[_Asked, str, str]] = field(default_factory=list)
    refused: list[tuple[Row, Refused]] = field(default_factory=list)
    # How many numbers each wish took, those that were not picked yet among them.
    took: Counter[Wanted] = field(default_factory=Counter)


class NumberChunk:
    """Rows of one import of promo numbers. Made before the network's counters are locked; `add` under the lock, once."""

    def __init__(self, job: NumberImport, by: User, means: dict[str, str], rows: Sequence[Row]) -> None:
        self.job, self.by = job, by
        assert job.network is not None
        self.network = job.network
        self.asked: list[_Asked | tuple[Row, Refused]] = []
        self._read(rows, means)
        self.remote = remote_of(self.network)
        self.picked: dict[Wanted, list[tuple[str, str]]] = defaultdict(list)
        self.exhausted: set[Wanted] = set()
        # Certain numbers that this chunk has taken from the stock.
        self.claimed: set[str] = set()

    # Reading, without locks.

    def _read(self, rows: Sequence[Row], means: dict[str, str]) -> None:
        read: list[tuple[Row, NumberAsked | Refused]] = []
        for row in rows:
            try:
                if row.problem:
                    raise Invalid(row.problem, code="too_many_cells")
                read.append((row, number_asked(row, means)))
            except Refused as error:
                read.append((row, error))
        names = {asked.campaign for _row, asked in read if not isinstance(asked, Refused)}
        campaigns = self._campaigns(names)
        for row, asked in read:
            if isinstance(asked, Refused):
                self.asked.append((row, asked))
                continue
            campaign = campaigns[asked.campaign]
            if isinstance(campaign, Refused):
                self.asked.append((row, campaign))
                continue
            try:
                problems: list[tuple[str | None, str, str]] = []
                clean = values_clean(asked.values, problems)
                if problems:
                    raise Invalid.of(problems)
                digits = own_number(asked.number, campaign) if asked.number else ""
                campaign_takes_numbers(campaign)
                self.asked.append(_Asked(row, campaign, digits, asked.wanted, clean))
            except Refused as error:
                self.asked.append((row, error))

    def _campaigns(self, names: set[str]) -> dict[str, Campaign | Refused]:
        """{own id as the rows say it: the campaign, or why nothing is added to it}: rights asked for all in two statements."""
        rows = Campaign.objects.select_related("network").filter(network=self.network)
        rows = rows.filter(Q(id_from_network__in=names - {""}) | Q(pk=self.job.campaign_id))
        seen = list(access.restrict(rows, self.by))
        may = set(access.restrict(rows, self.by, "manage_numbers").values_list("pk", flat=True))
        found: dict[str, Campaign | Refused] = {}
        for campaign in seen:
            judged = campaign if campaign.pk in may else access.not_allowed("manage_numbers", campaign)
            found[campaign.id_from_network] = judged
            if campaign.pk == self.job.campaign_id:
                found[""] = judged
        none: Refused = campaign_unsaid() if self.job.campaign_id is None else access.not_seen(Campaign)
        return {name: found.get(name, campaign_unknown(name) if name else none) for name in names}

    # Adding, under the lock of the network's counters.

    def add(self, counters: NetworkNumbers) -> list[tuple[Row, Refused]]:
        """Add what fits; the rows refused, with why. `counters` as they were locked. Raises Unsettled."""
        self.counters = counters
        self._look()
        for _round in range(ROUNDS):
            walk = self._walk()
            self._claim(walk)
            needs = {wish: count - len(self.picked[wish]) for wish, count in walk.took.items()}
            needs = {wish: count for wish, count in needs.items() if count > 0 and wish not in self.exhausted}
            if not needs:
                break
            self._pick(needs)
        else:
            raise Unsettled("the stock runs out of too many kinds of numbers at the limit")
        self._settled(walk)
        self._write(walk)
        return walk.refused

    def _may_be_added(self) -> Iterable[_Asked]:
        return (asked for asked in self.asked if isinstance(asked, _Asked))

    def _look(self) -> None:
        """What is there already: the campaigns' counters, the certain numbers in the stock and in use, own ids."""
        rows = CampaignNumbers.objects.filter(pk__in={asked.campaign.pk for asked in self._may_be_added()})
        self.allowed = {row.pk: row for row in rows}
        digits = {asked.digits for asked in self._may_be_added()} - {""}
        # Never waits: whoever is being given this very number may be waiting for the network's counters, which we hold.
        stock = StockNumber.objects.filter(number__in=digits)
        self.stock = {row.number: row for row in stock.select_for_update(skip_locked=True)}
        self.known = set(stock.values_list("number", flat=True))
        in_use = PromoNumber.objects.filter(number__in=digits, state=NumberState.ACTIVE)
        self.in_use = set(in_use.values_list("number", flat=True))
        ids = {asked.own_id for asked in self._may_be_added()} - {""}
        having = PromoNumber.objects.filter(network=self.network, id_from_network__in=ids)
        self.ids = set(having.exclude(state=NumberState.RELEASED).values_list("id_from_network", flat=True))

    def _walk(self) -> _Walk:
        walk, ids = _Walk(), set(self.ids)
        # What this chunk itself has taken or picked is nobody else's.
        taken = {digits for found in self.picked.values() for digits, _supplier in found}
        total, used = self.counters.total_used, {pk: row.used for pk, row in self.allowed.items()}
        for asked in self.asked:
            if not isinstance(asked, _Asked):
                walk.refused.append(asked)
                continue
            campaign, own_id = asked.campaign, asked.own_id
            try:
                if not self._fits(campaign, used[campaign.pk], total):
                    raise self._limit_reached(campaign, used[campaign.pk], total)
                digits, supplier = self._number(asked, walk, taken)
                if own_id in ids:
                    raise id_taken()
            except Refused as error:
                walk.refused.append((asked.row, error))
                continue
            if not asked.digits:
                walk.took[asked.wanted] += 1
            taken.add(digits)
            if own_id:
                ids.add(own_id)
            total += 1
            used[campaign.pk] += 1
            walk.added.append((asked, digits, supplier))
        return walk

    def _fits(self, campaign: Campaign, used: int, total: int) -> bool:
        limit = self.counters.total_limit
        return used < self.allowed[campaign.pk].allowed and (limit is None or total < limit)

    def _limit_reached(self, campaign: Campaign, used: int, total: int) -> LimitReached:
        row, network = self.allowed[campaign.pk], self.counters
        limits = [
            limit_of_campaign(campaign, CampaignNumbers(pk=row.pk, allowed=row.allowed, used=used)),
            limits_of_network(self.network, NetworkNumbers(pk=network.pk, total_limit=network.total_limit, total_used=total))[0],
        ]  # fmt: skip
        return LimitReached(campaign, limits, [view for view in limits if not view.lets_in(1)], 1)

    def _number(self, asked: _Asked, walk: _Walk, taken: set[str]) -> tuple[str, str]:
        """The row's number and its supplier; no number where one is still to be picked, or to be bought."""
        if digits := asked.digits:
            row = self.stock.get(digits)
            supplier = stock_supplier(digits, row, self.network.pk, busy=row is None and digits in self.known)
            if digits in taken and supplier != OWN:
                raise number_taken(digits)
            if digits in self.in_use or digits in taken:
                raise number_taken()
            return digits, supplier
        found, place = self.picked[asked.wanted], walk.took[asked.wanted]
        if place < len(found):
            return found[place]
        if asked.wanted in self.exhausted and not self.remote:
            raise out_of_numbers(asked.wanted, 0, 1)
        return "", self.remote

    def _claim(self, walk: _Walk) -> None:
        """Take the certain numbers of the stock, before any wish could pick them."""
        mine = {asked.digits for asked, _digits, supplier in walk.added if asked.digits and supplier != OWN}
        if new := mine - self.claimed:
            StockNumber.objects.filter(number__in=new).update(state=StockState.USED)
            self.claimed |= new

    def _pick(self, needs: dict[Wanted, int]) -> None:
        """Take numbers as wished for, the most particular wishes first: what they leave, the others may have."""

        def particular(wish: Wanted) -> tuple[int, int]:
            return -sum(map(bool, (wish.area_codes, wish.locality, wish.region))), len(wish.area_codes)

        wishes = sorted(needs, key=particular)
        asked = [
            {
                "wish": index, "count": needs[wish], "kind": wish.kind, "area_codes": list(wish.area_codes) or None,
                "locality": wish.locality or None, "region": wish.region or None,
            }
            for index, wish in enumerate(wishes)
        ]  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT w.wish, p.number, p.supplier FROM jsonb_to_recordset(%s::jsonb) AS w(wish integer, count integer,"
                " kind text, area_codes text[], locality text, region text) CROSS JOIN LATERAL"
                " numbers_pick(%s, w.count, w.kind, w.area_codes, w.locality, w.region) p ORDER BY w.wish, p.number",
                [json.dumps(asked), self.network.pk],
            )
            for index, number, supplier in cursor.fetchall():
                self.picked[wishes[index]].append((number, supplier))
                needs[wishes[index]] -= 1
        self.exhausted |= {wish for wish, missing in needs.items() if missing > 0}

    def _settled(self, walk: _Walk) -> None:
        """Raise Unsettled if the stock gave numbers that no row has in the end: others may have been refused for want of them."""
        spare = any(len(found) > walk.took[wish] for wish, found in self.picked.items())
        if spare or self.claimed - {digits for _asked, digits, _supplier in walk.added}:
            raise Unsettled("numbers were taken from the stock that nobody needs")

    def _write(self, walk: _Walk) -> None:
        if not walk.added:
            return
        events, rows, orders = [], [], []
        for pk, (asked, digits, supplier) in zip(_ids(len(walk.added)), walk.added, strict=True):
            shown = digits or f"ordered: {asked.wanted}"
            events.append((asked.campaign, number_new(shown, asked.clean)))
            state = str(NumberState.ACTIVE if digits else NumberState.ORDERED)
            rows.append({
                **_CARRIED, "id": pk, "network_id": self.network.pk, "campaign_id": asked.campaign.pk, "number": digits,
                "supplier": supplier, "state": state, **asked.clean,
            })  # fmt: skip
            if digits:
                webhook_point(supplier, digits, self.network)
            else:
                orders.append((PromoNumber(pk=pk, supplier=supplier), [asked.wanted]))
        record_all(event="number.add", by=self.by, network=self.network, of=events)
        # Sorted by number: two networks that bring the same numbers of their own must not wait for each other crosswise.
        rows_insert(PromoNumber, sorted(rows, key=lambda row: str(row["number"])))
        if orders:
            orders_begin(by=self.by, wishes=orders)


def _ids(count: int) -> list[int]:
    """Ids for so many new numbers, in the order of the file."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('numbers_promonumber', 'id')) FROM generate_series(1, %s)", [count]
        )
        return [pk for (pk,) in cursor.fetchall()]
