"""Promo numbers: add, change, move, release. Every add passes the limits; the database holds them."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns.callers import NotANumber, e164
from campaigns.choices import CampaignStatus
from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import User
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid, NotFound
from promo_numbers.choices import MediaType, NumberState, PromoType, StockState
from promo_numbers.models import PromoNumber, RingPool, StockNumber
from promo_numbers.suppliers import Wanted
from promo_numbers.suppliers.registry import remote_of
from promo_numbers.suppliers.stock import stock_pick, stock_rest

from .limits import limits_check, limits_held, network_hold
from .orders import order_begin, order_settled, webhook_point
from .stock_add import number_of_stock_add

Problem = tuple[str | None, str, str]
MAX_AT_ONCE = 1000
# The supplier of a number that is the customer's own.
OWN = "own"
# An enumeration makes its list anew each time that it is asked for it.
_MEDIA_TYPES, _PROMO_TYPES = tuple(MediaType.values), tuple(PromoType.values)
_SHOWN = ("description", "media_type", "promo_type", "id_from_network", "custom_data")


def values_clean(values: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """What a number carries, in its stored form; what is wrong is added to `problems`."""
    clean = dict(values)
    if "description" in values:
        clean["description"] = str(values["description"] or "").strip()
        if not 1 <= len(clean["description"]) <= 200:
            problems.append(("description", "required", "Say what the number is for, in 1 to 200 characters."))
    if "media_type" in values and values["media_type"] not in _MEDIA_TYPES:
        text = f"“{values['media_type']}” is not a media type; use one of: {'; '.join(MediaType.values)}."
        problems.append(("media_type", "unknown_media_type", text))
    if "promo_type" in values and values["promo_type"] not in _PROMO_TYPES:
        text = f"“{values['promo_type']}” is not a promo type; use {', '.join(PromoType.values)}."
        problems.append(("promo_type", "unknown_promo_type", text))
    own = str(values.get("id_from_network") or "").strip()
    if "id_from_network" in values:
        clean["id_from_network"] = own
        if len(own) > 100 or "/" in own:
            problems.append(("id_from_network", "invalid", "An id has at most 100 characters and no “/”."))
    data = values.get("custom_data")
    if "custom_data" in values and (
        not isinstance(data, dict) or len(data) > 100 or not all(isinstance(name, str) and name for name in data)
    ):
        problems.append(("custom_data", "not_an_object", "Custom data is {name: value}, at most 100 of them."))
    return clean


def campaign_takes_numbers(campaign: Campaign) -> None:
    """Raise Conflict for an archived campaign: nothing is added to it."""
    if campaign.status == CampaignStatus.ARCHIVED:
        raise Conflict(
            f"“{campaign}” is archived; take it from the archive before adding numbers.", code="wrong_status"
        )


def own_number(raw: str, campaign: Campaign) -> str:
    """The customer's own number in E.164. Raises Invalid."""
    try:
        return e164(raw, campaign.network.country)
    except NotANumber as error:
        raise Invalid(
            f"“{raw[:64]}” is not a phone number; write it like +18055550123.", field="promo_number",
            code="invalid_phone_number",
        ) from error  # fmt: skip


def _stock_claim(number: str, campaign: Campaign) -> str:
    """Take one certain number; its supplier. A number that we do not hold is the customer's own."""
    rows = StockNumber.objects.filter(number=number)
    # Never waits: whoever is being given this very number may be waiting for the network's counters, which we hold.
    row = rows.select_for_update(skip_locked=True).first()
    supplier = stock_supplier(number, row, campaign.network_id, busy=row is None and rows.exists())
    if row is not None and supplier != OWN:
        StockNumber.objects.filter(pk=row.pk).update(state=StockState.USED)
    return supplier


