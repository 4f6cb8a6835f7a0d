"""The demo's outbound: loaded once, dialed only by the simulator, and removed with all that hangs on it."""

import pytest

from outbound import actions
from outbound.models import Attempt, Batch, Carrier, DoNotCallList, Recipient
from portal.runtime.demo.outbound import outbound_load, outbound_remove
from tests.factories import PromoNumberFactory

pytestmark = pytest.mark.django_db


def test_it_loads_once_and_goes_again(house):
    for number in ("+18055550110", "+16145550111", "+14805550114"):
        PromoNumberFactory(campaign=house.campaign, network=house.network, number=number)
    outbound_load(house.network)
    outbound_load(house.network)
    batches = list(Batch.objects.order_by("id").values_list("status", flat=True))
    assert batches == ["running", "scheduled", "draft"]
    assert Carrier.objects.filter(network=house.network, name="Simulated carrier", kind="simulator").count() == 1
    numbers = Recipient.objects.values_list("number", flat=True)
    assert all(number[5:10] == "55501" for number in numbers), "nobody's numbers"
    assert Recipient.objects.filter(state="suppressed").count() >= 1
    assert actions.calls_claim(worker="x", limit=5)
    outbound_remove(house.network)
    for model in (Batch, Recipient, Attempt, Carrier, DoNotCallList):
        assert not model.objects.exists(), model
