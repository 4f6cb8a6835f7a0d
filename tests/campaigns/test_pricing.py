"""Prices by policy: a pure function, checked against a slow and plain reading of the rule."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.pricing import Policy, figure, in_words, policies_clean, policies_of, price, price_range
from campaigns.treatment.conditions import parse
from campaigns.treatment.expressions import Context

CONDITIONS = (
    "", "repeat", "not repeat", "mobile", "landline", "duration >= 90", "connect_duration < 1 min", "in_region[Home]",
    'media_type = "Online: Display"', 'custom_data[source] contains "radio" or repeat', "during_hours and mobile",
)  # fmt: skip
amounts = st.decimals(min_value=0, max_value=9999, places=4)
policies = st.lists(
    st.builds(Policy, st.sampled_from(["Base", "Bonus"]), amounts, st.sampled_from(CONDITIONS)), max_size=8
)
contexts = st.builds(
    Context, now=st.just(datetime(2026, 11, 25, 17, tzinfo=UTC)), repeat=st.booleans(),
    line=st.sampled_from(["", "mobile", "landline"]), duration=st.integers(0, 600), connect_duration=st.integers(0, 600),
    regions=st.sampled_from([frozenset(), frozenset(["Home"])]), media_type=st.sampled_from(["", "Online: Display"]),
    custom_data=st.sampled_from([{}, {"source": "radio 5"}]),
)  # fmt: skip


def plainly(rows, facts):
    """The rule, word for word."""
    total, found = Decimal(0), False
    for row in rows:
        if row.type == "Base" and not found and parse(row.condition).holds(facts):
            total, found = total + row.amount, True
    for row in rows:
        if row.type == "Bonus" and parse(row.condition).holds(facts):
            total += row.amount
    return total


@given(policies, contexts)
def test_the_first_base_that_holds_and_every_bonus_that_does(rows, facts):
    assert price(rows, facts) == plainly(rows, facts)


@given(policies, contexts)
def test_no_price_is_outside_the_range(rows, facts):
    low, high = price_range(rows)
    assert 0 <= low <= price(rows, facts) <= high


@given(policies, contexts)
def test_the_order_of_bonuses_does_not_matter(rows, facts):
    bonuses = [row for row in rows if row.type == "Bonus"]
    bases = [row for row in rows if row.type == "Base"]
    assert price([*bonuses, *bases], facts) == price([*bases, *reversed(bonuses)], facts)


@given(policies)
def test_what_was_read_can_be_written_again(rows):
    sent = [{"type": row.type, "amount": str(row.amount), "condition": row.condition} for row in rows]
    problems = []
    base, others = policies_clean(sent, currency="USD", field="p", problems=problems)
    bases = [row for row in rows if row.type == "Base" and not row.condition]
    assert bool(problems) == (len(bases) > 1)
    if not problems:
        assert base == (bases[0].amount if bases else 0)
        again = policies_clean(
            [*others, {"type": "Base", "amount": base}], currency="USD", field="p", problems=problems
        )
        assert again == (base, others) and not problems


class Row:
    payout, payout_policies = Decimal("12.5"), [
        {"type": "Bonus", "amount": "3.0000", "condition": "repeat"},
        {"type": "Base", "amount": "5.0000", "condition": "duration < 90"},
    ]  # fmt: skip


def test_the_unconditional_base_is_what_is_left():
    rows = policies_of(Row(), "payout")
    assert [(row.type, row.condition) for row in rows] == [("Base", "duration < 90"), ("Base", ""), ("Bonus", "repeat")]
    at = datetime(2026, 11, 25, tzinfo=UTC)
    assert price(rows, Context(now=at, duration=30)) == 5
    assert price(rows, Context(now=at, duration=90)) == Decimal("12.5")
    assert price(rows, Context(now=at, duration=90, repeat=True)) == Decimal("15.5")
    assert price_range(rows) == (5, Decimal("15.5"))
    assert in_words(rows, "USD") == "5.00 USD if duration < 90; otherwise 12.50 USD; plus 3.00 USD if repeat"


@pytest.mark.parametrize(
    ("amount", "words"), [("0", "0.00"), ("1234.5", "1,234.50"), ("0.1234", "0.1234"), ("2.1250", "2.125")]
)
def test_figures_for_people(amount, words):
    assert figure(Decimal(amount)) == words