def stock_supplier(number: str, row: StockNumber | None, network_id: int, *, busy: bool) -> str:
    """The supplier of a certain number, by its row of the stock (locked by us): `OWN` where the stock does not hold it.

    busy: there is a row, and somebody else has it locked. Raises Conflict where the network cannot have it.
    """
    if busy:
        raise Conflict(f"{number} is just being handed out; choose another.", field="promo_number", code="number_taken")
    if row is None or row.state == StockState.GONE:
        return OWN
    if row.network_id not in (None, network_id):
        raise Conflict(f"{number} belongs to another network.", field="promo_number", code="number_taken")
    if row.state == StockState.RESTING and row.rests_until is not None:
        raise Conflict(
            f"{number} rests until {row.rests_until:%Y-%m-%d} after its release; choose another.",
            field="promo_number", code="number_resting", details={"rests_until": row.rests_until.isoformat()},
        )  # fmt: skip
    if row.state == StockState.USED:
        raise number_taken(number)
    return row.supplier


def number_taken(number: str = "This number") -> Conflict:
    """The refusal of a number that is in use, in whatever network."""
    return Conflict(f"{number} is in use already.", field="promo_number", code="number_taken")


def id_taken() -> Conflict:
    """The refusal of an own id that another number of the network has."""
    return Conflict("Another number of the network has this id.", field="id_from_network", code="id_taken")


