"""What one row of an import does: add a promo number, or put numbers into the stock."""

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from campaigns.callers import NotANumber, e164
from campaigns.models import AreaPrefix, Campaign
from campaigns.regions import STATES
from portal.accounts import access
from portal.accounts.models import Network, User
from portal.errors import Conflict, Invalid, NotFound
from promo_numbers.choices import MediaType, PromoType, StockState
from promo_numbers.csv_files import Row
from promo_numbers.models import NumberImport, StockNumber
from promo_numbers.suppliers import Wanted

from .numbers import number_add

NUMBER_COLUMNS = (
    "campaign", "description", "media_type", "number", "area_code", "city", "state", "promo_type", "id_from_network",
    "custom_data",
)  # fmt: skip
STOCK_COLUMNS = ("number", "last_number", "area_code", "locality", "region", "kind", "network")
# What other systems call them.
_OTHER_NAMES = {
    "campaign_id_from_network": "campaign", "advertiser_campaign_id_from_network": "campaign", "campaign_id": "campaign",
    "promo_number": "number", "phone_number": "number", "kind": "promo_type", "id": "id_from_network", "own_id": "id_from_network",
}  # fmt: skip
_OTHER_STOCK_NAMES = {"first_number": "number", "city": "locality", "state": "region", "promo_type": "kind"}
MAX_RANGE = 10_000
# What stands before each row in the file of refused ones.
REFUSAL_COLUMNS = ("line", "code", "reason")


def _plain(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.strip().lower())


def columns_read(written: Iterable[str], *, into_stock: bool, with_campaign: bool) -> dict[str, str]:
    """{column as written: what it means}; for numbers, what is none of ours is custom data of its own name.

    Raises Invalid `wrong_header` with every problem: a missing, doubled, unnamed or misspelled column.
    """
    known = STOCK_COLUMNS if into_stock else NUMBER_COLUMNS
    others = _OTHER_STOCK_NAMES if into_stock else _OTHER_NAMES
    needed = ("number",) if into_stock else ("description",) if with_campaign else ("campaign", "description")
    means: dict[str, str] = {}
    problems: list[str] = []
    names = list(written)
    if [_plain(name) for name in names[:3]] == list(REFUSAL_COLUMNS):
        # Our own file of refused rows, mended and sent again: what we wrote beside them is not theirs.
        means = dict.fromkeys(names[:3], "")
        names = names[3:]
    for position, name in enumerate(names, len(means) + 1):
        plain = others.get(_plain(name), _plain(name))
        if not plain:
            problems.append(f"Column {position} has no name.")
        elif name in means or (plain in known and plain in means.values()):
            problems.append(f"“{name}” stands there twice.")
        elif plain not in known and (near := difflib.get_close_matches(plain, known, 1, 0.8)):
            problems.append(f"“{name}” looks like “{near[0]}”; correct it, or call your own column otherwise.")
        elif plain not in known and into_stock:
            problems.append(f"“{name}” is no column of the stock.")
        means[name] = plain if plain in known else name
    missing = [name for name in needed if name not in means.values()]
    if missing:
        problems.insert(0, f"The first line must name the columns; missing: {', '.join(missing)}.")
    if problems:
        found = ", ".join(names)[:200]
        text = f"{' '.join(problems[:6])} Columns: {', '.join(known)}. Your first line: {found}"
        raise Invalid(text, field="file", code="wrong_header")
    return means


def _choice(text: str, choices: Any, default: str) -> str:
    """The choice that a cell means, whatever its letter case and spaces; unknown text stays for the action to refuse."""
    return _by_plain_text(choices).get(re.sub(r"[\s\-]+", "", text.lower()), text) if text else default


@cache
def _by_plain_text(choices: Any) -> dict[str, str]:
    return {re.sub(r"[\s\-]+", "", value.lower()): value for value in choices.values}


