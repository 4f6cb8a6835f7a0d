"""What a raise means against the contract."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone

from campaigns.models import Campaign
from promo_numbers.choices import ContractPeriod
from promo_numbers.models import CampaignNumbers, Contract, NetworkNumbers, PromoNumber


@dataclass(frozen=True)
class RaiseWarning:
    """A raise that is large against the contract: the sentence, and the figures that it rests on."""

    text: str
    figures: dict[str, Any]


def months_between(start: date, end: date) -> int:
    """Whole months from `start` to `end`, counting a begun one: 1 on the last day of a contract."""
    return max(0, (end.year - start.year) * 12 + end.month - start.month + (1 if end.day >= start.day else 0))


def contract_left(contract: Contract, used: int, today: date) -> tuple[int, int]:
    """(numbers left in the current period, months left of the contract).

    A yearly contract's numbers are those of the whole year; a monthly one's those added in this month.
    """
    if contract.period == ContractPeriod.MONTH:
        month = today.replace(day=1)
        added = PromoNumber.objects.filter(network_id=contract.network_id, created_at__date__gte=month).count()
        left = contract.numbers - added
    else:
        left = contract.numbers - used
    return left, months_between(today, contract.ends_on)


def raise_warning(campaign: Campaign, wanted: int) -> RaiseWarning | None:
    """A warning when raising “Promo Numbers Allowed” to `wanted` is large against the contract; None when it is not.

    Large is more than the contract's remaining numbers spread over its remaining months (domain/promo-numbers.md: the
    higher the limit, the more numbers can be used in a month).
    """
    contract = Contract.objects.filter(pk=campaign.network_id).first()
    if contract is None:
        return None
    used = NetworkNumbers.objects.values_list("total_used", flat=True).get(pk=campaign.network_id)
    row = CampaignNumbers.objects.get(pk=campaign.pk)
    more = wanted - row.allowed
    left, months = contract_left(contract, used, timezone.localdate())
    fair = max(0, left if contract.period == ContractPeriod.MONTH else left // max(1, months))
    if more <= fair:
        return None
    figures = {
        "more": more, "numbers_left": left, "months_left": months, "fair": fair, "used": used,
        "overage_price": str(contract.overage_price), "currency": contract.currency,
    }  # fmt: skip
    text = (
        f"That is {more:,} more numbers. The contract has {max(0, left):,} left"
        f" {'this month' if contract.period == ContractPeriod.MONTH else 'in its term'} and {months} month(s) to go: up to"
        f" {fair:,} more a month is safe. Each number above the contract costs {contract.overage_price:.2f}"
        f" {contract.currency} a month. Confirm to raise it all the same, or ask your CSM for a safe figure."
    )
    return RaiseWarning(text, figures)
