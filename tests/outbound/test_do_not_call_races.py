"""Two people add prefixes to one do-not-call list at once: both bind, whoever commits last."""

import threading

import pytest
from django.db import connection, transaction

from outbound import actions
from outbound.models import DoNotCallEntry, DoNotCallList, Recipient
from tests.campaigns.race import deadlocks, together

from .conftest import numbers

pytestmark = pytest.mark.django_db(transaction=True)


def test_prefixes_of_different_lengths_that_are_added_at_once_all_bind(house):
    """Whoever writes them: the database holds this without the actions' own lock."""
    never = actions.do_not_call_list_create(by=None, network=house.network, name="Never")
    house.batch([*numbers(1), *numbers(1, area="212")])
    first_is_in, second_waits = threading.Event(), threading.Event()

    def first():
        with transaction.atomic():
            DoNotCallEntry.objects.create(list=never, pattern="+1303*")
            first_is_in.set()
            # The second has met the row that this transaction holds, and waits for it.
            assert second_waits.wait(10)
        connection.close()

    def second():
        assert first_is_in.wait(10)
        DoNotCallEntry.objects.create(list=never, pattern="+12122*")
        connection.close()

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    while not second_waits.is_set():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if cursor.fetchone():
                second_waits.set()
    for thread in threads:
        thread.join()
    assert sorted(DoNotCallList.objects.get().prefix_lengths) == [5, 6]
    assert actions.calls_claim(worker="w", limit=9) == [], "nobody on the list is dialed"
    assert set(Recipient.objects.values_list("reason", flat=True)) == {"do_not_call"}


def test_lists_that_overlap_are_added_at_once_without_a_deadlock(house):
    never = actions.do_not_call_list_create(by=None, network=house.network, name="Never")
    before, patterns = deadlocks(), numbers(12_000)

    def add(number):
        # A prefix among them, in each of the three statements that so many take.
        mixed = [one for at in (0, 5000, 10_000) for one in (f"+19{at % 97:02d}*", *patterns[at : at + 5000])]
        actions.do_not_call_add(by=None, to=never, patterns=mixed if number % 2 else mixed[::-1])

    together(add, 4)
    assert deadlocks() == before and never.entries.count() == 12_003