def _unique(error: IntegrityError) -> Conflict | None:
    """The refusal behind a broken unique rule; None for any other error."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    made = {"number_active_once": number_taken, "number_own_id_once_per_network": id_taken}.get(name)
    return made() if made is not None else None


def number_add(
    *,
    by: User | None,
    campaign: Campaign,
    description: str,
    media_type: str = MediaType.ONLINE_DISPLAY,
    number: str | None = None,
    wanted: Wanted | None = None,
    or_else: Sequence[Wanted] = (),
    **values: Any,
) -> PromoNumber:
    """Add one static (direct) number to a campaign. Needs `manage_numbers`.

    number: a certain one (of the stock, or the customer's own); otherwise any free one of the stock that is as `wanted`, or
    as one of `or_else`, in that order. What the stock does not have is bought from the network's remote supplier, if it has
    one, once the transaction is committed: the number is `ordered` then, and stays so while the supplier's answer is
    looked up. values: promo_type, id_from_network, custom_data, extra.

    Raises Invalid; `LimitReached` (409) with the ceilings; Conflict `out_of_numbers`, `not_bought`, `number_taken`,
    `number_resting`, `id_taken`, `wrong_status`. Any number of parallel calls end exactly at the limit.
    """
    access.require(by, "manage_numbers", campaign)
    problems: list[Problem] = []
    clean = values_clean({"description": description, "media_type": media_type, **values}, problems)
    if problems:
        raise Invalid.of(problems)
    digits = own_number(number, campaign) if number else ""
    campaign_takes_numbers(campaign)
    wanted = wanted or Wanted(kind=clean.get("promo_type", PromoType.LOCAL))
    clean.setdefault("promo_type", wanted.kind)
    limits_check(campaign, dynamic=False)
    wishes = [wanted, *or_else]
    if not digits and not clean.get("id_from_network") and not any(wish.prefixes or wish.looks_like for wish in wishes):
        with limits_held(campaign, dynamic=False):
            made = number_of_stock_add(
                by=by, campaign=campaign, wishes=wishes, values=clean, changes=number_new("", clean)
            )
        if made is not None:
            webhook_point(made.supplier, made.number, campaign.network)
            return made
    try:
        with limits_held(campaign, dynamic=False), transaction.atomic():
            if digits or clean.get("id_from_network"):
                # What must be unique can make somebody wait for us: then we wait for nobody (docs/locking.md).
                network_hold(campaign.network_id)
            supplier, buys = "", False
            if digits:
                supplier = _stock_claim(digits, campaign)
            elif taken := next((found for wish in wishes if (found := stock_pick(campaign.network, wish))), None):
                ((digits, supplier),) = taken
            else:
                supplier, buys = remote_of(campaign.network), True
                if not supplier:
                    raise out_of_numbers(wanted, 0, 1)
            # The audit line first, the counters last: their rows are locked only until the commit that follows.
            shown = digits or f"ordered: {wanted}"
            record(event="number.add", obj=campaign, by=by, changes=number_new(shown, clean))
            place = {"network_id": campaign.network_id, "campaign": campaign}
            if not buys:
                webhook_point(supplier, digits, campaign.network)
                return PromoNumber.objects.create(**place, number=digits, supplier=supplier, **clean)
            ordered = PromoNumber.objects.create(**place, state=NumberState.ORDERED, supplier=supplier, **clean)
            order_begin(by=by, number=ordered, wishes=wishes)
    except IntegrityError as error:
        if (refusal := _unique(error)) is None:
            raise
        raise refusal from error
    return order_settled(ordered)


def number_new(shown: str, clean: dict[str, Any]) -> dict[str, list[Any]]:
    """What the audit event `number.add` says of a new number."""
    return {"promo_number": [None, shown], **{name: [None, clean[name]] for name in _SHOWN if clean.get(name)}}


def _picked(campaign: Campaign, wanted: Wanted, count: int) -> list[tuple[str, str]]:
    """`count` numbers of the stock. Raises Conflict `out_of_numbers` when there are fewer."""
    found = stock_pick(campaign.network, wanted, count)
    if len(found) < count:
        raise out_of_numbers(wanted, len(found), count)
    return found


def out_of_numbers(wanted: Wanted, free: int, asked: int) -> Conflict:
    """The refusal of a wish that the stock cannot fulfil, where nobody sells numbers to the network."""
    return Conflict(
        f"The stock has {free} of the {asked} asked for: {wanted}. Ask for another area code or place, or have"
        " platform staff fill the stock.",
        code="out_of_numbers", details={"free": free, "asked": asked, "wanted": wanted.as_json()},
    )  # fmt: skip


def dynamic_numbers_add(
    *, by: User | None, pool: RingPool, count: int, wanted: Wanted, numbers: Sequence[str] = (), overflow: bool = False
) -> list[PromoNumber]:
    """Add `count` dynamic numbers to a RingPool, all or none. The caller has checked the right and holds no locks.

    numbers: certain ones (the customer's own), as many as `count`; otherwise any of the stock.
    """
    campaign = pool.campaign
    campaign_takes_numbers(campaign)
    limits_check(campaign, dynamic=True, count=count)
    try:
        with limits_held(campaign, dynamic=True, count=count), transaction.atomic():
            if numbers:
                network_hold(campaign.network_id)
            taken = (
                [(digits, _stock_claim(digits, campaign)) for digits in sorted(numbers)]
                if numbers
                else _picked(campaign, wanted, count)
            )
            for digits, supplier in taken:
                webhook_point(supplier, digits, campaign.network)
            name = "overflow number" if overflow else "numbers"
            record(
                event="ring_pool.grow", obj=pool, by=by, network=campaign.network,
                changes={name: [None, [digits for digits, _ in taken]]},
            )  # fmt: skip
            return PromoNumber.objects.bulk_create(
                PromoNumber(
                    network_id=campaign.network_id,
                    campaign=campaign,
                    ring_pool=pool,
                    number=digits,
                    supplier=supplier,
                    description=f"RingPool {pool.name}"[:200],
                    promo_type=wanted.kind,
                    is_overflow=overflow,
                )
                for digits, supplier in taken
            )
    except IntegrityError as error:
        if (refusal := _unique(error)) is None:
            raise
        raise refusal from error


def _in_use(number: PromoNumber) -> PromoNumber:
    """The row, locked; Conflict if it was released meanwhile."""
    row = PromoNumber.objects.select_for_update(no_key=True, of=("self",)).select_related("campaign__network").get(
        pk=number.pk
    )  # fmt: skip
    if row.state == NumberState.RELEASED:
        raise Conflict(f"{row.number} was released; it is only history now.", code="number_released")
    return row


def number_update(*, by: User | None, number: PromoNumber, **values: Any) -> PromoNumber:
    """Change what a number carries: description, media_type, promo_type, id_from_network, custom_data, extra. Needs
    `manage_numbers`. Raises Invalid, Conflict `id_taken`, `number_released`."""
    access.require(by, "manage_numbers", number)
    problems: list[Problem] = [
        (name, "unknown_field", f"“{name}” cannot be set here.") for name in values if name not in (*_SHOWN, "extra")
    ]
    clean = values_clean(values, problems)
    if problems:
        raise Invalid.of(problems)
    try:
        with transaction.atomic():
            row = _in_use(number)
            changes = changes_between({name: getattr(row, name) for name in clean}, clean)
            if not changes:
                return row
            for name, value in clean.items():
                setattr(row, name, value)
            row.save(update_fields=sorted(clean))
            changes.pop("extra", None)
            record(event="number.update", obj=row, by=by, changes=changes)
            return row
    except IntegrityError as error:
        if (refusal := _unique(error)) is None:
            raise
        raise refusal from error


def number_move(*, by: User | None, number: PromoNumber, campaign: Campaign) -> PromoNumber:
    """`numbers_move` of one; returns its row as it now is."""
    numbers_move(by=by, numbers=[number], campaign=campaign)
    return PromoNumber.objects.select_related("campaign__network").get(pk=number.pk)


def numbers_move(*, by: User | None, numbers: Sequence[PromoNumber], campaign: Campaign) -> int:
    """Move static numbers to another campaign of their network; calls to them go there from now on. All or none.

    Needs `manage_numbers` on each number and on the campaign, whose limit must have room for all (`LimitReached`).
    Returns how many moved; those that stand there already do not count.
    """
    for number in numbers:
        access.require(by, "manage_numbers", number)
    access.require(by, "manage_numbers", campaign)
    for number in numbers:
        if campaign.network_id != number.network_id:
            raise NotFound("There is no such campaign in this network.", field="campaign", code="unknown_campaign")
        if number.ring_pool_id is not None:
            raise Conflict(
                f"{number} belongs to the RingPool “{number.ring_pool}”; release it there and add one here.",
                code="dynamic_number",
            )
    campaign_takes_numbers(campaign)
    away = [number for number in numbers if number.campaign_id != campaign.pk]
    if not away:
        return 0
    # The network's total does not change; only the campaign's own ceiling can be in the way.
    with limits_held(campaign, dynamic=False, count=len(away)), transaction.atomic():
        network_hold(campaign.network_id)
        rows = [
            row for number in sorted(away, key=lambda n: n.pk) if (row := _in_use(number)).campaign_id != campaign.pk
        ]
        for before in {row.campaign_id: row.campaign for row in rows}.values():
            digits = [row.number for row in rows if row.campaign_id == before.pk]
            record(event="number.move", obj=before, by=by, changes={"promo_number": [digits, f"moved to {campaign}"]})
            record(event="number.move", obj=campaign, by=by, changes={"promo_number": [f"from {before}", digits]})
        PromoNumber.objects.filter(pk__in=[row.pk for row in rows]).update(campaign=campaign)
    return len(rows)


def numbers_release(*, by: User | None, numbers: Sequence[PromoNumber], reason: str = "") -> int:
    """Release numbers of one network: calls to them find nobody, they stop counting, and they rest before anybody gets
    them again. Needs `manage_numbers` on each. Returns how many were in use; all or none."""
    for number in numbers:
        access.require(by, "manage_numbers", number)
    if len({number.network_id for number in numbers}) > 1:
        raise Invalid("Release the numbers of one network at a time.", code="several_networks")
    if not numbers:
        return 0
    with transaction.atomic():
        network_hold(numbers[0].network_id)
        rows = list(
            PromoNumber.objects.select_for_update(no_key=True, of=("self",))
            .select_related("campaign")
            .filter(pk__in=[number.pk for number in numbers], state=NumberState.ACTIVE)
            .order_by("pk")
        )
        for campaign in {row.campaign_id: row.campaign for row in rows}.values():
            digits = [row.number for row in rows if row.campaign_id == campaign.pk]
            record(event="number.release", obj=campaign, by=by, changes={"promo_number": [digits, None]}, reason=reason)
        stock_rest([row.number for row in rows])
        PromoNumber.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=NumberState.RELEASED, released_at=timezone.now()
        )
    return len(rows)
