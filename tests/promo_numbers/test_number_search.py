"""Finding a number among 100 000: by digits from either end, by words, through indexes."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from promo_numbers import queries
from promo_numbers.models import NetworkNumbers, PromoNumber

from tests.factories import AdvertiserFactory, CampaignFactory, NetworkFactory

pytestmark = pytest.mark.django_db


def many(network, count):
    """`count` numbers of `network` in two campaigns, by one statement; every 10 000th has words of its own."""
    campaigns = [CampaignFactory(advertiser=AdvertiserFactory(network=network), name=f"Desk {n}") for n in range(2)]
    NetworkNumbers.objects.filter(pk=network.pk).update(total_limit=None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE numbers_campaignnumbers SET allowed = 1000000")
        cursor.execute(
            "INSERT INTO numbers_promonumber (network_id, campaign_id, number, state, id_from_network, description,"
            " media_type, promo_type, custom_data, supplier, extra, created_at, is_overflow)"
            " SELECT %s, (%s::bigint[])[1 + n %% 2], '+1' || (2012000000 + n), 'active', 'own-' || n,"
            " CASE WHEN n %% 10000 = 7 THEN 'Airport billboard ' || n ELSE 'Flyer ' || n END,"
            " 'Online: Display', 'Local', '{}', 'stock', '{}', now(), false FROM generate_series(1, %s) n",
            [network.pk, [campaign.pk for campaign in campaigns], count],
        )
        cursor.execute("ANALYZE numbers_promonumber")
    return campaigns


@pytest.fixture
def full(network, personas):
    """100 000 numbers here, and the same number of rows next door."""
    campaigns = many(network, 100_000)
    other = NetworkFactory(name="Next door")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE numbers_promonumber SET number = replace(number, '+1201', '+1301')")
    many(other, 20_000)
    return campaigns


def scans(statement):
    """Every scan of the plan: (node, relation, index, rows really read)."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}")
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    found, nodes = [], [plan[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if "Scan" in node["Node Type"]:
            read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            found.append((node["Node Type"], node.get("Relation Name"), node.get("Index Name"), read))
    return found


SEARCHES = {
    "the last four digits": ("0777", 10),
    "a whole number as people write it": ("(301) 201-2345", 1),
    "an area code and more": ("301 2012", 0),
    "an own id": ("own-47110", 1),
    "the beginnings of words": ("airp bill", 10),
    "a campaign's name": ("Desk 1", 50),
    "nothing there": ("zebra", 0),
}


def _looked_for(network, user, text):
    """(rows of the page, statements, rows of the numbers' table that they read)."""
    with CaptureQueriesContext(connection) as said:
        page = list(queries.number_list(user=user, network=network, search=text).order_by("-id")[:51])
    statements = [query["sql"] for query in said.captured_queries]
    read = 0
    for statement in statements:
        for node, relation, _index, count in scans(statement):
            if relation == "numbers_promonumber":
                assert node != "Seq Scan", (text, statement)
                read += count
    return page, statements, read


def test_a_search_reads_few_rows_of_100_000(full, network, personas):
    _looked_for(network, personas.observer, "warm up")  # roles and content types are read once per process or request
    for text, least in SEARCHES.values():
        page, statements, read = _looked_for(network, personas.observer, text)
        assert len(page) >= least, text
        assert len(statements) <= 3, statements
        assert read < 8_000, (text, read)


def test_what_is_found_is_right(full, network, personas):
    def found(text):
        return {row.number for row in queries.number_list(user=personas.observer, network=network, search=text)}

    assert found("+13012000042") == found("(301) 200-0042") == {"+13012000042"}
    assert found("00042") == {"+13012000042"}
    assert found("own-47111") == {"+13012047111"}
    assert "+13012047110" in found("own-4711"), "an id is found by its beginning"
    assert len(found("airport")) == 10
    assert found("airport 10007") == {"+13012010007"}


def test_searches_with_odd_signs_are_harmless(network, personas):
    many(network, 20)
    for text in ("'", "&|!", ":*", "()", "a\x00b", "%", "_", "\\", "１２", "ß" * 300):
        list(queries.number_list(user=personas.observer, network=network, search=text)[:5])


def test_the_rows_are_those_that_the_user_may_see(full, network, personas):
    assert not queries.number_list(user=personas.outsider, network=network, search="airport")
    assert not queries.number_list(user=personas.limited, network=network, search="airport")
    assert PromoNumber.objects.filter(description__startswith="Airport").count() == 12
    assert len(queries.number_list(user=personas.observer, network=network, search="airport")) == 10
