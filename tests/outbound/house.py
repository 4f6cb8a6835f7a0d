"""A network with a number, a carrier behind real HTTP, and batches that may dial now: for tests of outbound's core, pages and browser.

A plugin of pytest (tests/conftest.py names it): its fixtures are there wherever a test asks for them.
"""

import asyncio
import threading
from types import SimpleNamespace

import httpx
import pytest

from outbound import actions
from outbound.carriers.server import Pace, SimulatedCarrier, serve
from outbound.models import Batch
from outbound.models import Pace as PortalPace
from portal.errors import Refused
from tests.factories import BundleFactory, PromoNumberFactory

ANI = "+18055550100"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ALWAYS = {f"{day}_{edge}": at for day in DAYS for edge, at in (("open", 0), ("closed", 86400))}


@pytest.fixture
def outbound_settings(settings):
    """Nothing waits for a broker, and results may go to this machine."""
    settings.CELERY_TASK_ALWAYS_EAGER = False
    settings.OUTGOING_PRIVATE_ADDRESSES = True


@pytest.fixture
def no_wake_ups(monkeypatch):
    """The tests call the tasks' actions themselves, at the moment that they mean."""
    monkeypatch.setattr("outbound.tasks.queue", lambda task, *arguments, **options: None)


@pytest.fixture
def house(network, personas, outbound_settings, no_wake_ups):
    """Acme with an advertiser's campaign, its number, and a carrier that is not asked yet."""
    # The tables are emptied after a transactional test, this row too.
    PortalPace.objects.get_or_create(pk=1)
    campaign = BundleFactory(advertiser__network=network, network=network)
    PromoNumberFactory(campaign=campaign, network=network, number=ANI)
    carrier = actions.carrier_create(by=None, network=network, kind="simulator", name="Simulator")

    def batch(numbers=(), *, started=True, **values) -> Batch:
        values = {"name": "Reminders", "ani": ANI, "carrier": carrier, "hours": ALWAYS, **values}
        made = actions.batch_create(by=None, network=network, **values)
        if numbers:
            add(made, numbers)
        if started:
            actions.batch_start(by=None, batch=made)
        made.refresh_from_db()
        return made

    def add(batch, numbers):
        for start in range(0, len(numbers), 1000):
            calls = [{"destination": one} if isinstance(one, str) else one for one in numbers[start : start + 1000]]
            actions.recipients_add(by=None, batch=batch, calls=calls)

    return SimpleNamespace(network=network, people=personas, campaign=campaign, carrier=carrier, batch=batch, add=add)


def numbers(count, *, last="00", area="303"):
    """`count` different numbers of Denver whose last two digits say what the simulator does."""
    assert count <= 70_000
    return [f"+1{area}{200 + index // 100:03d}{index % 100:02d}{last}" for index in range(count)]


class Outside:
    """The simulator as seen from outside: what it counted for itself."""

    def __init__(self, port: int, carrier: SimulatedCarrier) -> None:
        self.url, self.carrier = f"http://127.0.0.1:{port}", carrier

    def counts(self):
        return httpx.get(f"{self.url}/counts", trust_env=False).json()

    def control(self, **values):
        httpx.post(f"{self.url}/control", json=values, trust_env=False)


@pytest.fixture
def simulator(house):
    """A simulator on a port of its own, quick, and the house's carrier pointed at it."""
    carrier = SimulatedCarrier(Pace(ring=0.01, talk=0.02, answer=0, slow=0.4))
    loop = asyncio.new_event_loop()
    started, port = threading.Event(), []

    def run():
        asyncio.set_event_loop(loop)

        def ready(number):
            port.append(number)
            started.set()

        task = loop.create_task(serve(carrier, "127.0.0.1", 0, ready))
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            for other in asyncio.all_tasks(loop):
                other.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            if carrier._client is not None:
                loop.run_until_complete(carrier._client.aclose())
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    house.carrier.base_url = f"http://127.0.0.1:{port[0]}"
    house.carrier.save()
    yield Outside(port[0], carrier)
    loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
    thread.join(10)


def refused(work, *arguments, **values):
    """The refusal that a call ends in."""
    with pytest.raises(Refused) as caught:
        work(*arguments, **values)
    return caught.value
