"""Writing a promo number over the API: one transaction around the actions, all problems of the input in one answer."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from campaigns.api.input import cleaned
from campaigns.api.terms import MAX_EXTRA
from campaigns.api.writes import CREATE, UPSERT, Mode
from campaigns.callers import NotANumber, e164
from campaigns.models import Campaign
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.api import etags
from portal.errors import Conflict, Invalid, NotFound
from promo_numbers.actions import number_add, number_move, number_update
from promo_numbers.actions.limits import network_hold
from promo_numbers.choices import COUNTED, NumberState, PromoType
from promo_numbers.models import PromoNumber
from promo_numbers.places import wishes_of
from promo_numbers.suppliers import Wanted

from .serializers import WISHES, PromoNumberInput

Problem = tuple[str | None, str, str]
# Given back by a read, so clients send them again; never written.
READ_ONLY = (
    "id", "object_url", "promo_number_formatted", "state", "status", "advertiser", "campaign", "ring_pool", "supplier",
    "order", "last_called_on", "created_at", "released_at", "oauth_token",
)  # fmt: skip
_MOVE = ("destination_advertiser_id_from_network", "destination_advertiser_campaign_id_from_network")
_CARRIED = ("description", "media_type", "promo_type", "custom_data", "id_from_network")


@dataclass(frozen=True)
class At:
    """The number that an address names: by its digits (E.164) or by the customer's own id; neither for a collection."""

    digits: str = ""
    own: str = ""


def number_state(number: PromoNumber) -> str:
    """The part of a number's ETag that stands for what users edit."""
    return etags.state_of(
        number.pk, number.number, number.state, number.campaign_id, number.description, number.media_type, number.promo_type,
        number.id_from_network, sorted(number.custom_data.items(), key=lambda pair: pair[0]), number.extra,
    )  # fmt: skip


def digits_of(raw: str, network: Network) -> str:
    """An address's number in E.164. Raises NotFound: there is none of that name."""
    try:
        return e164(raw[:64], network.country)
    except NotANumber as error:
        raise NotFound("There is no such promo number.", field="promo_number", code="unknown_promo_number") from error


def direct_at(campaign: Campaign, at: At) -> PromoNumber | None:
    """The direct number of an address, if the campaign has it in use."""
    rows = PromoNumber.objects.filter(campaign=campaign, ring_pool=None, state__in=COUNTED)
    return rows.filter(number=at.digits).first() if at.digits else rows.filter(id_from_network=at.own).first()


@dataclass(frozen=True)
class _Given:
    """What was sent: values for the actions, the wishes for a new number, a certain number, the campaign to move to."""

    values: dict[str, Any]
    kept: dict[str, Any]
    wishes: list[Wanted]
    digits: str
    target: Campaign | None


def _read(data: dict[str, Any], by: User, network: Network) -> _Given:
    data = {name: value for name, value in data.items() if name not in READ_ONLY}
    given = cleaned(PromoNumberInput, data)
    problems: list[Problem] = []
    values = {name: given[name] for name in _CARRIED if name in given}
    if "custom_data" in values:
        values["custom_data"] = values["custom_data"] or {}
    if "id_from_network" in values:
        values["id_from_network"] = values["id_from_network"] or ""
    wishes = wishes_of(given, values.get("promo_type", PromoType.LOCAL), problems)
    digits = ""
    if raw := given.get("promo_number"):
        try:
            digits = e164(raw, network.country)
        except NotANumber:
            text = f"“{raw}” is not a phone number; write it like +18055550123."
            problems.append(("promo_number", "invalid_phone_number", text))
    kept = {name: value for name, value in data.items() if name not in PromoNumberInput().fields}
    kept |= {name: data[name] for name in WISHES if name in data}
    target = _target(given, by, network, problems)
    if problems:
        raise Invalid.of(problems)
    return _Given(values, kept, wishes, digits, target)


