"""Why a call went where it went: the stored trace in words, and the same without a call (Simulate).

Both read what the SQL function `campaigns_evaluate` says, so a simulation and a decision cannot disagree.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from campaigns.callers import Caller
from campaigns.choices import CampaignStatus, Distribution, EndReason, LegKind, Outcome, Passed
from campaigns.models import Call, CallLeg, Campaign
from campaigns.treatment.nodes import TYPES


@dataclass(frozen=True)
class Reason:
    """One reason against a destination (or, with code `chosen` or `available`, for it): stable code and plain words."""

    code: str
    text: str


@dataclass
class DestinationView:
    """One destination of the bundle as the decision saw it.

    verdict: chosen | available (eligible, but another came first) | passed. share: its chance in percent to be the next
    among equals (Simulate of a weighted bundle only).
    """

    campaign_id: int
    name: str
    priority: int
    weight: int
    verdict: str
    reasons: list[Reason]
    live: int
    cap: int | None
    share: float | None = None


@dataclass
class Decision:
    """A decision in words. `summary` is one sentence; `overflow` is None when the bundle has none or it was not needed."""

    outcome: str
    summary: str
    chosen: int | None
    refusal: str = ""
    entries: list[DestinationView] = field(default_factory=list)
    overflow: DestinationView | None = None
    repeat: int | None = None


def _money(value: Any, currency: str) -> str:
    return f"{Decimal(str(value)).quantize(Decimal('0.01')):,} {currency}"


def _opens(epoch: int | None, zone: str, at: datetime) -> str:
    if epoch is None:
        return "Closed (no opening hours)"
    opening = datetime.fromtimestamp(epoch, ZoneInfo(zone))
    today = at.astimezone(ZoneInfo(zone)).date()
    days = (opening.date() - today).days
    day = "" if days == 0 else " tomorrow" if days == 1 else f" {opening:%A}"
    return f"Closed until {opening:%H:%M}{day} ({zone})"


def reasons_against(
    mask: int, live: int, cap: int | None, extra: dict[str, Any], campaign: Campaign | None, at: datetime
) -> list[Reason]:
    """What speaks against a destination, in words: the bits of `mask` with the figures that SQL gave in `extra`."""
    zone, currency = (campaign.time_zone, campaign.currency) if campaign else ("UTC", "")
    reasons = []
    if mask & Passed.NOT_LIVE:
        status = extra.get("status")
        label = CampaignStatus(status).label if status in CampaignStatus.values else "Not live"
        reasons.append(Reason("not_live", label))
    if mask & Passed.OUT_OF_REGION:
        reasons.append(Reason("out_of_region", "Out of region"))
    if mask & Passed.CLOSED:
        reasons.append(Reason("closed", _opens(extra.get("opens"), zone, at)))
    if mask & Passed.BUDGET_CAP:
        used, total, price = extra.get("spend", (0, 0, 0))
        text = f"Budget cap reached: {_money(used, currency)} of {_money(total, currency)} used"
        if Decimal(str(used)) < Decimal(str(total)):
            text += f", and a call costs {_money(price, currency)}"
        reasons.append(Reason("budget_cap", text))
    if mask & Passed.PERIODIC_CALL_CAP:
        used, total = extra.get("calls", (0, 0))
        reasons.append(Reason("periodic_call_cap", f"Periodic call cap reached: {used}/{total} calls"))
    if mask & Passed.CONCURRENT_CALL_CAP:
        text = "Concurrent call cap is 0 (closed)" if cap == 0 else f"Concurrent call cap reached: {live}/{cap} live"
        reasons.append(Reason("concurrent_call_cap", text))
    if mask & Passed.ZERO_WEIGHT:
        reasons.append(Reason("zero_weight", "Weight 0: receives no calls"))
    return reasons


def _entries(
    rows: Iterable[list[Any]],
    chosen: int | None,
    repeat: int | None,
    over_cap: bool,
    campaigns: dict[int, Campaign],
    at: datetime,
) -> list[DestinationView]:
    entries = []
    best = None
    for row in rows:
        destination, priority, weight, mask, live, cap = row[:6]
        campaign = campaigns.get(destination)
        reasons = reasons_against(mask, live, cap, row[6] if len(row) > 6 else {}, campaign, at)
        if destination == chosen:
            best = priority
            verdict = "chosen"
            if destination == repeat:
                text = "Repeat caller: was connected here before"
                reasons = [
                    Reason("repeat_caller", f"{text}; sent here over the cap ({live + 1}/{cap})" if over_cap else text)
                ]
            else:
                reasons = [
                    Reason("chosen", f"Chosen: {live + 1}/{cap} live with this call" if cap is not None else "Chosen")
                ]
        elif mask == 0:
            verdict = "available"
            later = best is not None and priority > best
            reasons = [
                Reason("lower_priority", "Lower priority")
                if later
                else Reason("not_drawn", "Available, another came first")
            ]
        else:
            verdict = "passed"
        entries.append(
            DestinationView(destination, str(campaign or destination), priority, weight, verdict, reasons, live, cap)
        )
    return entries


def _overflow(
    row: list[Any] | None, campaigns: dict[int, Campaign], chosen: int | None, *, now: bool = False
) -> DestinationView | None:
    """now: the decision is made now (Simulate), so that the campaign's status of now is what speaks against it."""
    if row is None:
        return None
    destination, mask = row[0], row[1]
    campaign = campaigns.get(destination)
    reasons = []
    if mask & Passed.NOT_LIVE:
        # Its status is not kept with the call, and may be another by now.
        status = campaign.get_status_display() if now and campaign else "Not live at that time"
        reasons.append(Reason("not_live", status))
    if mask & Passed.CLOSED:
        # Its next opening is not kept with the call: its hours of today say it well enough.
        reasons.append(Reason("closed", "Closed at that time"))
    verdict = "chosen" if destination == chosen else "passed"
    if verdict == "chosen":
        reasons = [Reason("overflow", "Overflow (else branch): no destination was left")]
    return DestinationView(destination, str(campaign or destination), 0, 0, verdict, reasons, 0, None)


