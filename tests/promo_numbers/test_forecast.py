"""The CSM's sums: exact on cases done by hand, and true whatever the figures (hypothesis)."""

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promo_numbers.choices import Ceiling
from promo_numbers.models import Contract, NetworkNumbers
from promo_numbers.queries import advice, forecast
from promo_numbers.queries.advice import Asked, recommendation
from promo_numbers.queries.forecast import Trend
from promo_numbers.queries.sizing import sizing
from promo_numbers.queries.usage import Day, Usage

from portal.accounts.models import Network

TODAY = date(2026, 7, 10)


def contract(numbers=1200, period="Year", starts=date(2026, 1, 1), ends=date(2026, 12, 31), price="2.50"):
    return Contract(starts_on=starts, ends_on=ends, numbers=numbers, period=period, overage_price=Decimal(price))


def history(*figures, today=TODAY):
    """Daily figures that end today."""
    return [(today - timedelta(days=len(figures) - 1 - at), used) for at, used in enumerate(figures)]


def usage(figures, *, terms=None, total_limit=None, dynamic=0, dynamic_limit=None):
    """A network with these daily totals, the last of them today's."""
    days = [Day(day, used - min(dynamic, used), min(dynamic, used)) for day, used in history(*figures)]
    limits = NetworkNumbers(
        total_limit=total_limit, dynamic_limit=dynamic_limit, total_used=figures[-1],
        dynamic_used=min(dynamic, figures[-1]),
    )  # fmt: skip
    return Usage(Network(name="Acme"), TODAY, limits, terms, days)


def asked(use, more, ceiling=Ceiling.NETWORK_TOTAL, **traffic):
    limit, used = use.limits.total_limit, use.used
    if ceiling == Ceiling.NETWORK_DYNAMIC:
        limit, used = use.limits.dynamic_limit, use.dynamic_used
    return Asked(ceiling, limit, used, more, **traffic)


# By hand --------------------------------------------------------------------------------------------------------------


def test_a_straight_line_is_found_exactly():
    trend = forecast.trend_of(history(*(100 + 2 * day for day in range(30))), TODAY)
    assert trend.slope == pytest.approx(2)
    assert trend.scatter == pytest.approx(0, abs=1e-9)
    assert forecast.level_of(158, trend)(10) == pytest.approx(178)


def test_slope_scatter_and_band_of_a_zigzag():
    # 10, 12, 10, 12 …: 14 days at 10 + 2 x (odd). Least squares by hand: x = 0…13, mean x 6.5, Sxx 227.5, mean y 11;
    # Sxy = sum of (x - 6.5) x (±1) = 7 (seven odd days stand one to the right of an even one), slope 7 / 227.5.
    trend = forecast.trend_of(history(*([10, 12] * 7)), TODAY)
    assert trend.slope == pytest.approx(7 / 227.5)
    # Syy = 14; residual sum = 14 - 7² / 227.5, divided by 14 - 2.
    assert trend.scatter == pytest.approx(((14 - 49 / 227.5) / 12) ** 0.5)
    # One day's figure at 7 days from now, 13.5 from the middle: t(0.9; 12) = 1.3562.
    width = 1.3562 * trend.scatter * (1 + 1 / 14 + 13.5**2 / 227.5) ** 0.5
    assert trend.deviation(7, 0.9) == pytest.approx(width, rel=1e-4)
    assert trend.deviation(7, 0.1) == pytest.approx(-width, rel=1e-4)


def test_days_that_resemble_each_other_tell_less():
    # 10 for seven days, then 12 for seven: six of the seven pairs on each side alike. By hand: slope 49 / 227.5, and of the
    # residuals the correlation of neighbours; the line (not the single day) is that much less certain.
    trend = forecast.trend_of(history(*([10] * 7 + [12] * 7)), TODAY)
    assert trend.slope == pytest.approx(49 / 227.5)
    rests = [used - 11 - trend.slope * (at - 6.5) for at, used in enumerate([10] * 7 + [12] * 7)]
    likeness = sum(rests[at] * rests[at + 1] for at in range(13)) / sum(rest**2 for rest in rests)
    assert 0 < likeness < 0.95
    assert trend.echo == pytest.approx((1 + likeness) / (1 - likeness))
    independent = Trend(trend.slope, trend.scatter, trend.days, trend.middle, trend.spread)
    assert trend.deviation(30, 0.9) > independent.deviation(30, 0.9)