def _json_object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text) if text else {}
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise Invalid(
            'custom_data is a JSON object such as {"store": "12"}.', field="custom_data", code="not_an_object"
        )
    return data


@dataclass(frozen=True)
class NumberAsked:
    """A row read: the campaign's own id (empty: the import's), a certain number or the wish for one, what it carries."""

    campaign: str
    number: str
    wanted: Wanted
    values: dict[str, Any]


def number_asked(row: Row, means: dict[str, str]) -> NumberAsked:
    """What a row asks for. Raises Invalid for custom data that is no object; `values_clean` judges the rest."""
    given = {means[name]: cell for name, cell in row.cells.items() if means[name] in NUMBER_COLUMNS}
    own = {name: cell for name, cell in row.cells.items() if means[name] not in ("", *NUMBER_COLUMNS) and cell}
    kind = _choice(given.get("promo_type", ""), PromoType, PromoType.LOCAL)
    state = given.get("state", "")
    values: dict[str, Any] = {
        "description": given.get("description", ""), "promo_type": kind,
        "media_type": _choice(given.get("media_type", ""), MediaType, MediaType.ONLINE_DISPLAY),
    }  # fmt: skip
    if given.get("id_from_network"):
        values["id_from_network"] = given["id_from_network"]
    if data := _json_object(given.get("custom_data", "")) | own:
        values["custom_data"] = data
    wanted = Wanted(
        kind=kind, area_codes=tuple(re.findall(r"\d+", given.get("area_code", ""))), locality=given.get("city", ""),
        region=STATES.get(state.title(), state.upper()),
    )  # fmt: skip
    return NumberAsked(given.get("campaign", ""), given.get("number", ""), wanted, values)


def campaign_unsaid() -> Invalid:
    """The refusal of a row that names no campaign where the import has none."""
    return Invalid("Say which campaign: its own id.", field="campaign", code="required")


def campaign_unknown(own: str) -> NotFound:
    """The refusal of a row whose campaign is not there, or not for this user to see."""
    return NotFound(f"There is no campaign with the own id “{own[:100]}”.", field="campaign", code="unknown_campaign")


class NumberRows:
    """Adds the rows of one import of promo numbers, one by one, as its user, whose rights are asked for each anew."""

    def __init__(self, job: NumberImport, by: User, means: dict[str, str]) -> None:
        self.job, self.by, self.means = job, by, means
        self._campaigns: dict[str, Campaign | None] = {}

    def _campaign(self, own: str) -> Campaign:
        if not own and self.job.campaign is not None:
            return self.job.campaign
        if not own:
            raise campaign_unsaid()
        if own not in self._campaigns:
            rows = Campaign.objects.select_related("network").filter(network=self.job.network_id, id_from_network=own)
            self._campaigns[own] = access.restrict(rows, self.by).first()
        campaign = self._campaigns[own]
        if campaign is None:
            raise campaign_unknown(own)
        return campaign

    def add(self, row: Row) -> None:
        """Add the row's number. Raises what `number_add` raises, NotFound for an unknown campaign."""
        asked = number_asked(row, self.means)
        number_add(
            by=self.by, campaign=self._campaign(asked.campaign), number=asked.number or None, wanted=asked.wanted,
            **asked.values,
        )  # fmt: skip


class StockRows:
    """Puts the rows of one import into the stock: single numbers and ranges."""

    def __init__(self, job: NumberImport, by: User, means: dict[str, str]) -> None:
        self.means = means
        self._networks: dict[str, Network | None] = {}

    def _network(self, name: str) -> Network | None:
        if not name:
            return None
        if name not in self._networks:
            self._networks[name] = Network.objects.filter(name__iexact=name).first()
        network = self._networks[name]
        if network is None:
            raise NotFound(f"There is no network “{name[:100]}”.", field="network", code="unknown_network")
        return network

    def add(self, row: Row) -> None:
        """Put the row's numbers into the stock. Raises Invalid, NotFound, Conflict `number_taken`."""
        given = {self.means[name]: cell for name, cell in row.cells.items()}
        stock_put(
            first=given.get("number", ""), last=given.get("last_number", ""), network=self._network(given.get("network", "")),
            kind=_choice(given.get("kind", ""), PromoType, PromoType.LOCAL), area_code=given.get("area_code", ""),
            locality=given.get("locality", ""), region=given.get("region", ""),
        )  # fmt: skip


