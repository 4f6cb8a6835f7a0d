"""The stock filled by CSV files and by ranges."""

import pytest
from django.urls import reverse
from promo_numbers.actions.import_rows import stock_put
from promo_numbers.models import StockNumber

from portal.errors import Invalid
from tests.factories import NetworkFactory
from tests.web.helpers import sign_in, text_of

from .importing import done, refused, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_worker")]


def test_the_stock_is_filled_by_csv(scene, places):
    network = NetworkFactory(name="Blue Mesa")
    staff = scene.people.staff
    job = done(start(scene, (
        "number,last_number,area_code,locality,region,kind,network\n"
        "+13035550100,+13035550109,,,,,\n"
        "(213) 555-0100,,213,Los Angeles,California,,blue mesa\n"
        "+18005550100,,,,,toll-free,\n"
        "+13035550105,,,,,,\n"
        "+13035550100,+12135550109,,,,,\n"
        "+13035550120,,805,,,,\n"
        "banana,,,,,,\n"
        "+13035550130,,,,,,Nowhere\n"
    ), by=staff, into_stock=True))  # fmt: skip
    assert (job.added, job.refused) == (3, 5), refused(job)
    first = StockNumber.objects.get(number="+13035550100")
    assert (first.area_code, first.region, first.country, first.kind, first.network) == (
        "303",
        "CO",
        "US",
        "Local",
        None,
    )
    other = StockNumber.objects.get(number="+12135550100")
    assert (other.locality, other.region, other.network) == ("Los Angeles", "CA", network)
    assert StockNumber.objects.get(number="+18005550100").kind == "TollFree"
    assert StockNumber.objects.filter(number__startswith="+1303555").count() == 10
    assert [code for code, _ in refused(job).values()] == [
        "number_taken", "wrong_range", "wrong_area_code", "invalid_phone_number", "unknown_network",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        ("+18055550199", "+18055550100", "wrong_range"),
        ("+18055550100", "+18055560100", "wrong_range"),
        ("+18059999999", "+18060000001", "wrong_range"),
        ("x", "+18055550100", "invalid_phone_number"),
    ],
)
def test_a_wrong_range_is_refused(db, first, last, code):
    with pytest.raises(Invalid) as error:
        stock_put(first=first, last=last)
    assert error.value.code == code
    assert not StockNumber.objects.exists()


def test_a_range_from_the_page(scene, places):
    address = reverse("numbers:stock-range")
    values = {
        "first": "+17195550100",
        "last": "+17195550149",
        "kind": "Local",
        "locality": "",
        "region": "",
        "network": "",
    }
    for user in (scene.people.super, scene.people.limited):
        assert sign_in(user).post(address, values).status_code == 403
        assert sign_in(user).get(reverse("numbers:stock-import")).status_code == 403
    client = sign_in(scene.people.staff)
    assert "50 new numbers are in the stock" in text_of(client.post(address, values, follow=True))
    again = client.post(address, values)
    assert again.status_code == 422 and "in the stock already" in again.context["range_form"].errors["first"][0]
    assert "There is no network" in text_of(client.post(address, values | {"network": "Nowhere"}))