@pytest.mark.parametrize(
    ("freedom", "probability", "table"),
    [(12, 0.9, 1.3562), (12, 0.95, 1.7823), (30, 0.9, 1.3104), (88, 0.9, 1.2910), (88, 0.8, 0.8459)],
)
def test_quantiles_of_t_against_the_printed_table(freedom, probability, table):
    assert forecast.t_quantile(probability, freedom) == pytest.approx(table, abs=1e-3)


def test_too_little_history_has_no_trend():
    trend = forecast.trend_of(history(*range(13)), TODAY)
    assert trend == Trend()
    assert forecast.level_of(12, trend, 0.9)(300) == 12


def test_only_the_window_counts():
    old, new = [500] * 200, [10] * forecast.WINDOW_DAYS
    assert forecast.trend_of(history(*old, *new), TODAY).slope == 0


def test_months_of_a_term_that_begins_on_the_31st():
    months = forecast.contract_months(date(2026, 1, 31), date(2026, 4, 29))
    assert [(month.first, month.last) for month in months] == [
        (date(2026, 1, 31), date(2026, 2, 27)),
        (date(2026, 2, 28), date(2026, 3, 30)),
        (date(2026, 3, 31), date(2026, 4, 29)),
    ]


def test_what_a_yearly_contract_carries():
    # 1,200 a year; six closed months used 80 each: (1,200 - 480) / 6 months left = 120 in each.
    uses = {date(2026, month, 1): 80 for month in range(1, 7)}
    carry = forecast.carried(contract(), uses, TODAY)
    assert (carry.level, carry.included, carry.spent, carry.months) == (120, 1200, 480, 6)
    # A second year gives 100 a month: the tighter of the two decides.
    two = contract(ends=date(2027, 12, 31))
    assert forecast.carried(two, uses, TODAY).level == 100
    # The last year cut to three months has a quarter of the numbers.
    assert forecast.shares_of(contract(ends=date(2027, 3, 31)))[1].included == 300
    assert forecast.carried(contract(ends=date(2026, 6, 30)), uses, TODAY) is None
    assert forecast.months_left(contract(), TODAY) == 6


def test_what_a_monthly_contract_carries():
    assert forecast.carried(contract(100, "Month"), {date(2026, 6, 1): 500}, TODAY).level == 100


def test_overage_by_hand():
    # 90 in each closed month (540), then 120 a month: 540 + 720 = 1,260, that is 60 above the 1,200.
    uses = {date(2026, month, 1): 90 for month in range(1, 7)}
    assert forecast.overage(contract(), uses, lambda ahead: 120, TODAY) == 60
    # In this month 150 were in use already: 30 more.
    assert forecast.overage(contract(), uses | {date(2026, 7, 1): 150}, lambda ahead: 120, TODAY) == 90
    # A monthly contract of 100: 20 in each of the six months.
    assert forecast.overage(contract(100, "Month"), uses, lambda ahead: 120, TODAY) == 120


def test_the_limit_bounds_the_overage_and_money_is_exact():
    uses = {date(2026, month, 1): 90 for month in range(1, 7)}
    risk = forecast.risk_of(contract(), uses, 120, Trend(), TODAY, more=100, limit=130)
    assert (risk.low, risk.expected, risk.high) == (120, 120, 120)  # 540 + 6 x 130 - 1,200
    assert risk.expected_money == Decimal("300.00")


def test_the_expected_overage_is_the_mean_over_the_band():
    # Level at 100 with a monthly contract of 100: nothing in the lower half, and the deciles' mean above.
    trend = Trend(0, 5, 50, -24.5, 10412.5)
    terms = contract(100, "Month", starts=date(2026, 7, 1), ends=date(2026, 7, 31))
    risk = forecast.risk_of(terms, {}, 100, trend, TODAY)
    ups = [trend.deviation(21, way) for way in (0.6, 0.7, 0.8, 0.9)]
    assert risk.low == 0
    assert risk.high == pytest.approx(ups[-1])
    assert risk.expected == pytest.approx(sum(ups) / 9)