def _digits(text: str, field: str, country: str) -> int:
    try:
        return int(e164(text, country)[1:])
    except NotANumber as error:
        raise Invalid(
            f"“{text[:64]}” is not a phone number; write it like +18055550123.",
            field=field,
            code="invalid_phone_number",
        ) from error


def stock_put(
    *,
    first: str,
    last: str = "",
    network: Network | None = None,
    kind: str = PromoType.LOCAL,
    area_code: str = "",
    locality: str = "",
    region: str = "",
    country: str = "US",
    supplier: str = "stock",
) -> int:
    """Put a number, or all from `first` to `last`, into the stock; returns how many were new. The right is the caller's.

    Area code, place and state come from the number itself where they are not given. Raises Invalid (no number, an unknown
    kind, a range that is upside down, across area codes or above 10 000), and Conflict `number_taken` if none was new.
    """
    low = _digits(first, "number", country)
    high = _digits(last, "last_number", country) if last else low
    if kind not in PromoType.values:
        raise Invalid(f"“{kind}” is not a kind; use {', '.join(PromoType.values)}.", field="kind", code="unknown_kind")
    if not 0 <= high - low < MAX_RANGE or len(str(low)) != len(str(high)):
        raise Invalid(
            f"From +{low} to +{high} is no range of 1 to {MAX_RANGE:,} numbers; the smaller one comes first.",
            field="last_number", code="wrong_range",
        )  # fmt: skip
    nanp = len(str(low)) == 11 and str(low).startswith("1")
    own_code = str(low)[1:4] if nanp else ""
    if nanp and str(high)[1:4] != own_code:
        raise Invalid("A range stays within one area code.", field="last_number", code="wrong_range")
    if nanp and area_code and area_code != own_code:
        raise Invalid(
            f"+{low} has the area code {own_code}, not {area_code}.", field="area_code", code="wrong_area_code"
        )
    place = _place(str(low)) if nanp else None
    values = {
        "network": network, "kind": kind, "country": place.country if place else country, "area_code": own_code or area_code,
        "locality": (locality or (place.city if place else ""))[:100],
        "region": STATES.get(region.title(), region.upper()) or (place.state if place else ""), "supplier": supplier,
    }  # fmt: skip
    if len(str(values["region"])) > 10 or len(str(values["area_code"])) > 6:
        raise Invalid("A region is a short code such as CA, an area code such as 805.", field="region", code="too_long")
    digits = [f"+{number}" for number in range(low, high + 1)]
    # What was given back to its supplier may come again.
    gone = StockNumber.objects.filter(number__in=digits, state=StockState.GONE)
    new = gone.update(state=StockState.FREE, **values)
    known = set(StockNumber.objects.filter(number__in=digits).values_list("number", flat=True))
    fresh = [StockNumber(number=number, **values) for number in digits if number not in known]
    StockNumber.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=2000)
    if not fresh and not new:
        which = f"{digits[0]} is" if len(digits) == 1 else f"All {len(digits):,} numbers are"
        raise Conflict(f"{which} in the stock already.", field="number", code="number_taken")
    return new + len(fresh)


def _place(digits: str) -> AreaPrefix | None:
    """Where a North American number belongs, as closely as is known."""
    rows = {row.prefix: row for row in AreaPrefix.objects.filter(prefix__in=[digits[:7], digits[:4]])}
    return rows.get(digits[:7]) or rows.get(digits[:4])
