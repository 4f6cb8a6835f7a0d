"""What a raise means against the contract, and how many more numbers to grant: the figure with every step of its sum."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from campaigns.models import Campaign
from promo_numbers.choices import Ceiling, ContractPeriod
from promo_numbers.models import CampaignNumbers, Contract

from . import forecast
from .forecast import Carry, Risk
from .sizing import Sizing, sizing
from .usage import Usage, usage_of


@dataclass(frozen=True)
class RaiseWarning:
    """A raise that is large against the contract: the sentence, and the figures that it rests on."""

    text: str
    figures: dict[str, Any]


def raise_warning(campaign: Campaign, wanted: int) -> RaiseWarning | None:
    """A warning when raising “Promo Numbers Allowed” to `wanted` is large against the contract; None when it is not.

    Large is more than the numbers left this month: what the contract carries in every month that it still has, less what
    is in use (domain/promo-numbers.md: the higher the limit, the more numbers can be used in a month).
    """
    if not Contract.objects.filter(pk=campaign.network_id).exists():
        return None
    usage = usage_of(campaign.network)
    contract, allowed = usage.contract, CampaignNumbers.objects.values_list("allowed", flat=True).get(pk=campaign.pk)
    assert contract is not None
    more, months = wanted - allowed, usage.months_left
    left = usage.carry.level - usage.used if usage.carry else 0
    fair = max(0, left)
    if more <= fair:
        return None
    figures = {
        "more": more, "numbers_left": left, "months_left": months, "fair": fair, "safe_limit": allowed + fair,
        "used": usage.used, "overage_price": str(contract.overage_price), "currency": contract.currency,
    }  # fmt: skip
    price = f"Each number above the contract costs {price_text(contract.overage_price)} {contract.currency} a month."
    if not months:
        text = f"That is {more:,} more, and the contract ended on {contract.ends_on:%Y-%m-%d}. {price}"
    else:
        text = (
            f"That is {more:,} more. This month the contract has {fair:,} left, and {months:,}"
            f" {'month' if months == 1 else 'months'} to go: up to {allowed + fair:,} ({fair:,} more) is safe. {price}"
        )
    text += " Confirm to raise it all the same, or ask your CSM for a safe figure."
    return RaiseWarning(text, figures)


@dataclass(frozen=True)
class Asked:
    """What a limit request asks for. limit: the present one; used: what counts against it now."""

    ceiling: str
    limit: int
    used: int
    more: int
    visitors_per_hour: int | None = None
    lifetime_seconds: int | None = None


@dataclass(frozen=True)
class Step:
    """One line of the sum: what it is about, and the sum in words and figures."""

    what: str
    text: str


@dataclass(frozen=True)
class Recommendation:
    """The figure: `more` numbers, that is `limit` afterwards; with its steps, and the overage to reckon with."""

    more: int
    limit: int
    steps: list[Step]
    figures: dict[str, Any]

    def body(self) -> dict[str, Any]:
        """As it is kept with a decision and given by the API."""
        return {
            "recommended_more": self.more,
            "recommended_limit": self.limit,
            "steps": [{"what": step.what, "text": step.text} for step in self.steps],
            "figures": self.figures,
        }


def price_text(price: Decimal) -> str:
    """A price with two decimals, or as many as it has."""
    return f"{price:,.2f}" if price == round(price, 2) else f"{price.normalize():,f}"


def _few(value: float) -> str:
    """A figure without needless digits."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"