def _campaigns_in(trace: dict[str, Any], *others: int | None) -> dict[int, Campaign]:
    ids = {row[0] for row in trace.get("entries", [])} | {other for other in others if other}
    if trace.get("overflow"):
        ids.add(trace["overflow"][0])
    return Campaign.objects.in_bulk(list(ids))


def _summary(outcome: str, refusal: str, chosen: Campaign | None, kind: str | None, trace: dict[str, Any]) -> str:
    if outcome == Outcome.TREATMENT:
        ended = EndReason(trace["ended"]).label.lower() if trace.get("ended") in EndReason.values else "the call ended"
        return f"Ended in the call treatment before a destination was selected ({ended})."
    if outcome == Outcome.REFUSED:
        if trace.get("status"):
            return f"Refused: the campaign was {CampaignStatus(trace['status']).label.lower()} (not in service)."
        what = {
            EndReason.CAPPED: "every destination that could have taken it is at a cap",
            EndReason.CLOSED: "no destination is open now",
            EndReason.OUT_OF_REGION: "no destination takes this caller's region",
            EndReason.NO_DESTINATION: "the bundle has no live destination",
        }.get(EndReason(refusal), EndReason(refusal).label)
        way_out = (
            " and the overflow campaign cannot take it"
            if trace.get("overflow")
            else " and the bundle has no overflow campaign"
        )
        return f"Refused: {what}{way_out}."
    if kind == LegKind.REPEAT:
        return f"Sent back to “{chosen}”: the caller was connected there before."
    if kind == LegKind.OVERFLOW:
        return f"Sent to the overflow campaign “{chosen}”: no destination was left."
    if kind == LegKind.DIRECT:
        return f"Went to “{chosen}” directly; caps only notify outside a bundle."
    return f"Sent to “{chosen}”."


