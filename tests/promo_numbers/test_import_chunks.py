"""A chunk of an import is added at once: as the rows one by one would be, in a fixed number of statements, exactly to the limit."""

import random

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from promo_numbers import actions
from promo_numbers.actions import imports, orders
from promo_numbers.models import CampaignNumbers, NumberOrder, PromoNumber, StockNumber

from portal.audit.models import AuditEvent
from tests.campaigns.race import Tally, deadlocks, together
from tests.factories import (
    AdvertiserFactory,
    CampaignFactory,
    MembershipFactory,
    NetworkFactory,
    PromoNumberFactory,
    stock,
)

from .counting import assert_counted, counters_of, static_of
from .importing import HEADER, done, refused, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_worker")]


def by_rows(monkeypatch):
    """From now on no chunk can be added at once."""

    def unsettled(*_args):
        raise imports.Unsettled("in a test")

    monkeypatch.setattr(imports, "NumberChunk", unsettled)


def file_of(count, seed=1):
    """Rows of every kind: good and bad, certain numbers and wishes, own ids, doubles."""
    dice = random.Random(seed)
    lines = []
    for n in range(count):
        campaign = dice.choice(["roofing", "roofing", "plumbing", "plumbing", "plumbing", "nowhere", ""])
        number, area, own_id = dice.choice([
            (f"+1303555{dice.randrange(30):04d}", "", ""), ("415 200 0000", "", f"own-{dice.randrange(9)}"),
            (f"+1303666{n:04d}", "", f"own-{n}"), ("", "213", ""), ("", "907", ""), ("", "805", f"own-{dice.randrange(12)}"),
            ("banana", "", ""),
        ])  # fmt: skip
        media = dice.choice(["", "", "offline: tv", "smoke signals"])
        lines.append(f"{campaign},Flyer {n},{media},{number},{area},,{own_id},{n}\n")
    return HEADER + "".join(lines)


def outcome(scene):
    rows = PromoNumber.objects.order_by("id").values_list(
        "description", "campaign__name", "number", "supplier", "state", "media_type", "id_from_network", "custom_data", "extra"
    )  # fmt: skip
    told = AuditEvent.objects.filter(event="number.add").order_by("id").values_list(
        "actor", "network", "object_type", "object_id", "object_label", "changes"
    )  # fmt: skip
    used = StockNumber.objects.exclude(state="free").order_by("number").values_list("number", "state")
    return list(rows), list(told), list(used)


@pytest.mark.parametrize("limits", [{"allowed": 500}, {"allowed": 9}, {"allowed": 30, "total": 21}], ids=str)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_chunk_ends_as_its_rows_one_by_one_would(scene, monkeypatch, limits, seed):
    stock(4, area_code="213")
    PromoNumberFactory(campaign=scene.plumbing, number="+13035550007", id_from_network="own-3")
    stock(1, area_code="415", state="free" if seed > 1 else "gone")
    scene.limits(**limits)
    ends = []
    for how in ("at once", "row by row"):
        with transaction.atomic():
            if how == "row by row":
                by_rows(monkeypatch)
            job = done(start(scene, file_of(120, seed)))
            assert_counted(scene.network)
            ends.append((job.added, refused(job), *outcome(scene)))
            transaction.set_rollback(True)
    assert 5 < ends[0][0] < 120
    # Which of the numbers that are as wished a row gets is nobody's right; all else is the same.
    assert ends[0][:2] == ends[1][:2]
    for at_once, one_by_one in zip(ends[0][2], ends[1][2], strict=True):
        assert (at_once[:2], at_once[3:]) == (one_by_one[:2], one_by_one[3:])
        assert at_once[2][:5] == one_by_one[2][:5]
    assert [told[:5] for told in ends[0][3]] == [told[:5] for told in ends[1][3]]
    assert ends[0][4] == ends[1][4]


def test_the_number_of_statements_does_not_grow_with_the_rows(scene):
    stock(400, area_code="213")
    scene.limits(allowed=150)
    counts = []
    for rows in (60, 400):
        job = start(scene, file_of(rows, seed=7))
        with CaptureQueriesContext(connection) as said:
            assert imports.import_run(job.pk, seconds=60) is False
        job.refresh_from_db()
        assert job.added > 10 and job.refused > 10 and job.done == rows
        counts.append(len(said))
    assert counts[1] <= counts[0] < 40, counts


def test_every_number_has_its_audit_line(scene):
    job = done(
        start(scene, HEADER + "roofing,Flyer,offline: tv,,805,,f-1,12\nroofing,Spot,,(303) 555-0177,,mobile,,\n")
    )
    assert job.added == 2
    first, second = AuditEvent.objects.filter(event="number.add").order_by("id")
    number = PromoNumber.objects.get(description="Flyer")
    assert (first.actor, first.network, first.object_id) == (scene.people.member, scene.network, str(scene.roofing.pk))
    assert first.changes == {
        "promo_number": [None, number.number], "description": [None, "Flyer"], "media_type": [None, "Offline: TV"],
        "promo_type": [None, "Local"], "id_from_network": [None, "f-1"], "custom_data": [None, {"store": "12"}],
    }  # fmt: skip
    assert second.changes["promo_number"] == [None, "+13035550177"]


def test_wishes_for_anything_leave_what_others_wish_for(scene):
    StockNumber.objects.all().delete()
    stock(2, area_code="213")
    stock(1, area_code="907")
    job = done(start(scene, HEADER + "roofing,Any,,,,,,\nroofing,B,,,213,,,\nroofing,C,,,213,,,\n"))
    assert job.added == 3, refused(job)
    assert PromoNumber.objects.get(description="Any").number.startswith("+1907")


