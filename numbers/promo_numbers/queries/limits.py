"""The three limits as people see them: used, limit, free, and who may raise each."""

from dataclasses import asdict, dataclass
from typing import Any

from campaigns.models import Campaign
from portal.accounts.models import Network
from promo_numbers.choices import Ceiling
from promo_numbers.models import CampaignNumbers, NetworkNumbers

WHO_MAY_RAISE = {
    Ceiling.CAMPAIGN: "A Super User of the network raises it, on the campaign's tab Direct Promo Numbers.",
    Ceiling.NETWORK_TOTAL: "Only platform staff raise it: ask your customer success manager with a limit request.",
    Ceiling.NETWORK_DYNAMIC: "Only platform staff raise it: ask your customer success manager with a limit request.",
}


@dataclass(frozen=True)
class LimitView:
    """One ceiling. `limit` None = none set; `free` how many more it lets in (None = any number)."""

    ceiling: str
    label: str
    used: int
    limit: int | None
    who_may_raise: str

    @property
    def free(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)

    def lets_in(self, count: int) -> bool:
        """Whether `count` more fit."""
        return self.limit is None or self.used + count <= self.limit

    def body(self) -> dict[str, Any]:
        """The breakdown as the API gives it."""
        return {**asdict(self), "free": self.free}


def _view(ceiling: Ceiling, used: int, limit: int | None) -> LimitView:
    return LimitView(str(ceiling), str(ceiling.label), used, limit, WHO_MAY_RAISE[ceiling])


def limits_of_network(network: Network, row: NetworkNumbers | None = None) -> list[LimitView]:
    """Total, then dynamic. row: where it is at hand already."""
    row = row or NetworkNumbers.objects.get(pk=network.pk)
    return [
        _view(Ceiling.NETWORK_TOTAL, row.total_used, row.total_limit),
        _view(Ceiling.NETWORK_DYNAMIC, row.dynamic_used, row.dynamic_limit),
    ]


def limit_of_campaign(campaign: Campaign, row: CampaignNumbers | None = None) -> LimitView:
    """“Promo Numbers Allowed”: counts static numbers alone. row: where it is at hand already."""
    row = row or CampaignNumbers.objects.get(pk=campaign.pk)
    return _view(Ceiling.CAMPAIGN, row.used, row.allowed)


def limits_on_adding(campaign: Campaign, *, dynamic: bool) -> list[LimitView]:
    """The ceilings that one more number of the campaign must pass: static under the campaign's and the network's total,
    dynamic under the network's total and its dynamic one."""
    total, dynamics = limits_of_network(campaign.network)
    return [total, dynamics] if dynamic else [limit_of_campaign(campaign), total]