def decision_of(call: Call, leg: CallLeg | None = None) -> Decision:
    """The stored decision of a call in words. `leg` is its first leg, if the caller has it at hand. One or two queries."""
    if leg is None and call.outcome != Outcome.REFUSED:
        leg = call.legs.order_by("id").first()
    trace = call.trace or {}
    chosen = leg.destination_id if leg else None
    campaigns = _campaigns_in(trace, chosen)
    entries = _entries(
        trace.get("entries", []), chosen if leg and leg.holds_slot else None, trace.get("repeat"),
        bool(leg and leg.over_cap), campaigns, call.started_at,
    )  # fmt: skip
    return Decision(
        outcome=call.outcome,
        summary=_summary(
            call.outcome, call.refusal, campaigns.get(chosen) if chosen else None, leg.kind if leg else None, trace
        ),
        chosen=chosen,
        refusal=call.refusal,
        entries=entries,
        overflow=_overflow(trace.get("overflow"), campaigns, chosen),
        repeat=trace.get("repeat"),
    )


def decision_of_move(leg: CallLeg) -> Decision | None:
    """Why a call's slot moved on to this leg, in words; None for a leg that the call began with."""
    if leg.trace is None:
        return None
    outcome = Outcome.OVERFLOW if leg.kind == LegKind.OVERFLOW else Outcome.DESTINATION
    campaigns = _campaigns_in(leg.trace, leg.destination_id)
    entries = _entries(
        leg.trace.get("entries", []), leg.destination_id if leg.holds_slot else None, leg.trace.get("repeat"),
        leg.over_cap, campaigns, leg.selected_at,
    )  # fmt: skip
    return Decision(
        outcome=outcome,
        summary=_summary(outcome, "", campaigns.get(leg.destination_id), leg.kind, leg.trace),
        chosen=leg.destination_id,
        refusal="",
        entries=entries,
        overflow=_overflow(leg.trace.get("overflow"), campaigns, leg.destination_id),
        repeat=leg.trace.get("repeat"),
    )


_LEFT = {
    EndReason.CAPPED: "every other destination that could have taken it was at a cap",
    EndReason.CLOSED: "no other destination was open",
    EndReason.OUT_OF_REGION: "no other destination takes this caller's region",
}


def decision_of_left(leg: CallLeg) -> Decision | None:
    """Why a call that was to move on from this leg was taken by nobody else, in words; None where it did not come to that."""
    trace = leg.left_trace
    if trace is None:
        return None
    at = leg.ended_at or leg.selected_at
    campaigns = _campaigns_in(trace)
    if leg.kind == LegKind.OVERFLOW:
        why = "after the overflow campaign nobody comes"
    elif "entries" not in trace:
        why = "the bundle took no calls any more"
    else:
        why = _LEFT.get(trace.get("refusal", ""), "the bundle has no other destination that is live")
    summary = f"Nobody else was left: {why}{', and the overflow campaign could not take it' if trace.get('overflow') else ''}."
    return Decision(
        outcome=Outcome.REFUSED, summary=summary, chosen=None, refusal=trace.get("refusal", ""),
        entries=_entries(trace.get("entries", []), None, trace.get("repeat"), False, campaigns, at),
        overflow=_overflow(trace.get("overflow"), campaigns, None), repeat=trace.get("repeat"),
    )  # fmt: skip


def _in_order(rows: list[dict[str, Any]], distribution: str, repeat: int | None) -> list[dict[str, Any]]:
    """The order in which routing would try: for a weighted draw the likeliest first."""

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        turn: float = 0
        if distribution == Distribution.WEIGHTED:
            turn = -row["weight"]
        elif distribution == Distribution.MOST_FREE:
            turn = row["live"] - (row["live_cap"] if row["live_cap"] is not None else 1_000_000_000)
        return (row["destination"] != repeat, row["priority"], turn, row["place"])

    return sorted(rows, key=key)


def _what_follows(chosen: Campaign | None) -> str:
    """That a call is not only rung through at the destination, where that has a call treatment of its own."""
    root = chosen.ivr_tree["root"] if chosen is not None and chosen.ivr_tree else {}
    if root.get("node_type") not in TYPES or (root["node_type"] == "Connect" and not root.get("children")):
        return ""
    return f" Its own call treatment leads the call on from there, beginning with {TYPES[root['node_type']].label}."


