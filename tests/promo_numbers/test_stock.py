"""The stock: its page for platform staff, ranges, taking out, assigning, waking, and giving back to suppliers."""

from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from promo_numbers import actions
from promo_numbers.actions.stock import stock_assign, stock_remove, stock_wake_up, supplier_reconcile
from promo_numbers.models import PromoNumber, StockNumber
from promo_numbers.queries.stock import area_page
from promo_numbers.suppliers import Wanted
from promo_numbers.suppliers.stock import stock_pick

from portal.audit.models import AuditEvent
from portal.errors import Conflict, NotAllowed
from tests.campaigns.race import Tally, together
from tests.factories import NetworkFactory, stock
from tests.web.helpers import sign_in, text_of

pytestmark = pytest.mark.django_db
PERSONAS = ["limited", "observer", "member", "manager", "super", "outsider"]


def at(name, *args, **query):
    return reverse(f"numbers:{name}", args=args, query=query or None)


def rest(number, days):
    StockNumber.objects.filter(number=number).update(state="resting", rests_until=timezone.now() + timedelta(days=days))


# The page.


def test_area_codes_with_their_counts(scene, places):
    stock(3, area_code="213")
    StockNumber.objects.filter(area_code="213", number__endswith="0").update(state="used")
    rest("+12132000001", 3)
    page = sign_in(scene.people.staff).get(at("stock"))
    rows = {area.code: (area.free, area.used, area.resting, area.gone) for area in page.context["page"]}
    assert rows == {"213": (1, 1, 1, 0), "805": (200, 0, 0, 0)}
    assert "CA" in text_of(page)


def test_area_codes_are_paged_at_a_constant_cost(scene, django_assert_num_queries):
    for code in range(201, 260):
        stock(1, area_code=str(code))
    with django_assert_num_queries(3):
        first = area_page(size=20)
    second = area_page(after=first.after, size=20)
    third = area_page(after=second.after, size=20)
    codes = [row.code for part in (first, second, third) for row in part]
    assert codes == sorted([*map(str, range(201, 260)), "805"]) and third.after is None and first.before is None
    back = area_page(before=third.before, size=20)
    assert [row.code for row in back] == [row.code for row in second] and back.before and back.after
    assert area_page(before=second.before, size=20).before is None


def test_numbers_of_an_area_and_who_holds_them(scene):
    number = actions.number_add(by=None, campaign=scene.roofing, description="Flyer", number="+18052000003")
    client = sign_in(scene.people.staff)
    page = client.get(at("stock", q="805 200 0003"))
    assert [(row.number, holder.campaign) for row, holder in page.context["rows"]] == [(number.number, scene.roofing)]
    assert "Roofing" in text_of(page) and "Acme" in text_of(page)
    assert len(client.get(at("stock", area="805")).context["rows"]) == 50
    assert len(client.get(at("stock", area="805", state="used")).context["rows"]) == 1
    assert "No number matches" in text_of(client.get(at("stock", area="999")))
    assert "No number matches" in text_of(client.get(at("stock", network="Nobody")))

    def cost(**query):
        ContentType.objects.clear_cache()
        with CaptureQueriesContext(connection) as said:
            assert client.get(at("stock", **query)).status_code == 200
        return len(said)

    cost(q="8052000003")
    assert cost(q="8052000003") == cost(area="805"), "fifty rows cost what one costs"


def test_an_empty_stock_says_what_to_do(scene):
    StockNumber.objects.all().delete()
    page = text_of(sign_in(scene.people.staff).get(at("stock")))
    assert "The stock is empty" in page and "+1 805 555 0100 to 0199" in page


@pytest.mark.parametrize("name", PERSONAS)
def test_nobody_else_sees_or_changes_the_stock(scene, name):
    row = StockNumber.objects.first()
    client = sign_in(getattr(scene.people, name))
    before = list(StockNumber.objects.order_by("pk").values())
    assert client.get(at("stock")).status_code == 403
    for what in ("stock-remove", "stock-assign"):
        assert client.post(at(what, row.pk), {"network": "Acme"}).status_code == 403
    for write in (
        lambda by: stock_remove(by=by, numbers=[row]),
        lambda by: stock_assign(by=by, numbers=[row], network=None),
    ):
        with pytest.raises(NotAllowed):
            write(getattr(scene.people, name))
    assert list(StockNumber.objects.order_by("pk").values()) == before
    assert "Stock of numbers" not in client.get("/campaigns/").content.decode()


# Writes.


def test_a_range_is_added(scene):
    client = sign_in(scene.people.staff)
    assert f'href="{at("stock-import")}"' in client.get(at("stock")).content.decode()
    form = {"first": "+1 805 555 0100", "last": "+1 805 555 0199", "kind": "Local"}
    assert client.post(at("stock-range"), form).status_code == 302
    assert StockNumber.objects.filter(number__startswith="+1805555").count() == 100
    one = {"first": "+1 805 556 0100", "last": "+1 805 556 0100", "kind": "Local"}
    assert client.post(at("stock-range"), one).status_code == 302
    assert StockNumber.objects.get(number="+18055560100").state == "free"


