"""A list on its way into the batch: in slices, beside a batch that dials, whatever stands in its rows."""

import json
import random
import threading

import pytest
from django.db import connection
from django.utils import timezone

from outbound import actions
from outbound.actions import imports
from outbound.imports import load as loading
from outbound.imports.rows import LONGEST_PARAMETERS
from outbound.models import BatchState, DoNotCallEntry, ImportRejection, Recipient, Window

from .conftest import numbers, refused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slices(monkeypatch):
    """Slices of seven rows, and refused rows on disk at once."""
    monkeypatch.setattr(loading, "SLICE", 7)
    monkeypatch.setattr(loading, "REFUSED_BYTES", 1)


def listed(*rows, header="destination"):
    return "\n".join([header, *rows, ""]).encode()


def started(batch, content):
    return actions.import_create(by=None, batch=batch, file_name="list.csv", pieces=[content])


def run(batch, content):
    return actions.import_run(job=started(batch, content).pk)


def elsewhere(work):
    """What `work` gives in a thread, on a connection of its own; it must not wait for anybody."""
    found = []

    def go():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            found.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=go)
    thread.start()
    thread.join(20)
    assert found, "it waited, or failed"
    return found[0]


def during(monkeypatch, work):
    """Do `work` once, while an import has rows in the database that are not committed."""
    told, done = imports._Run._tell, []

    def tell(self, step, at_once=False):
        told(self, step, at_once)
        if step == "counting" and not done:
            done.append(work())

    monkeypatch.setattr(imports._Run, "_tell", tell)
    return done


def test_every_row_once_in_the_order_of_the_list_over_many_slices(house, slices):
    house_batch = house.batch(started=False)
    people = numbers(50)
    dice = random.Random(7)
    rows = people + dice.choices(people, k=40)
    dice.shuffle(rows)
    job = run(house_batch, listed(*rows))
    first = list(dict.fromkeys(rows))
    assert list(Recipient.objects.filter(batch=house_batch).order_by("id").values_list("number", flat=True)) == first
    twice = [line for line, row in enumerate(rows, 2) if row in rows[: line - 2]]
    assert list(ImportRejection.objects.filter(job=job).order_by("line").values_list("line", flat=True)) == twice
    assert (job.rows_added, job.rows_refused) == (len(first), len(twice))
    assert BatchState.objects.get(pk=house_batch.pk).pending == len(first)


def test_a_live_batch_goes_on_dialing_and_stops_at_once_while_a_list_comes_in(house, slices, monkeypatch):
    batch = house.batch(numbers(5))
    claimed = during(monkeypatch, lambda: elsewhere(lambda: len(actions.calls_claim(worker="w", limit=3))))
    assert run(batch, listed(*numbers(30, area="720"))).rows_added == 30
    assert claimed == [3]
    monkeypatch.undo()
    stopped = during(monkeypatch, lambda: elsewhere(lambda: actions.batch_stop(by=None, batch=batch).never_started))
    job = run(batch, listed(*numbers(30, area="719")))
    assert stopped == [32] and job.state == "canceled"
    assert Recipient.objects.filter(batch=batch).count() == 35 and not ImportRejection.objects.exists()


def test_two_lists_into_one_batch_take_turns(house, slices, monkeypatch):
    batch = house.batch(started=False)
    started(batch, listed(*numbers(20)))
    waiting = []

    def add():
        try:
            actions.recipients_add(by=None, batch=batch, calls=[{"destination": one} for one in numbers(25)])
        finally:
            connection.close()

    def meanwhile():
        waiting.append(threading.Thread(target=add))
        waiting[0].start()
        waiting[0].join(0.5)
        return waiting[0].is_alive()

    waited = during(monkeypatch, meanwhile)
    assert actions.import_run(job=batch.imports.get().pk).rows_added == 20
    waiting[0].join(20)
    assert waited == [True]
    found = list(Recipient.objects.filter(batch=batch).values_list("number", flat=True))
    assert sorted(found) == sorted(numbers(25)), "each once, and the five that only the second one had"


