"""A network's contract: kept by platform staff alone. Its history stands in the event table, every change in the audit log."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction

from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.actions import changes_between, record
from portal.errors import Invalid, NotAllowed
from promo_numbers.choices import ContractPeriod
from promo_numbers.models import Contract

from .limits import MAX_LIMIT

FIELDS = ("csm", "starts_on", "ends_on", "numbers", "period", "overage_price", "currency")
Problem = tuple[str | None, str, str]
# Terms that are longer are a slip of the hand.
MAX_YEARS = 20


def _price(value: Any, problems: list[Problem]) -> Decimal | None:
    try:
        price = Decimal(str(value))
    except (InvalidOperation, ValueError):
        problems.append(("overage_price", "invalid", f"“{str(value)[:40]}” is not a price; write it like 2.50."))
        return None
    if not price.is_finite() or not 0 <= price < 1_000_000 or price != round(price, 4):
        text = "A price is 0 or more, below 1,000,000, with at most four decimals."
        problems.append(("overage_price", "out_of_range", text))
        return None
    return price


def _clean(values: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    clean = dict(values)
    for name in ("starts_on", "ends_on"):
        if name in values and (not isinstance(values[name], date) or not 2000 <= values[name].year <= 2100):
            problems.append((name, "invalid", "A day from 2000 to 2100, such as 2026-12-31."))
    numbers = values.get("numbers")
    if "numbers" in values and (
        isinstance(numbers, bool) or not isinstance(numbers, int) or not 0 <= numbers <= MAX_LIMIT
    ):
        problems.append(("numbers", "out_of_range", f"Numbers are a whole number from 0 to {MAX_LIMIT:,}."))
    if "period" in values and values["period"] not in ContractPeriod.values:
        problems.append(("period", "unknown_period", f"A period is one of {', '.join(ContractPeriod.values)}."))
    if "overage_price" in values and (price := _price(values["overage_price"], problems)) is not None:
        clean["overage_price"] = price
    if "currency" in values:
        currency = str(values["currency"] or "").strip().upper()
        if len(currency) != 3 or not currency.isalpha() or not currency.isascii():
            problems.append(("currency", "invalid", "A currency is three letters, such as USD."))
        clean["currency"] = currency
    csm = values.get("csm")
    if csm is not None and not (csm.is_active and access.stands_above(csm)):
        problems.append(("csm", "not_staff", f"{csm} is not platform staff (any more); a CSM is."))
    return clean


def contract_set(*, by: User | None, network: Network, reason: str = "", **values: Any) -> Contract:
    """Set a network's contract, or change what is named of it. Platform staff alone.

    values: csm (a User of the platform staff, or None), starts_on, ends_on (dates, the last day), numbers (included),
    period (Month | Year), overage_price (of one number above them for a month), currency. A first one needs starts_on,
    ends_on and numbers. Raises NotAllowed, and Invalid with every problem at once.
    """
    if by is not None and not access.stands_above(by):
        access.require(by, "view", network)
        raise NotAllowed("Only platform staff change a contract.", permission="numbers.change_contract")
    problems: list[Problem] = [
        (name, "unknown_field", f"“{name}” is no field of a contract.") for name in values if name not in FIELDS
    ]
    clean = _clean(values, problems)
    with transaction.atomic():
        # One at a time, also for the first one: the network's row is there.
        Network.objects.select_for_update(no_key=True).get(pk=network.pk)
        contract = Contract.objects.select_related("csm").filter(pk=network.pk).first()
        new = contract is None
        if contract is None:
            contract = Contract(network=network)
            problems += [
                (name, "required", "A contract needs its first and last day, and how many numbers it includes.")
                for name in ("starts_on", "ends_on", "numbers")
                if name not in values
            ]
        starts, ends = (clean.get(name, getattr(contract, name)) for name in ("starts_on", "ends_on"))
        if not problems and not starts <= ends <= starts.replace(year=starts.year + MAX_YEARS, day=1):
            text = f"The last day comes after the first ({starts}), within {MAX_YEARS} years."
            problems.append(("ends_on", "out_of_range", text))
        if problems:
            raise Invalid.of(problems)
        before = {} if new else {name: getattr(contract, name) for name in clean}
        changes = changes_between(before, clean)
        if changes or new:
            for name, value in clean.items():
                setattr(contract, name, value)
            contract.save()
            record(event="contract.set", obj=network, by=by, changes=changes, reason=reason.strip())
    return contract