def test_free_numbers_are_taken_out_and_assigned(scene):
    other = NetworkFactory(name="Other")
    first, second, used = StockNumber.objects.order_by("pk")[:3]
    StockNumber.objects.filter(pk=used.pk).update(state="used")
    client = sign_in(scene.people.staff)
    assert client.get(at("stock-remove", first.pk)).status_code == 405, "nothing is written by GET"
    assert "is out of the stock" in text_of(client.post(at("stock-remove", first.pk), follow=True))
    assert not StockNumber.objects.filter(pk=first.pk).exists()
    assert "is kept for Other" in text_of(client.post(at("stock-assign", second.pk), {"network": "other"}, follow=True))
    second.refresh_from_db()
    assert second.network == other
    assert "There is no network" in text_of(client.post(at("stock-assign", second.pk), {"network": "x"}, follow=True))
    for what in ("stock-remove", "stock-assign"):
        assert "is not free (in use)" in text_of(client.post(at(what, used.pk), follow=True))
    client.post(at("stock-assign", second.pk), {"network": ""})
    second.refresh_from_db()
    assert second.network is None
    assert list(AuditEvent.objects.filter(event__startswith="stock").values_list("event", flat=True).order_by("id")) == [
        "stock.remove", "stock.assign", "stock.assign",
    ]  # fmt: skip
    assert client.post(at("stock-remove", 0)).status_code == 404


def test_all_or_none(scene):
    rows = list(StockNumber.objects.order_by("pk")[:3])
    StockNumber.objects.filter(pk=rows[2].pk).update(state="used")
    with pytest.raises(Conflict):
        stock_remove(by=None, numbers=rows)
    assert StockNumber.objects.filter(pk__in=[row.pk for row in rows]).count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_number_is_either_taken_out_or_handed_out(scene):
    StockNumber.objects.exclude(number__endswith="7").delete()
    rows, tally = list(StockNumber.objects.all()), Tally()

    def work(number):
        for row in rows:
            try:
                if number % 2:
                    stock_remove(by=None, numbers=[row])
                else:
                    actions.number_add(by=None, campaign=scene.roofing, description="Flyer", number=row.number)
                tally.add("out" if number % 2 else "used")
            except Conflict:
                pass

    scene.limits(allowed=100)
    together(work)
    held = PromoNumber.objects.filter(supplier="stock").values_list("number", flat=True)
    assert set(held) == set(StockNumber.objects.values_list("number", flat=True))
    assert not StockNumber.objects.exclude(state="used").exists()


def test_a_rested_number_wakes(scene):
    numbers = list(StockNumber.objects.order_by("pk")[:2])
    rest(numbers[0].number, -1)
    rest(numbers[1].number, 1)
    assert stock_wake_up() == (1, 0)
    assert [StockNumber.objects.get(pk=row.pk).state for row in numbers] == ["free", "resting"]
    assert stock_wake_up() == (0, 0)


def test_wishes_of_digits(scene):
    stock(3, area_code="213")
    assert stock_pick(scene.network, Wanted(prefixes=("213200",)), 5) == [
        (f"+1213200000{n}", "stock") for n in range(3)
    ]  # fmt: skip
    assert stock_pick(scene.network, Wanted(looks_like="2*00007", area_codes=("805",)))[0][0] == "+18052000007"
    assert stock_pick(scene.network, Wanted(looks_like="999")) == []
    assert stock_pick(scene.network, Wanted(prefixes=("805",), region="NY")) == []
    wanted = Wanted(prefixes=("213200", "805"), looks_like="5*5", area_codes=("805",))
    assert Wanted.of_json(wanted.as_json()) == wanted


# Giving back.


@pytest.fixture
def bought(scene, cloud):
    """A number that was bought, and released."""
    cloud.stock(2, area_code="303")
    number = actions.number_add(
        by=None, campaign=scene.roofing, description="Flyer", wanted=Wanted(area_codes=("303",))
    )
    actions.numbers_release(by=None, numbers=[number])
    row = StockNumber.objects.get(number=number.number)
    assert row.state == "resting"
    return row


@pytest.mark.django_db(transaction=True)
def test_bought_numbers_go_back_after_their_rest_only_where_it_is_set(scene, cloud, bought, settings):
    rest(bought.number, -1)
    assert stock_wake_up() == (1, 0)
    assert len(cloud.account) == 1, "it is ours to hand out again"
    settings.PROMO_NUMBER_RELEASE_AFTER_REST = True
    rest(bought.number, -1)
    assert stock_wake_up() == (0, 1)
    bought.refresh_from_db()
    assert (bought.state, cloud.account) == ("gone", {})
    assert supplier_reconcile("twilio").missing == 0, "it was we who gave it back"


@pytest.mark.django_db(transaction=True)
def test_a_bought_number_that_is_taken_out_goes_back(scene, cloud, bought):
    StockNumber.objects.filter(pk=bought.pk).update(state="free", rests_until=None)
    assert stock_remove(by=scene.people.staff, numbers=[bought]) == 1
    bought.refresh_from_db()
    assert (bought.state, cloud.account) == ("gone", {})


@pytest.mark.django_db(transaction=True)
def test_what_could_not_be_given_back_is_given_back_by_the_next_reconcile(scene, cloud, bought, settings):
    StockNumber.objects.filter(pk=bought.pk).update(state="free", rests_until=None)
    settings.TWILIO_API_URL = "http://127.0.0.1:9"
    stock_remove(by=None, numbers=[bought])
    assert len(cloud.account) == 1
    settings.TWILIO_API_URL = cloud.url
    assert supplier_reconcile("twilio").given_back == 1
    assert cloud.account == {}