def _target(given: dict[str, Any], by: User, network: Network, problems: list[Problem]) -> Campaign | None:
    named = [name for name in _MOVE if given.get(name)]
    if not named:
        return None
    if len(named) == 1:
        (missing,) = set(_MOVE) - set(named)
        problems.append((missing, "required", f"To move a number, say {_MOVE[0]} and {_MOVE[1]}."))
        return None
    rows = Campaign.objects.select_related("network", "advertiser").filter(
        network=network, advertiser__id_from_network=given[_MOVE[0]], id_from_network=given[_MOVE[1]]
    )
    found = access.restrict(rows, by).first()
    if found is None:
        text = f"There is no campaign “{given[_MOVE[1]]}” of the advertiser “{given[_MOVE[0]]}” in this network."
        problems.append((_MOVE[1], "unknown_campaign", text))
    return found


def number_write(
    *, request: HttpRequest, by: User, campaign: Campaign, at: At, data: dict[str, Any], mode: Mode
) -> tuple[PromoNumber, bool]:
    """Add, change or move a number as `mode` allows: all of it or nothing. Returns it, and whether it is new.

    An upsert that meets another one creating the same runs again, and changes it.
    """
    access.require(by, "manage_numbers", campaign)  # before the input is judged: its words would betray other campaigns
    given = _read(data, by, campaign.network)
    own = given.values.get("id_from_network") or ""
    if at.own and own not in ("", at.own):
        raise Invalid(
            f"The address says “{at.own}”, the body “{own}”; an id does not change.", field="id_from_network",
            code="id_mismatch",
        )  # fmt: skip
    if at.digits and given.digits not in ("", at.digits):
        raise Invalid(
            f"The address says {at.digits}, the body {given.digits}; a number does not change.", field="promo_number",
            code="number_mismatch",
        )  # fmt: skip
    for last in (False, True):
        try:
            with transaction.atomic():
                return _write(request, by, campaign, at, given, mode)
        except (Conflict, IntegrityError) as error:
            raced = isinstance(error, IntegrityError) or error.code in ("id_taken", "number_taken")
            if last or mode is not UPSERT or not raced:
                raise
    raise AssertionError


def _write(
    request: HttpRequest, by: User, campaign: Campaign, at: At, given: _Given, mode: Mode
) -> tuple[PromoNumber, bool]:
    if given.target is not None:
        network_hold(campaign.network_id)  # before the number's row: docs/locking.md
    found = direct_at(campaign, at) if at != At() and mode is not CREATE else None
    if found is not None:
        # Again under its lock: what is compared with If-Match is what is then changed.
        rows = PromoNumber.objects.select_for_update(no_key=True, of=("self",)).select_related("campaign__network")
        found = rows.filter(pk=found.pk, campaign=campaign).exclude(state=NumberState.RELEASED).first()
    etags.check_match(request, number_state(found) if found else None)
    if found is None and not mode.create:
        raise NotFound("There is no such promo number.", field="promo_number", code="unknown_promo_number")
    kept = {**(found.extra if found else {}), **given.kept}
    if len(json.dumps(kept)) > MAX_EXTRA:
        raise Invalid(
            f"The fields kept for you have {MAX_EXTRA // 1024} KB at most; send fewer that Headroom does not use.",
            code="too_much_kept",
        )
    values = {**given.values, "extra": kept}
    if found is None:
        return _create(by, given.target or campaign, at, given, values), True
    changed = number_update(by=by, number=found, **values)
    if given.target is not None:
        changed = number_move(by=by, number=changed, campaign=given.target)
    return changed, False


def _create(by: User, campaign: Campaign, at: At, given: _Given, values: dict[str, Any]) -> PromoNumber:
    missing = [name for name in ("description", "media_type") if not values.get(name)]
    if missing:
        raise Invalid.of([(name, "required", f"A new number needs its {name}.") for name in missing])
    if at.own:
        values["id_from_network"] = at.own
    digits = at.digits or given.digits
    return number_add(
        by=by, campaign=campaign, number=digits or None, wanted=given.wishes[0], or_else=given.wishes[1:], **values
    )
