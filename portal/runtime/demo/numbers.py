"""The demo's promo numbers: a stock of numbers kept for fiction, limits that make sense, one campaign that is full."""

import contextlib

from promo_numbers import actions as number_actions
from promo_numbers.actions.import_rows import stock_put
from promo_numbers.models import CampaignNumbers, NetworkNumbers, PromoNumber, StockNumber
from promo_numbers.suppliers import Wanted

from campaigns.models import Campaign
from portal.accounts.models import Network, User
from portal.errors import Conflict

from .catalog import BLUE_MESA, COPPER_CREEK, DemoNetwork

# The line is 555-0100 to 555-0199, which is kept for fiction: nobody's number.
AREA_CODES = (
    "202 206 212 213 214 216 219 253 301 302 303 305 312 313 314 317 404 407 412 414 415 480 503 504 505 512 513 602 612"
    " 614 615 617 619 702 704 720 801 804 805 816 901 904 916 917"
)
TOTAL_LIMIT, DYNAMIC_LIMIT = 400, 150
FULL, RAISED = "roofing-florida", "plumbing-seattle"
# What fills it: (description, media type, area code).
_FLORIDA = [
    ("Storm season mailer, Orlando", "Offline: Direct Mail", "407"),
    ("Roof check flyer, Jacksonville", "Offline: Print", "904"),
]


def _own(demo: DemoNetwork) -> set[str]:
    """Every number that stands in the catalog: never in the stock."""
    numbers = [destination.number for destination in demo.destinations] + [bundle.number for bundle in demo.bundles]
    return {*numbers, *(number for number, _own_id, _text in demo.numbers)}


def stock_load() -> None:
    """Fill the stock with 555-0100 to 555-0199 of real area codes, leaving out the demo's own. Safe to repeat."""
    taken = _own(BLUE_MESA) | _own(COPPER_CREEK)
    for code in AREA_CODES.split():
        run: list[str] = []
        for last in range(100, 201):
            number = f"+1{code}5550{last}"
            if last < 200 and number not in taken:
                run.append(number)
                continue
            if run:
                _put(run)
            run = []


def _put(run: list[str]) -> None:
    with contextlib.suppress(Conflict):  # they are there already
        stock_put(first=run[0], last=run[-1])


def numbers_load(network: Network, demo: DemoNetwork, campaigns: dict[str, Campaign]) -> None:
    """The numbers of the catalog, each under the limits like any other. Safe to repeat."""
    numbers = [(bundle.number, bundle.id, bundle.name, bundle.media) for bundle in demo.bundles]
    numbers += [(number, own_id, text, "Offline: Print") for number, own_id, text in demo.numbers]
    for number, own_id, text, media in numbers:
        if not PromoNumber.objects.filter(number=number, state="active").exists():
            number_actions.number_add(
                by=None, campaign=campaigns[own_id], number=number, description=text, media_type=media
            )


def limits_load(network: Network) -> None:
    """Limits of the first network: one campaign is full, so that its next number is refused; another's was raised."""
    if NetworkNumbers.objects.get(pk=network.pk).total_limit is None:
        number_actions.network_limits_set(
            by=None, network=network, total=TOTAL_LIMIT, dynamic=DYNAMIC_LIMIT, reason="As in the contract"
        )
    full = Campaign.objects.select_related("network").get(network=network, id_from_network=FULL)
    for text, media, code in _FLORIDA:
        if not PromoNumber.objects.filter(campaign=full, description=text).exists():
            number_actions.number_add(
                by=None, campaign=full, description=text, media_type=media, wanted=Wanted(area_codes=(code,))
            )
    dana = User.objects.get(email="dana@bluemesa.example")
    row = CampaignNumbers.objects.get(pk=full.pk)
    if row.used < row.allowed:
        number_actions.campaign_limit_set(
            by=dana, campaign=full, allowed=row.used, reason="Three mailings until the storm season is over"
        )
    raised = Campaign.objects.select_related("network").get(network=network, id_from_network=RAISED)
    if CampaignNumbers.objects.get(pk=raised.pk).allowed == 10:
        number_actions.campaign_limit_set(
            by=dana, campaign=raised, allowed=15, reason="More bus shelters from December on", confirmed=True
        )


def numbers_remove(network: Network) -> None:
    """Take the network's numbers away and free what they took from the stock."""
    rows = PromoNumber.objects.filter(network=network)
    StockNumber.objects.filter(number__in=rows.values("number")).update(state="free", rests_until=None)
    rows.delete()
