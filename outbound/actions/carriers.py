"""Carriers: accounts, their paces, and clearing a back-off by hand."""

from typing import Any

import httpx
from django.db import IntegrityError, transaction

from outbound.choices import CarrierKind
from outbound.models import Carrier
from outbound.models.batch import new_secret
from portal import outgoing
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.audit.actions import changes_between, record
from portal.errors import Invalid
from portal.sealing import seal

from .common import rows
from .rules import address_parts

Problem = tuple[str | None, str, str]
LONGEST_ADDRESS = 200
FIELDS = ("name", "base_url", "settings", "calls_per_second", "lines", "is_enabled")


def _sealed(secrets: dict[str, Any]) -> dict[str, str]:
    """Keys as they are stored: a copy of the database opens no account."""
    return {name: seal(str(value)) for name, value in secrets.items() if value is not None}


def carrier_create(*, by: User | None, network: Network, kind: str, name: str, **values: Any) -> Carrier:
    """Add a carrier's account. `secrets` ({auth_token} for Twilio) is kept apart and never shown. Needs Super.

    The simulator's secret for signed callbacks is made here.
    """
    secrets = dict(values.pop("secrets", None) or {})
    if kind == CarrierKind.SIMULATOR:
        secrets.setdefault("callback_secret", new_secret())
    carrier = Carrier(network=network, kind=kind, name=name.strip()[:100], secrets=_sealed(secrets), **_only(values))
    access.require(by, "add", carrier)
    _check(carrier, _address_problems(carrier.base_url))
    try:
        with transaction.atomic():
            carrier.save()
            record(event="carrier.create", obj=carrier, by=by, changes={"kind": [None, kind]})
    except IntegrityError as error:
        raise _named_twice(carrier) from error
    return carrier


def carrier_update(*, by: User | None, carrier: Carrier, **values: Any) -> Carrier:
    """Change a carrier; paces count from the next claim on. Needs Super. `secrets` are merged, None takes one away."""
    access.require(by, "change", carrier)
    secrets = values.pop("secrets", None)
    # Asked before any lock: it may take a name server's time.
    moves = "base_url" in values and values["base_url"] != carrier.base_url
    problems = _address_problems(values["base_url"]) if moves else []
    if moves and carrier.kind == CarrierKind.TWILIO and carrier.secrets and not (secrets or {}).get("auth_token"):
        # Else whoever may change the address could have the key sent to himself, which nobody may read.
        problems.append(("secrets", "required", "The auth token would be sent to the new address: give it again."))
    try:
        return _updated(by, carrier, values, secrets, problems)
    except IntegrityError as error:
        raise _named_twice(Carrier(name=str(values.get("name", carrier.name)))) from error


def _updated(
    by: User | None, carrier: Carrier, values: dict[str, Any], secrets: dict[str, Any] | None, problems: list[Problem]
) -> Carrier:
    with transaction.atomic():
        now = Carrier.objects.select_for_update(no_key=True).get(pk=carrier.pk)
        before = {name: getattr(now, name) for name in FIELDS}
        for name, value in _only(values).items():
            setattr(now, name, value)
        if secrets:
            gone = {key for key, value in secrets.items() if value is None}
            now.secrets = {key: value for key, value in {**now.secrets, **_sealed(secrets)}.items() if key not in gone}
        _check(now, problems)
        now.save()
        changes = changes_between(before, {name: getattr(now, name) for name in FIELDS})
        if secrets:
            changes["secrets"] = ["…", "changed"]
        if changes:
            record(event="carrier.change", obj=now, by=by, changes=changes)
    return now


def carrier_clear(*, by: User | None, carrier: Carrier) -> None:
    """Forget a carrier's back-off and its slowed pace: it is tried at full pace again. Needs `operate`."""
    access.require(by, "operate", carrier)
    with transaction.atomic():
        rows(
            "UPDATE outbound_carrierstate SET backoff_until = NULL, slowed = 0, slowed_at = NULL, errors_in_row = 0"
            " WHERE carrier_id = %s",
            [carrier.pk],
        )
        record(event="carrier.clear", obj=carrier, by=by)


def _only(values: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise Invalid(f"“{unknown[0]}” is not a field of a carrier.", field=unknown[0], code="unknown_field")
    return values


def _named_twice(carrier: Carrier) -> Invalid:
    return Invalid(f"A carrier of this network is called “{carrier.name}”.", field="name", code="exists")


def _address_problems(base_url: str) -> list[Problem]:
    """Whether the portal would connect to this address at all. One that has no answer just now may have one later."""
    if not base_url:
        return []
    try:
        outgoing.address_of(httpx.URL(base_url))
    except (httpx.InvalidURL, outgoing.NotReached) as error:
        if getattr(error, "code", "") == "private_address":
            return [
                ("base_url", "private_address", f"{str(error).capitalize()} Give a public address, or leave it blank.")
            ]
    return []


def _check(carrier: Carrier, problems: list[Problem]) -> None:
    if not carrier.name:
        problems.append(("name", "required", "Give the carrier a name."))
    if carrier.kind not in CarrierKind.values:
        problems.append(("kind", "unknown_choice", f"“{carrier.kind}” is none of {', '.join(CarrierKind.values)}."))
    address = address_parts(carrier.base_url)
    if len(carrier.base_url) > LONGEST_ADDRESS:
        problems.append(
            ("base_url", "too_long", f"The address has {len(carrier.base_url)} characters; {LONGEST_ADDRESS} at most.")
        )
    if carrier.base_url and (address.scheme not in ("http", "https") or not address.hostname):
        problems.append(
            ("base_url", "not_an_address", "The address begins with http:// or https://, and a name follows.")
        )
    if address.username or address.password:
        problems.append(
            ("base_url", "secret_in_address", "A password in the address would be shown to everybody; leave it out.")
        )
    if carrier.calls_per_second is not None and not 0.01 <= float(carrier.calls_per_second) <= 100_000:
        problems.append(
            ("calls_per_second", "out_of_range", "Calls per second: 0.01 to 100 000, or empty for no limit of its own.")
        )
    if carrier.lines is not None and not 1 <= carrier.lines <= 1_000_000:
        problems.append(("lines", "out_of_range", "Lines: 1 or more, or empty for no limit."))
    if carrier.kind == CarrierKind.TWILIO and not carrier.settings.get("account_sid"):
        problems.append(
            ("settings", "required", "Twilio needs account_sid in its settings and auth_token in its secrets.")
        )
    if problems:
        raise Invalid.of(problems)