def test_do_not_call_by_number_and_by_prefixes_of_several_lengths(house, slices):
    blocked = actions.do_not_call_list_create(by=None, network=house.network, name="Never")
    other = actions.do_not_call_list_create(by=None, network=house.network, name="Other", applies_to_all=False)
    people = numbers(40)
    actions.do_not_call_add(by=None, to=blocked, patterns=[people[3], people[20], "+1720*", "+17195*"])
    actions.do_not_call_add(by=None, to=other, patterns=[people[5]])
    assert DoNotCallEntry.objects.count() == 5
    batch = house.batch(started=False)
    rows = [*people, "+17205550101", "+17195550101", "+17192550101"]
    job = run(batch, listed(*rows))
    out = set(
        Recipient.objects.filter(batch=batch, state="suppressed", reason="do_not_call").values_list("number", flat=True)
    )
    assert out == {people[3], people[20], "+17205550101", "+17195550101"}
    assert (job.rows_added, job.rows_suppressed) == (43, 4)
    assert [window.zones.zones for window in Window.objects.filter(batch=batch)] == [["America/Denver"]]


def test_a_foreign_ani_is_refused_and_its_number_may_come_again(house, slices):
    batch = house.batch(started=False)
    job = run(
        batch,
        listed("3035550101,+13105550142", "3035550102,+18055550100", "3035550101,", header="destination,ani"),
    )
    assert [(one.line, one.value, one.reason) for one in ImportRejection.objects.filter(job=job)] == [
        (2, "+13035550101 ani +13105550142", "foreign_ani")
    ]
    assert set(Recipient.objects.filter(batch=batch).values_list("number", "ani")) == {
        ("+13035550102", ""), ("+13035550101", ""),
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        r"\u0000",
        r"\\u0000",
        "tab\there",
        r"back\slash\n",
        'qu"ote',
        "\\",
        r"\N",
        "\x01\x1f",
        "Zoë 漢字 🙂",
        "'; DROP TABLE x",
    ],
)
def test_parameters_and_refused_values_come_back_as_they_were(house, text):
    batch = house.batch(started=False)
    quoted = text.replace('"', '""')
    job = run(batch, f'destination,note\n3035550101,"{quoted}"\n"x{quoted}",y\n'.encode())
    assert job.state == "done", job.error
    assert Recipient.objects.get(batch=batch).parameters == {"note": text}
    assert ImportRejection.objects.get(job=job).value == f"x{text}".strip()
    actions.recipients_add(by=None, batch=batch, calls=[{"destination": "3035550102", "note": text}])
    assert Recipient.objects.get(number="+13035550102").parameters == {"note": text}


def test_what_no_database_takes_is_left_out_of_a_text(house):
    batch = house.batch(started=False)
    calls = json.loads(r'[{"destination": "3035550101", "note": "a\u0000b\ud800c"}, {"destination": "x\ud800\u0000"}]')
    added = actions.recipients_add(by=None, batch=batch, calls=calls)
    assert added.added == 1 and added.refused[0]["reason"] == "not_a_number"
    assert Recipient.objects.get(batch=batch).parameters == {"note": "ab?c"}
    job = run(batch, b"destination,note\n3035550102,a\0b\n\0nobody,x\n")
    assert job.state == "done" and Recipient.objects.get(number="+13035550102").parameters == {"note": "ab"}


def test_a_row_with_endless_parameters_is_refused_and_says_so(house):
    batch = house.batch(started=False)
    fits = "x" * (LONGEST_PARAMETERS - 100)
    job = run(batch, f"destination,a,b\n3035550101,{fits},y\n3035550102,{fits},{fits}\n".encode())
    assert job.rows_added == 1 and [(one.line, one.reason) for one in ImportRejection.objects.filter(job=job)] == [
        (3, "too_long")
    ]
    assert "32 kB" in ImportRejection.objects.get(job=job).get_reason_display()


def test_slices_are_cut_by_bytes_too():
    entry = (2, "+13035550101", 1, "", "x" * 1000, "", "")
    cut = list(loading._slices(entry for _ in range(3 * loading.SLICE_BYTES // 1000)))
    assert len(cut) > 2 and all(sum(len(one[4]) for one in block) <= loading.SLICE_BYTES + 1000 for block in cut)


def test_a_number_that_somebody_else_put_there_fails_the_import_whole(house, slices, monkeypatch):
    """The unique index is the last word: SQL by hand that takes no turn cannot make a number stand twice."""
    batch = house.batch(started=False)

    def by_hand():
        Recipient.objects.create(
            batch=batch, number=numbers(30)[29], zones=None, state="suppressed", due_at=timezone.now()
        )

    monkeypatch.setattr(loading._Gate, "_standing", lambda self, numbers: set())
    by_hand()
    job = run(batch, listed(*numbers(30)))
    assert job.state == "failed" and "Nothing was added" in job.error
    assert Recipient.objects.filter(batch=batch).count() == 1
    monkeypatch.undo()
    assert run(batch, listed(*numbers(30))).rows_added == 29
    assert refused(actions.import_cancel, by=None, job=job).code == "import_ended"