def simulate(*, bundle: Campaign, caller: Caller, at: datetime | None = None) -> Decision:
    """What would happen to a call of `caller` to `bundle` at `at` (default now), without placing one.

    Caps are taken as they stand now (a period that will have been renewed by `at` counts as unused). Of a weighted
    bundle the likeliest destination is named, with each one's chance in `share`.
    """
    at = at or datetime.now(UTC)
    if not bundle.is_live:
        trace: dict[str, Any] = {"status": bundle.status}
        return Decision(
            Outcome.REFUSED,
            _summary(Outcome.REFUSED, EndReason.NOT_IN_SERVICE, None, None, trace),
            None,
            EndReason.NOT_IN_SERVICE,
        )
    if not bundle.is_bundle:
        return Decision(Outcome.DIRECT, _summary(Outcome.DIRECT, "", bundle, LegKind.DIRECT, {}), bundle.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaigns_repeat_destination(%s, %s, %s)", [bundle.pk, caller.e164, at])
        repeat = cursor.fetchone()[0]
        cursor.execute(
            "SELECT place, destination, priority, weight, mask, live, live_cap, entry::text FROM campaigns_evaluate(%s, %s, %s)",
            [bundle.pk, caller.key, at],
        )
        names = [column.name for column in cursor.description]
        rows = _in_order([dict(zip(names, row, strict=True)) for row in cursor.fetchall()], bundle.distribution, repeat)
        overflow = None
        if bundle.overflow_id:
            cursor.execute("SELECT campaigns_overflow_mask(%s, %s)", [bundle.overflow_id, at])
            overflow = [bundle.overflow_id, cursor.fetchone()[0]]
        cursor.execute("SELECT campaigns_refusal(%s)", [[row["mask"] for row in rows]])
        refused_as = cursor.fetchone()[0]
    trace = {"entries": [json.loads(row["entry"]) for row in rows]}
    over = Passed.CONCURRENT_CALL_CAP | Passed.ZERO_WEIGHT
    taken = next(
        (row for row in rows if row["mask"] == 0 or (row["destination"] == repeat and row["mask"] & ~over == 0)), None
    )
    chosen = taken["destination"] if taken else None
    kind = None if taken is None else LegKind.REPEAT if chosen == repeat else LegKind.BUNDLE
    refusal = ""
    outcome = Outcome.DESTINATION if taken else Outcome.REFUSED
    over_cap = bool(taken and taken["mask"] & Passed.CONCURRENT_CALL_CAP)
    if taken is None and overflow is not None:
        trace["overflow"] = overflow
        if overflow[1] == 0:
            chosen, kind, outcome = overflow[0], LegKind.OVERFLOW, Outcome.OVERFLOW
    if outcome == Outcome.REFUSED:
        refusal = refused_as
    campaigns = _campaigns_in(trace, chosen)
    entries = _entries(trace["entries"], None if kind == LegKind.OVERFLOW else chosen, repeat, over_cap, campaigns, at)
    _shares(entries, rows, bundle.distribution, repeat if kind == LegKind.REPEAT else None)
    found = campaigns.get(chosen) if chosen else None
    summary = _summary(outcome, refusal, found, kind, trace) + _what_follows(found)
    return Decision(
        outcome, summary, chosen, refusal, entries,
        _overflow(trace.get("overflow"), campaigns, chosen if kind == LegKind.OVERFLOW else None, now=True), repeat,
    )  # fmt: skip


def _shares(entries: list[DestinationView], rows: list[dict[str, Any]], distribution: str, repeat: int | None) -> None:
    """Fill in each available destination's chance to be taken next."""
    free = [row for row in rows if row["mask"] == 0]
    if repeat is not None or not free:
        return
    top = min(row["priority"] for row in free)
    first = [row for row in free if row["priority"] == top]
    total = sum(row["weight"] for row in first)
    for entry in entries:
        row = next((row for row in first if row["destination"] == entry.campaign_id), None)
        if row and distribution == Distribution.WEIGHTED and total:
            entry.share = round(100 * row["weight"] / total, 1)