def test_the_recommendation_with_every_step():
    # Closed months: March's day 1 is the first on record… 131 days: March to June; 100 in each, and 100 now.
    use = usage([100] * 131, terms=contract(), total_limit=110)
    assert use.uses == {date(2026, month, 1): 100 for month in range(3, 8)}
    # (1,200 - 400) / 6 = 133: of 50 asked (160) only 23 more.
    found = recommendation(use, asked(use, 50))
    assert (found.more, found.limit) == (23, 133)
    said = {step.what: step.text for step in found.steps}
    assert "(1,200 − 400) ÷ 6 months left = 133" in said["Contract"]
    assert "100 are in use, so 33 more are safe" in said["Contract"]
    assert said["Recommended"].startswith("23 more, a limit of 133: of the 50 wanted")
    # 150 in use in six months, and the 400 before: 1,300, so 100 above, at 2.50.
    assert "100.0 number-months above the contract" in said["Overage risk with 50 more"]
    assert "250.00 USD" in said["Overage risk with 50 more"]
    # 123 then: 400 + 6 x 123 = 1,138 is below 1,200.
    assert "no overage" in said["Overage risk with 23 more"]


def test_traffic_becomes_numbers():
    use = usage([50] * 20, total_limit=500, dynamic=10, dynamic_limit=12)
    found = recommendation(
        use, asked(use, 5, Ceiling.NETWORK_DYNAMIC, visitors_per_hour=20, lifetime_seconds=1800)
    )  # fmt: skip
    # 20 x 1,800 / 3,600 = 10 erlangs; B(18) = 0.71 % is the first below 1 %. 18 needed - 2 free = 16 more.
    assert found.figures["numbers_for_traffic"] == 18
    assert (found.more, found.limit) == (16, 28)
    assert any("10.00 erlangs" in step.text for step in found.steps)


def test_the_worked_example_of_the_documentation():
    """docs/numbers.md, lines 4 to 7."""
    today = date(2026, 11, 25)
    terms = contract(1800, starts=date(2026, 3, 1), ends=date(2027, 2, 28))
    uses = {
        date(2026, month, 1): used for month, used in zip(range(3, 11), [30, 38, 45, 52, 56, 62, 70, 76], strict=True)
    }
    carry = forecast.carried(terms, uses, today)
    assert (carry.spent, carry.months, carry.level, carry.level - 128) == (429, 4, 342, 214)
    needed = sizing(120, 1800)
    assert (needed.load, needed.numbers) == (60, 75)
    assert (round(needed.one_less, 4), round(needed.blocked_now, 4)) == (0.0105, 0.0083)
    assert forecast.recommended_limit(limit=10, wanted=75, carries=0 + 214) == 75
    risk = forecast.risk_of(terms, uses, 400, Trend(), today)
    assert (risk.expected, risk.expected_money) == (229, Decimal("572.50"))


def test_a_total_without_room_is_said():
    use = usage([50] * 20, total_limit=52, dynamic=10, dynamic_limit=10)
    found = recommendation(use, asked(use, 5, Ceiling.NETWORK_DYNAMIC))
    assert any(step.what == "All numbers" and "room for 2 only" in step.text for step in found.steps)


def test_a_contract_that_is_over_carries_nothing():
    use = usage([50] * 20, terms=contract(ends=date(2026, 6, 30)), total_limit=60)
    found = recommendation(use, asked(use, 5))
    assert (found.more, found.limit) == (0, 60)
    assert use.present_risk is None


# Whatever the figures -------------------------------------------------------------------------------------------------

