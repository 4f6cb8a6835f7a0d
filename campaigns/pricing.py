"""Payin and payout policies: what a call brings and costs, as a pure function of what is known of it.

`payin` and `payout` of a campaign are the amounts of its unconditional Base policies, and the only place where those
stand; `payin_policies` and `payout_policies` hold all the others. So writing the one has written the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from campaigns.models import Campaign
from campaigns.treatment.conditions import ConditionError, parse
from campaigns.treatment.expressions import Context

Problem = tuple[str | None, str, str]
Side = Literal["payin", "payout"]
SIDES: tuple[Side, Side] = ("payin", "payout")

BASE, BONUS = "Base", "Bonus"
MAX_POLICIES = 20
MAX_PRICE = Decimal(1_000_000)
CENTS = Decimal("0.0001")


@dataclass(frozen=True)
class Policy:
    """One amount of money (in the campaign's currency) and when it is due; an empty condition is always true."""

    type: str
    amount: Decimal
    condition: str = ""

    def holds(self, facts: Context) -> bool:
        return parse(self.condition).holds(facts)


def price(policies: Iterable[Policy], facts: Context) -> Decimal:
    """What a call with these facts costs (or brings): the first Base whose condition holds, plus every Bonus whose does.

    Nothing (0) when no Base holds and no Bonus does. policies: as `policies_of` orders them, the unconditional Base
    after the other ones, so that it is what is left when none of them holds.
    """
    policies = tuple(policies)
    base = next((policy.amount for policy in policies if policy.type == BASE and policy.holds(facts)), Decimal(0))
    return base + sum(
        (policy.amount for policy in policies if policy.type == BONUS and policy.holds(facts)), Decimal(0)
    )


def price_range(policies: Iterable[Policy]) -> tuple[Decimal, Decimal]:
    """The least and the most that a call can cost, whatever its facts."""
    policies = tuple(policies)
    bases = [policy.amount for policy in policies if policy.type == BASE]
    if not any(policy.type == BASE and not policy.condition for policy in policies):
        bases.append(Decimal(0))
    bonuses = [policy for policy in policies if policy.type == BONUS]
    sure = sum((policy.amount for policy in bonuses if not policy.condition), Decimal(0))
    return min(bases) + sure, max(bases) + sum((policy.amount for policy in bonuses), Decimal(0))


def policies_of(campaign: Campaign, side: Side) -> list[Policy]:
    """All policies of a campaign in the order in which `price` asks: conditional Bases, the unconditional, Bonuses."""
    rows: list[dict[str, Any]] = getattr(campaign, f"{side}_policies")
    others = [Policy(row["type"], Decimal(row["amount"]), row["condition"]) for row in rows]
    base = Policy(BASE, Decimal(getattr(campaign, side)))
    return [
        *(policy for policy in others if policy.type == BASE),
        base,
        *(policy for policy in others if policy.type == BONUS),
    ]


def money(value: Any, field: str, what: str, problems: list[Problem]) -> Decimal:
    """An amount of money of at most 999999.9999 and four decimals; what is wrong is added to `problems`."""
    try:
        if isinstance(value, bool) or value is None:
            raise InvalidOperation
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        problems.append(
            (field, "not_a_number", f"{what}: “{'' if value is None else value}” is not an amount of money.")
        )
        return Decimal(0)
    if not amount.is_finite() or amount < 0 or amount >= MAX_PRICE:
        problems.append((field, "out_of_range", f"{what} must be 0 to 999999; it is {value}."))
        return Decimal(0)
    rounded = amount.quantize(CENTS)
    if rounded != amount:
        problems.append((field, "fractional", f"{what} has at most four decimals; it is {value}."))
        return Decimal(0)
    return rounded


def _policy(given: Any, currency: str, field: str, number: int, problems: list[Problem]) -> Policy | None:
    """One policy as it was sent; None when it cannot be read."""
    name = f"Policy {number}"
    if not isinstance(given, dict):
        problems.append((field, "invalid", f"{name} is an object with type, currency, amount and condition."))
        return None
    kind = given.get("type", BASE)
    if kind not in (BASE, BONUS):
        problems.append((f"{field}.type", "unknown_policy_type", f"{name}: “{kind}” is not a type; use Base or Bonus."))
    said = given.get("currency")
    if said not in (None, "", currency):
        text = f"{name} is in “{said}”, the campaign in {currency}; all its money is in one currency."
        problems.append((f"{field}.currency", "other_currency", text))
    amount = money(given.get("amount"), f"{field}.amount", f"{name}, amount", problems)
    condition = given.get("condition")
    if not isinstance(condition, str | None):
        problems.append((f"{field}.condition", "invalid", f"{name}: the condition is a text; empty = always."))
        return None
    condition = (condition or "").strip()
    try:
        parse(condition)
    except ConditionError as error:
        text = f"{name}, condition, line {error.line}, column {error.column}: {error.message}"
        problems.append((f"{field}.condition", "bad_condition", text))
    return Policy(kind, amount, condition)


def policies_clean(
    given: Any, *, currency: str, field: str, problems: list[Problem]
) -> tuple[Decimal, list[dict[str, str]]]:
    """(amount of the unconditional Base, the other policies as they are stored).

    given: [{type Base|Bonus, currency, amount, condition}]. currency: the campaign's, which every policy must be in.
    field: how the list is called, so that problems name it, the index and the field: `payout_policies.2.condition`.
    """
    if not isinstance(given, list) or len(given) > MAX_POLICIES:
        text = f"Policies are a list of at most {MAX_POLICIES}, each {{type, currency, amount, condition}}."
        problems.append((field, "invalid", text))
        return Decimal(0), []
    base: Decimal | None = None
    others: list[Policy] = []
    for index, row in enumerate(given):
        policy = _policy(row, currency, f"{field}.{index}", index + 1, problems)
        if policy is None:
            continue
        if policy.type != BASE or policy.condition:
            others.append(policy)
        elif base is None:
            base = policy.amount
        else:
            text = f"Policy {index + 1} is a second Base without a condition; one at most. Give it a condition or make it a Bonus."
            problems.append((f"{field}.{index}.condition", "two_bases", text))
    most = price_range([*others, Policy(BASE, base or Decimal(0))])[1]
    if most >= MAX_PRICE:
        problems.append((field, "out_of_range", f"Together they come to {most:f}; a call costs 999999 at most."))
    rows = [{"type": policy.type, "amount": f"{policy.amount:f}", "condition": policy.condition} for policy in others]
    return base or Decimal(0), rows


def figure(amount: Decimal) -> str:
    """An amount for people: two decimals, more only where they say something."""
    text = f"{amount:,.4f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def in_words(policies: Sequence[Policy], currency: str) -> str:
    """Such as “5.00 USD if repeat; otherwise 12.00 USD; plus 3.00 USD if duration >= 90 seconds”."""
    conditional = [policy for policy in policies if policy.type == BASE and policy.condition]
    parts = [f"{figure(policy.amount)} {currency} if {policy.condition}" for policy in conditional]
    for policy in policies:
        if policy.type == BASE and not policy.condition:
            parts.append(
                f"{'otherwise ' if parts else ''}{figure(policy.amount)} {currency}{'' if parts else ' per connected call'}"
            )
            break
    for policy in policies:
        if policy.type == BONUS:
            when = f" if {policy.condition}" if policy.condition else ""
            parts.append(f"plus {figure(policy.amount)} {currency}{when}")
    return "; ".join(parts)
