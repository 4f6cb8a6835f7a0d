"""Networks: created by platform staff; their settings changed by a Super, package and prices by platform staff alone."""

from decimal import Decimal, InvalidOperation
from typing import Any

import phonenumbers
from django.db import transaction

from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.actions import changes_between, record
from portal.errors import Conflict, Invalid, NotAllowed
from portal.zones import time_zones

Problem = tuple[str | None, str, str]

CURRENCIES = ("USD", "GBP", "EUR", "CAD")
# What a Super may set, and what only platform staff may: the package and the price of a minute are part of the contract.
SETTINGS = ("name", "time_zone", "country", "currency", "auto_generate_ids")
CONTRACT = ("concurrent_call_caps_enabled", "call_fee_per_minute")
MAX_FEE = Decimal("9999")


def _clean(values: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The values in their stored form; what is wrong is added to `problems`."""
    clean = dict(values)
    for name in values:
        if name not in SETTINGS + CONTRACT:
            problems.append((name, "unknown_field", f"“{name}” cannot be set here."))
    if "name" in values:
        clean["name"] = str(values["name"] or "").strip()
        if not 1 <= len(clean["name"]) <= 200:
            problems.append(("name", "required", "A name has 1 to 200 characters."))
    if "time_zone" in values and values["time_zone"] not in time_zones():
        text = f"“{values['time_zone']}” is not a known time zone; use an IANA name such as America/Denver."
        problems.append(("time_zone", "unknown_time_zone", text))
    if "country" in values:
        clean["country"] = str(values["country"]).upper()
        if clean["country"] not in phonenumbers.SUPPORTED_REGIONS:
            text = f"“{values['country']}” is not a country with phone numbers; use two letters such as US."
            problems.append(("country", "unknown_country", text))
    if "currency" in values and values["currency"] not in CURRENCIES:
        text = f"“{values['currency']}” is not supported; use {', '.join(CURRENCIES)}."
        problems.append(("currency", "unknown_currency", text))
    for name in ("auto_generate_ids", "concurrent_call_caps_enabled"):
        if name in values and not isinstance(values[name], bool):
            problems.append((name, "not_a_boolean", "Say true or false."))
    if "call_fee_per_minute" in values:
        try:
            fee = Decimal(str(values["call_fee_per_minute"])).quantize(Decimal("0.0001"))
            if not 0 <= fee <= MAX_FEE:
                raise InvalidOperation
            clean["call_fee_per_minute"] = fee
        except InvalidOperation:
            text = f"The call fee is an amount of money from 0 to {MAX_FEE} per minute."
            problems.append(("call_fee_per_minute", "out_of_range", text))
    return clean


def network_create(*, by: User | None, name: str, **values: Any) -> Network:
    """Create a network; platform staff only. Raises Invalid with every problem, Conflict when the name is taken."""
    if by is not None and not access.stands_above(by):
        raise NotAllowed("Only platform staff create networks.", permission="accounts.add_network")
    problems: list[Problem] = []
    clean = _clean({"name": name, **values}, problems)
    if problems:
        raise Invalid.of(problems)
    with transaction.atomic():
        network, created = Network.objects.get_or_create(name=clean["name"], defaults=clean)
        if not created:
            raise Conflict(f"There is a network “{network}” already.", field="name", code="name_taken")
        record(event="network.create", obj=network, by=by, changes={field: [None, clean[field]] for field in clean})
    return network


def network_update(*, by: User | None, network: Network, reason: str = "", **values: Any) -> Network:
    """Change a network's settings. `SETTINGS` need `change` (Super), `CONTRACT` platform staff.

    Switching concurrent call caps or changing the fee takes effect on the next call: the database brings every
    destination in line. Raises NotAllowed when a contract field would change, Invalid with every problem.
    """
    access.require(by, "change", network)
    problems: list[Problem] = []
    clean = _clean(values, problems)
    if problems:
        raise Invalid.of(problems)
    with transaction.atomic():
        network = Network.objects.select_for_update(no_key=True).get(pk=network.pk)
        before = {name: getattr(network, name) for name in clean}
        changes = changes_between(before, clean)
        contract = sorted(set(changes) & set(CONTRACT))
        if contract and by is not None and not access.stands_above(by):
            raise NotAllowed(
                f"Only platform staff change {' and '.join(contract)}: they are part of the contract.",
                permission="accounts.change_contract",
            )
        if not changes:
            return network
        if "name" in changes and Network.objects.filter(name=clean["name"]).exclude(pk=network.pk).exists():
            raise Conflict(f"There is a network “{clean['name']}” already.", field="name", code="name_taken")
        for name, value in clean.items():
            setattr(network, name, value)
        network.save(update_fields=sorted(changes))
        record(event="network.update", obj=network, by=by, changes=changes, reason=reason)
    return network