def _day(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def use_steps(usage: Usage) -> list[Step]:
    """What is in use, the trend, and where it leads."""
    trend, ahead = usage.trend, usage.days_left
    total = usage.limits.total_limit
    free = "without a limit" if total is None else f"of {total:,} allowed: {total - usage.used:,} free"
    steps = [
        Step(
            "In use now",
            f"{usage.static_used:,} static + {usage.dynamic_used:,} dynamic = {usage.used:,} numbers, {free}.",
        )
    ]
    if not trend.days:
        known = sum(day.day > usage.today - timedelta(days=forecast.WINDOW_DAYS) for day in usage.days)
        text = f"Only {known} of the {forecast.LEAST_DAYS} days that a trend needs are on record: use is taken to stay as it is."
        return [*steps, Step("Trend", text)]
    end = timedelta(days=ahead) + usage.today
    low, middle, high = usage.at_end
    steps.append(
        Step(
            "Trend",
            f"A straight line through the last {trend.days} days (least squares): {trend.slope:+.3f} numbers a day, that is"
            f" {trend.slope * 365 / 12:+,.1f} a month; single days lie {_few(trend.scatter)} around it.",
        )
    )
    steps.append(
        Step(
            "Projection",
            f"{usage.used:,} now {'+' if trend.slope >= 0 else '−'} {abs(trend.slope):.3f} × {ahead:,} days = {middle:,} on"
            f" {_day(end)}; four times out of five between {low:,} and {high:,}.",
        )
    )
    return steps


def contract_step(contract: Contract, carry: Carry | None, used: int, today: date) -> Step:
    """What the contract carries, as a division that anybody can check."""
    if carry is None:
        return Step("Contract", f"It ended on {_day(contract.ends_on)}: every number in use is above it.")
    begins = f" It begins on {_day(contract.starts_on)}." if contract.starts_on > today else ""
    months = "month" if carry.months == 1 else "months"
    if contract.period == ContractPeriod.MONTH:
        text = f"{contract.numbers:,} numbers a month, to {_day(contract.ends_on)}: {carry.level:,} can be held each month."
    else:
        text = (
            f"{carry.included:,} number-months in the contract year, {carry.spent:,} of them used in its closed months:"
            f" ({carry.included:,} − {carry.spent:,}) ÷ {carry.months} {months} left = {carry.level:,} numbers can be held in"
            " each."
        )
    room = carry.level - used
    text += (
        f" {used:,} are in use, so {room:,} more are safe."
        if room >= 0
        else f" {used:,} are in use: {-room:,} too many."
    )
    return Step("Contract", text + begins)


def _traffic(asked: Asked) -> Sizing | None:
    if asked.ceiling != Ceiling.NETWORK_DYNAMIC or not asked.visitors_per_hour or not asked.lifetime_seconds:
        return None
    return sizing(asked.visitors_per_hour, asked.lifetime_seconds)


def _carries(usage: Usage, asked: Asked) -> int | None:
    """How high this ceiling may be without overage: what the contract carries less what others use of it."""
    if usage.contract is None:
        return None
    level = usage.carry.level if usage.carry else 0
    # Room for numbers above those in use; a ceiling counts what it has in use already.
    return asked.used + level - usage.used


def risk_text(risk: Risk, currency: str) -> str:
    """Overage in number-months and money, over the band."""
    if risk.high == 0:
        return "no overage, also at the band's upper edge."
    return (
        f"{risk.expected:,.1f} number-months above the contract are to be reckoned with, × {price_text(risk.price)} ="
        f" {risk.expected_money:,.2f} {currency}; from {risk.low_money:,.2f} to {risk.high_money:,.2f} over the band."
    )


def _risk_steps(usage: Usage, more: dict[str, int], under: Callable[[int], int | None]) -> list[Step]:
    steps = []
    for what, count in more.items():
        risk = usage.risk(more=count, limit=under(count))
        if risk is not None and usage.contract is not None:
            steps.append(Step(what, f"{'With all of them used at once: ' if count else 'As it goes on: '}"
                              + risk_text(risk, usage.contract.currency)))  # fmt: skip
    return steps


def recommendation(usage: Usage, asked: Asked) -> Recommendation:
    """How many more to grant, from use, trend, contract and traffic; every step of the sum in words.

    Wanted is what was asked for, or with the expected traffic of a website what that traffic needs; of it as much is
    recommended as the contract carries in each month it still has. Never less than none: the limit is not lowered.
    """
    steps = use_steps(usage)
    if usage.contract is None:
        steps.append(Step("Contract", "None on record: nothing holds the figure back."))
    else:
        steps.append(contract_step(usage.contract, usage.carry, usage.used, usage.today))
    free = asked.limit - asked.used
    wanted, size = asked.limit + asked.more, _traffic(asked)
    steps.append(
        Step(
            "Asked for",
            f"{asked.more:,} more than the present limit of {asked.limit:,} ({asked.used:,} used, {free:,} free):"
            f" {wanted:,}.",
        )
    )
    if size is not None:
        wanted = max(asked.limit, asked.used + size.numbers)
        steps.append(Step("Traffic", " ".join(size.working)))
        steps.append(
            Step(
                "Numbers for the traffic",
                f"{size.numbers:,} needed − {free:,} free = {max(0, size.numbers - free):,} more.",
            )
        )
    carries = _carries(usage, asked)
    limit = forecast.recommended_limit(limit=asked.limit, wanted=wanted, carries=carries)
    more = limit - asked.limit
    steps.append(_result(asked, wanted, carries, more))
    if asked.ceiling == Ceiling.NETWORK_DYNAMIC and usage.limits.total_limit is not None:
        room = usage.limits.total_limit - usage.used
        if room < more:
            text = f"The limit on all numbers has room for {room:,} only: raise it too, or the others cannot be added."
            steps.append(Step("All numbers", text))
    total = usage.limits.total_limit

    def under(count: int) -> int | None:
        return None if total is None else total + (count if asked.ceiling == Ceiling.NETWORK_TOTAL else 0)

    counts = {"Overage risk now": 0, f"Overage risk with {asked.more:,} more": asked.more}
    if 0 < more != asked.more:
        counts[f"Overage risk with {more:,} more"] = more
    steps += _risk_steps(usage, counts, under)
    return Recommendation(more, limit, steps, _figures(usage, asked, wanted, carries, size))


def _result(asked: Asked, wanted: int, carries: int | None, more: int) -> Step:
    want = wanted - asked.limit
    if carries is None or carries >= wanted:
        why = "what is wanted" + ("" if carries is None else ", and the contract carries it")
    elif more:
        why = f"of the {want:,} wanted the contract carries so many without overage"
    else:
        why = f"{want:,} are wanted, but the contract carries no more without overage"
    if want == 0:
        why = "what is free is enough"
    return Step("Recommended", f"{more:,} more, a limit of {asked.limit + more:,}: {why}.")


def _figures(usage: Usage, asked: Asked, wanted: int, carries: int | None, size: Sizing | None) -> dict[str, Any]:
    low, middle, high = usage.at_end
    risk = usage.risk(more=asked.more)
    return {
        "today": usage.today.isoformat(), "limit": asked.limit, "used": asked.used, "asked": asked.more,
        "network_used": usage.used, "network_dynamic_used": usage.dynamic_used, "wanted_limit": wanted,
        "carried_by_contract": carries, "months_left": usage.months_left, "trend_a_day": round(usage.trend.slope, 4),
        "trend_days": usage.trend.days, "projected": middle, "projected_low": low, "projected_high": high,
        "numbers_for_traffic": size.numbers if size else None,
        "expected_overage": round(risk.expected, 2) if risk else None,
        "expected_overage_cost": str(risk.expected_money) if risk else None,
        "currency": usage.contract.currency if usage.contract else None,
    }  # fmt: skip