figures = st.lists(st.integers(0, 2000), min_size=1, max_size=200)
terms = st.builds(
    contract,
    numbers=st.integers(0, 20_000),
    period=st.sampled_from(["Month", "Year"]),
    starts=st.dates(date(2024, 1, 1), TODAY),
    ends=st.dates(TODAY, date(2029, 12, 31)),
    price=st.sampled_from(["0", "0.0001", "2.50", "99.99"]),
)


@given(figures, terms, st.integers(0, 500), st.integers(1, 3000))
def test_never_below_use_nor_the_present_limit(days, held, room, more):
    use = usage(days, terms=held, total_limit=days[-1] + room)
    found = recommendation(use, asked(use, more))
    assert found.limit >= use.limits.total_limit >= use.used
    assert found.more == found.limit - use.limits.total_limit >= 0
    assert found.limit <= use.limits.total_limit + more


@given(figures, terms, st.integers(0, 500), st.integers(0, 300), st.integers(1, 3000))
def test_more_in_use_never_lowers_figure_projection_or_overage(days, held, added, dynamic, more):
    """The past is the same; only today's use differs. (Trend and closed months are of the past.)"""
    trend = forecast.trend_of(history(*days), TODAY)
    uses = forecast.month_uses(
        history(*days)[:-1], forecast.contract_months(held.starts_on, held.ends_on)
    )  # fmt: skip
    low, high = days[-1], days[-1] + added
    for ahead in (1, 30, 400):
        assert forecast.level_of(high, trend)(ahead) >= forecast.level_of(low, trend)(ahead)
    risks = [forecast.risk_of(held, uses, used, trend, TODAY) for used in (low, high)]
    assert risks[0].low <= risks[1].low and risks[0].expected <= risks[1].expected and risks[0].high <= risks[1].high
    limits = [
        forecast.recommended_limit(limit=max(used, low + 5), wanted=max(used, low + 5) + more,
                                   carries=forecast.carried(held, uses, TODAY).level) for used in (low, high)
    ]  # fmt: skip
    assert limits[0] <= limits[1]


@given(st.lists(st.integers(0, 2000), min_size=14, max_size=120), st.integers(0, 1000), st.integers(1, 1000))
def test_the_band_widens_with_the_horizon(days, ahead, further):
    trend = forecast.trend_of(history(*days), TODAY)
    for probability in (0.6, 0.9):
        near, far = (trend.deviation(at, probability) for at in (ahead, ahead + further))
        assert 0 <= near <= far
        assert near < far or trend.scatter < 1e-6
        assert trend.deviation(ahead, 1 - probability) == pytest.approx(-near)


@given(figures, terms)
def test_risk_is_ordered_and_never_negative(days, held):
    use = usage(days, terms=held)
    risk = use.risk()
    assert 0 <= risk.low <= risk.expected <= risk.high
    assert use.risk(more=10).expected >= risk.expected


@given(figures, terms, st.integers(1, 500))
def test_what_is_carried_costs_nothing(days, held, spare):
    """Holding the carried number in every month left makes no overage, if this month did not see more already."""
    use = usage(days, terms=held)
    level, months = use.carry.level, forecast.contract_months(held.starts_on, held.ends_on)
    closed = {month.first: use.uses.get(month.first, 0) for month in months if month.last < TODAY}
    spent_out = use.carry.level == 0
    assert spent_out or forecast.overage(held, closed, lambda ahead: level, TODAY) == 0
    # One more in each month would.
    month_count = use.carry.months
    over = use.carry.spent + (level + 1) * month_count - use.carry.included
    assert over > 0


@given(st.dates(date(2000, 1, 1), date(2090, 12, 31)), st.integers(0, 2000))
def test_months_cover_the_term_without_gap(starts, length):
    ends = starts + timedelta(days=length)
    months = forecast.contract_months(starts, ends)
    assert months[0].first == starts and months[-1].last == ends
    for one, following in itertools.pairwise(months):
        assert following.first == one.last + timedelta(days=1)
        assert one.first <= one.last


def test_the_steps_speak_of_days_on_record():
    use = usage([10] * 5, total_limit=20)
    (step,) = [step for step in advice.use_steps(use) if step.what == "Trend"]
    assert step.text.startswith("Only 5 of the 14 days")