def test_rows_that_the_stock_cannot_serve_leave_room_under_the_limit(scene):
    scene.limits(allowed=3)
    rows = "roofing,Away,,,907,,,\n" * 4 + "roofing,Here,,,805,,,\n" * 5
    job = done(start(scene, HEADER + rows))
    codes = [code for code, _reason in refused(job).values()]
    assert codes == ["out_of_numbers"] * 4 + ["promo_number_limit_reached"] * 2
    assert job.added == 3 and StockNumber.objects.filter(state="used").count() == 3


def test_what_no_database_takes_refuses_its_own_row_alone(scene):
    row = 'roofing,Bad,,,,,,"{""a"": ""\\u0000""}"\n'
    head = HEADER.replace("store", "custom_data")
    job = done(start(scene, head + "roofing,A,,,,,,\n" + row + "roofing,B,,,,,,\n"))
    assert (job.added, {line: code for line, (code, _) in refused(job).items()}) == (2, {3: "error"})
    assert StockNumber.objects.filter(state="used").count() == 2
    assert_counted(scene.network)


def test_what_is_not_in_the_stock_is_ordered_and_bought_by_a_worker(
    scene, cloud, django_capture_on_commit_callbacks, monkeypatch
):
    queued = []
    monkeypatch.setattr(orders, "_queue", lambda task, *args: queued.append((task.name, args)))
    cloud.stock(5, area_code="303")
    scene.limits(allowed=4)
    with django_capture_on_commit_callbacks(execute=True):
        job = done(start(scene, HEADER + "roofing,A,,,303,,,\n" * 3 + "roofing,B,,,805,,,\n" * 3))
    assert (job.added, job.refused) == (4, 2), refused(job)
    assert static_of(scene.roofing) == (4, 4), "what is being bought counts"
    ((name, (ids,)),) = queued
    assert name.endswith("place_number_orders") and len(ids) == 3
    assert {str(pk) for pk in NumberOrder.objects.values_list("pk", flat=True)} == set(ids)
    assert not cloud.purchases, "no supplier is asked while the import holds the counters"
    assert PromoNumber.objects.filter(state="ordered", number="").count() == 3
    assert AuditEvent.objects.filter(event="number.add", changes__promo_number__1__startswith="ordered").count() == 3


# Races.


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limits", [{"allowed": 90}, {"allowed": 500, "total": 90}], ids=str)
def test_an_import_and_parallel_adds_end_exactly_at_the_limit(scene, monkeypatch, limits):
    scene.limits(**limits)
    monkeypatch.setattr(imports, "CHUNK", 25)
    jobs = [start(scene, HEADER + f"roofing,Row {n},,,805,,,\n" * 70) for n in range(2)]
    tally, before = Tally(), deadlocks()

    def work(number):
        if number < 2:
            while imports.import_run(jobs[number].pk, seconds=0):
                pass
            return
        for turn in range(5):
            try:
                own = {"number": f"+1303{number:03d}{turn:04d}"} if turn % 2 else {}
                actions.number_add(by=None, campaign=scene.roofing, description="By hand", **own)
                tally.add("added")
            except actions.LimitReached:
                tally.add("refused")

    together(work)
    first, second = map(done, jobs)
    assert first.added + second.added + tally.counts.get("added", 0) == 90
    assert first.added + first.refused == second.added + second.refused == 70
    assert static_of(scene.roofing) == (90, 90) and counters_of(scene.network)[0] == 90
    assert PromoNumber.objects.count() == 90
    assert StockNumber.objects.filter(state="used").count() == PromoNumber.objects.filter(supplier="stock").count()
    assert AuditEvent.objects.filter(event="number.add").count() == 90
    assert actions.limits_reconcile() == [] and deadlocks() == before


@pytest.mark.django_db(transaction=True)
def test_two_networks_that_bring_the_same_numbers_crosswise_do_not_wait_for_each_other(scene):
    other = NetworkFactory()
    theirs = MembershipFactory(network=other, role=30).user
    CampaignFactory(advertiser=AdvertiserFactory(network=other), id_from_network="roofing")
    CampaignNumbers.objects.update(allowed=1000)
    numbers = [f"+1303{n:07d}" for n in range(2_000_000, 2_000_300)]
    rows = [f"roofing,Ours,,{number},,,,\n" for number in numbers]
    jobs = [
        start(scene, HEADER + "".join(rows)),
        start(scene, HEADER + "".join(reversed(rows)), by=theirs, network=other),
    ]
    before = deadlocks()
    together(lambda number: done(jobs[number]), 2)
    for job in jobs:
        job.refresh_from_db()
    assert sum(job.added for job in jobs) == 300 and sum(job.refused for job in jobs) == 300
    assert {code for job in jobs for code, _ in refused(job).values()} == {"number_taken"}
    assert deadlocks() == before
    assert_counted(scene.network)
    assert_counted(other)


@pytest.mark.django_db(transaction=True)
def test_a_limit_lowered_under_an_import_is_not_passed(scene, monkeypatch):
    """Between the reckoning and the insert: the database refuses the chunk, and it is reckoned anew."""
    scene.limits(allowed=50)
    real, turns = imports.NumberChunk._write, []

    def lowered(self, walk):
        turns.append(len(walk.added))
        if len(turns) == 1:
            together(lambda _n: CampaignNumbers.objects.filter(pk=scene.roofing.pk).update(allowed=7), 1)
        real(self, walk)

    monkeypatch.setattr(imports.NumberChunk, "_write", lowered)
    job = done(start(scene, HEADER + "roofing,A,,,,,,\n" * 20))
    assert (turns, job.added, job.refused) == ([20, 7], 7, 13)
    assert static_of(scene.roofing) == (7, 7)
    assert StockNumber.objects.filter(state="used").count() == 7
