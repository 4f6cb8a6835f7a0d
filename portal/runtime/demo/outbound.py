"""Outbound in the demo: a carrier that is simulated, a batch that runs, one that waits for tomorrow, and a draft."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from itertools import islice, product
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from campaigns.hours import DAYS
from outbound import actions
from outbound.models import Batch, Carrier, DoNotCallList
from portal.accounts.models import Network

CARRIER = "Simulated carrier"
DO_NOT_CALL = "Never call"
# Numbers 555-01XX are nobody's. The last two digits say what the simulator does (outbound/carriers/simulated.py):
# those that hang for ever or never answer are left to two people, so that there is something stuck to look at.
_AREAS = (
    "303", "720", "970", "719", "212", "646", "718", "213", "310", "415", "619", "206", "503", "602", "480", "505", "801",
    "312", "773", "214", "972", "512", "713", "305", "407", "404", "615", "614", "216", "313", "617", "215",
)  # fmt: skip
_PLAIN = [last for last in range(91) if last not in (89, 90)]
ALWAYS = {f"{day}_{edge}": at for day in DAYS for edge, at in (("open", 0), ("closed", 86_400))}


def outbound_load(network: Network) -> None:
    """Make what is missing of it. Nothing is dialed but by the simulator."""
    carrier = Carrier.objects.filter(network=network, name=CARRIER).first() or actions.carrier_create(
        by=None, network=network, kind="simulator", name=CARRIER, calls_per_second=4, lines=60
    )
    never = DoNotCallList.objects.filter(network=network, name=DO_NOT_CALL).first()
    if never is None:
        never = actions.do_not_call_list_create(by=None, network=network, name=DO_NOT_CALL)
        actions.do_not_call_add(
            by=None, to=never, patterns=["+13035550107", "+12125550131", "+1900*"], note="Asked us not to"
        )
    if Batch.objects.filter(network=network).exists():
        return
    reminders = _batch(
        network, carrier, "Furnace check-up reminders", "+18055550110", hours=ALWAYS, calls_per_second=0.5, lines=20,
        max_attempts=3, retry_interval=900, message_reference="furnace-2026",
    )  # fmt: skip
    _add(reminders, [*_numbers(1800), "+13035550191", "+12125550198"])
    actions.batch_start(by=None, batch=reminders)
    renewals = _batch(
        network, carrier, "Policy renewals, December", "+16145550111", starts_at=_tomorrow(network), calls_per_second=2,
        max_attempts=2, priority=7,
    )  # fmt: skip
    _add(renewals, _numbers(600, skip=1800))
    actions.batch_start(by=None, batch=renewals)
    draft = _batch(network, carrier, "Solar follow-ups", "+14805550114", calls_per_second=1)
    _add(draft, _numbers(250, skip=2400))


def outbound_remove(network: Network) -> None:
    """Remove its batches with all that hangs on them, lists and carriers: what the portal itself never does."""
    batches = "(SELECT id FROM outbound_batch WHERE network_id = %s)"
    with connection.cursor() as cursor:
        events = (
            "DELETE FROM outbound_attemptevent e USING outbound_attempt a WHERE a.id = e.attempt_id AND a.batch_id IN "
        )
        cursor.execute(events + batches, [network.pk])
        for table in ("resultdelivery", "attempt", "recipient"):
            cursor.execute(f"DELETE FROM outbound_{table} WHERE batch_id IN {batches}", [network.pk])  # noqa: S608
    Batch.objects.filter(network=network).delete()
    Carrier.objects.filter(network=network).delete()
    DoNotCallList.objects.filter(network=network).delete()


def _batch(network: Network, carrier: Carrier, name: str, ani: str, **values: object) -> Batch:
    return actions.batch_create(by=None, network=network, name=name, ani=ani, carrier=carrier, **values)


def _add(batch: Batch, numbers: list[str]) -> None:
    for start in range(0, len(numbers), 1000):
        calls: list[Mapping[str, str]] = [
            {"destination": number, "first_name": "Alex"} for number in numbers[start : start + 1000]
        ]
        actions.recipients_add(by=None, batch=batch, calls=calls)


def _numbers(count: int, skip: int = 0) -> list[str]:
    """Different numbers of all area codes in turn."""
    pairs = product(_PLAIN, _AREAS)
    return [f"+1{area}55501{last:02d}" for last, area in islice(pairs, skip, skip + count)]


def _tomorrow(network: Network) -> datetime:
    """A quarter past nine tomorrow, by the network's clock."""
    place = ZoneInfo(network.time_zone)
    day = timezone.now().astimezone(place).date() + timedelta(days=1)
    return datetime.combine(day, time(9, 15), tzinfo=place)
