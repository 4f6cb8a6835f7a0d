"""What every supplier of numbers can do, and the ways in which it can fail."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from uuid import UUID

from promo_numbers.choices import PromoType


@dataclass(frozen=True)
class Wanted:
    """Which number is asked for; what is empty does not matter.

    area_codes: NPAs such as 805. prefixes: national digits that it begins with (one of them), such as 805555. looks_like: a
    piece of the national number, `*` for any digit. postal_code: for suppliers that search by it.
    """

    kind: str = PromoType.LOCAL
    country: str = "US"
    area_codes: tuple[str, ...] = ()
    locality: str = ""
    region: str = ""
    looks_like: str = ""
    prefixes: tuple[str, ...] = ()
    postal_code: str = ""

    def __str__(self) -> str:
        parts = [
            f"area code {' or '.join(self.area_codes)}" if self.area_codes else "",
            f"beginning with {' or '.join(self.prefixes)}" if self.prefixes else "",
            self.locality, self.postal_code, self.region, f"like {self.looks_like}" if self.looks_like else "",
        ]  # fmt: skip
        where = ", ".join(part for part in parts if part)
        return f"{PromoType(self.kind).label.lower()} number" + (f" ({where})" if where else "")

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "area_codes": list(self.area_codes), "prefixes": list(self.prefixes)}

    @classmethod
    def of_json(cls, data: dict[str, Any]) -> "Wanted":
        lists = {name: tuple(data.get(name, ())) for name in ("area_codes", "prefixes")}
        return cls(**{**data, **lists})

    @property
    def pattern(self) -> str:
        """A regular expression of the E.164 numbers that look as wanted; empty = any."""
        return "^\\+1?\\d*" + self.looks_like.replace("*", "\\d") + "\\d*$" if self.looks_like else ""


@dataclass(frozen=True)
class Offer:
    """A number that could be bought now."""

    number: str
    locality: str = ""
    region: str = ""
    kind: str = PromoType.LOCAL


@dataclass(frozen=True)
class Held:
    """A number that is ours at the supplier: E.164, the supplier's own id of it, the order that it was bought by, and where
    its calls are sent. ours: it carries our mark; others on the same account are left alone."""

    number: str
    reference: str
    order_id: UUID | None = None
    webhook: str = ""
    ours: bool = True


class NothingLeft(Exception):
    """The supplier has no such number; nothing was bought."""


class SupplierRefused(Exception):
    """The supplier said no (account, number, request); nothing was bought."""


class SupplierDown(Exception):
    """The supplier could not be reached at all; nothing was bought."""


class SupplierSilent(Exception):
    """The order was sent and no answer came: bought or not, nobody knows until it is looked up."""


class Supplier(Protocol):
    """A remote supplier. Every method is one or a few requests with a time limit; none is tried again by itself."""

    name: str

    def search(self, wanted: Wanted, limit: int = 20) -> list[Offer]:
        """What could be bought now. Raises SupplierDown, SupplierRefused."""

    def buy(self, order_id: UUID, wanted: Wanted, webhook: str = "") -> Held:
        """Buy one number, marked with the order's id, its calls sent to `webhook`.

        Raises NothingLeft, SupplierRefused, SupplierDown (nothing was bought), or SupplierSilent.
        """

    def look_up(self, order_id: UUID) -> Held | None:
        """What the order bought, if anything. Raises SupplierDown, SupplierRefused."""

    def release(self, reference: str) -> None:
        """Give a number back; one that is gone already is no error. Raises SupplierDown, SupplierRefused."""

    def held(self) -> Iterator[Held]:
        """Every number of the account, all or none of them. Raises SupplierDown, SupplierRefused."""

    def set_webhook(self, reference: str, webhook: str) -> None:
        """Send a number's calls to `webhook` from now on. Raises SupplierDown, SupplierRefused."""
