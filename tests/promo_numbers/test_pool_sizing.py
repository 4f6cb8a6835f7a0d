"""Erlang B against printed tables and against the formula itself in exact fractions."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from promo_numbers.queries.sizing import erlang_b, numbers_needed, sizing


def exact(load, servers):
    """The formula as it is written, in fractions: (a^n / n!) / sum of (a^k / k!)."""
    terms = [Fraction(load) ** k / math.factorial(k) for k in range(servers + 1)]
    return terms[-1] / sum(terms)


@pytest.mark.parametrize(
    ("load", "servers", "percent"),
    # Any printed Erlang B table: the load that N lines carry at 1 %, and at 2 %.
    [
        *[(0.0101, 1, 1), (0.153, 2, 1), (1.36, 5, 1), (4.46, 10, 1), (12.0, 20, 1), (37.9, 50, 1), (84.1, 100, 1)],
        *[(0.0204, 1, 2), (1.66, 5, 2), (5.08, 10, 2), (13.2, 20, 2), (40.3, 50, 2), (88.0, 100, 2)],
    ],
)
def test_the_printed_tables(load, servers, percent):
    assert erlang_b(load, servers) * 100 == pytest.approx(percent, rel=0.03)


@settings(max_examples=60, deadline=None)
@given(st.fractions(min_value=Fraction(1, 100), max_value=60, max_denominator=100), st.integers(0, 80))
def test_the_recursion_is_the_formula(load, servers):
    assert erlang_b(float(load), servers) == pytest.approx(float(exact(load, servers)), rel=1e-9, abs=1e-300)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 20_000), st.integers(60, 7200), st.sampled_from([0.001, 0.01, 0.05, 0.2]))
def test_the_fewest_that_are_enough(visitors, lifetime, blocking):
    found = sizing(visitors, lifetime, blocking)
    assert found.numbers == numbers_needed(visitors, lifetime, blocking)
    assert erlang_b(found.load, found.numbers) <= blocking < erlang_b(found.load, found.numbers - 1)


def test_the_working_shows_the_sum():
    found = sizing(120, 1800)
    assert found.load == 60
    assert found.numbers == 75
    text = " ".join(found.working)
    assert "120 visitors an hour × 1,800 s ÷ 3,600 s = 60.00 erlangs" in text
    assert "B(74) = " in text and "B(75) = " in text and "75 numbers are enough" in text


def test_the_edges():
    assert numbers_needed(0, 1800) == 0
    assert erlang_b(0, 0) == 1
    assert erlang_b(0, 3) == 0
    assert "no number is needed" in sizing(0, 1800).working[-1]
    for wrong in [(-1, 60, 0.01), (1, -60, 0.01), (1, 60, 0), (1, 60, 1), (10**9, 10**6, 0.01)]:
        with pytest.raises(ValueError, match=r"."):
            numbers_needed(*wrong)
    with pytest.raises(ValueError, match="negative"):
        erlang_b(-1, 2)
