"""A number of the stock in one statement: the same rules as any add, the counters let go early, and durable all the same."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from promo_numbers import actions
from promo_numbers.actions import stock_add
from promo_numbers.models import CampaignNumbers, NetworkNumbers, PromoNumber
from promo_numbers.suppliers import Wanted

from portal.audit.models import AuditEvent
from portal.durable import make_durable
from portal.prepared import one

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def durable_commits(db):
    """The test database does not wait for its disk; here it does."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")


def flushed_to(lsn):
    return one("SELECT pg_current_wal_flush_lsn() >= %s::pg_lsn", (lsn,))[0]


def test_what_was_committed_early_is_on_disk_after_the_wait(scene):
    for _ in range(20):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
            NetworkNumbers.objects.filter(pk=scene.network.pk).update(campaign_default=11)
        (lsn,) = one("SELECT pg_current_wal_insert_lsn()", ())
        make_durable()
        assert flushed_to(lsn)


def test_an_add_is_visible_to_others_before_it_is_on_disk_and_answered_only_after(scene, monkeypatch):
    seen = []

    def waited():
        seen.append(CampaignNumbers.objects.get(pk=scene.roofing.pk).used)
        make_durable()

    monkeypatch.setattr(stock_add, "make_durable", waited)
    number = actions.number_add(by=None, campaign=scene.roofing, description="Flyer", extra={"shop": "7"})
    assert seen == [1], "its transaction had ended when it waited"
    row = PromoNumber.objects.get(pk=number.pk)
    fields = [field.attname for field in PromoNumber._meta.concrete_fields]
    assert {name: getattr(row, name) for name in fields} == {name: getattr(number, name) for name in fields}
    event = AuditEvent.objects.get(event="number.add")
    assert event.changes["promo_number"] == [None, row.number] and event.changes["description"] == [None, "Flyer"]
    assert (event.object_id, event.object_label) == (str(scene.roofing.pk), str(scene.roofing))


def test_inside_a_transaction_of_somebody_else_nothing_is_committed_early(scene, monkeypatch):
    monkeypatch.setattr(stock_add, "make_durable", lambda: pytest.fail("the transaction is not over"))
    with transaction.atomic():
        actions.number_add(by=None, campaign=scene.roofing, description="Flyer")
        assert one("SHOW synchronous_commit", ())[0] == "on"
        transaction.set_rollback(True)
    assert not PromoNumber.objects.exists() and not AuditEvent.objects.filter(event="number.add").exists()


def test_the_setting_ends_with_the_statement(scene):
    actions.number_add(by=None, campaign=scene.roofing, description="Flyer")
    assert one("SHOW synchronous_commit", ())[0] == "on"


def test_a_wish_that_the_stock_does_not_have_gives_way_to_the_next(scene):
    wishes = {"wanted": Wanted(area_codes=("907",)), "or_else": [Wanted(area_codes=("805",))]}
    number = actions.number_add(by=None, campaign=scene.roofing, description="Flyer", **wishes)
    assert number.number.startswith("+1805")


def test_it_is_one_statement_and_the_wait(scene):
    actions.number_add(by=None, campaign=scene.roofing, description="Flyer")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        actions.number_add(by=None, campaign=scene.roofing, description="Flyer")
    assert not [query for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "BEGIN", "SAVEPOINT"))]
