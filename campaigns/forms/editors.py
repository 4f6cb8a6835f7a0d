"""Editors of what is no single field: opening hours, regions and policies, a row each."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import QueryDict

from campaigns.choices import RegionType
from campaigns.hours import DAY, DAYS
from campaigns.pricing import BASE, BONUS, Policy


def _clock(seconds: int) -> str:
    hours, rest = divmod(seconds % DAY, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours:02d}:{minutes:02d}" + (f":{left:02d}" if left else "")


def _seconds(text: str) -> int:
    """Seconds past midnight of hh:mm or hh:mm:ss; ValueError for anything else."""
    parts = [int(part) for part in text.split(":")]
    if len(parts) not in (2, 3) or not (0 <= parts[0] < 24 and all(0 <= part < 60 for part in parts[1:])):
        raise ValueError(text)
    return sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))


class HoursEditor:
    """Opening hours, a row per day: opens, closes, and whether it closes on the next day."""

    def __init__(self, hours: Mapping[str, int], data: QueryDict | None) -> None:
        self.errors: dict[str, str] = {}
        self._value: dict[str, int] = {}
        self.rows = [self._row(day, hours, data) for day in DAYS]

    def _row(self, day: str, hours: Mapping[str, int], data: QueryDict | None) -> dict[str, Any]:
        row: dict[str, Any] = {"day": day, "label": day.title()}
        if data is not None:
            row["opens"], row["closes"] = data.get(f"{day}_open", "").strip(), data.get(f"{day}_closed", "").strip()
            row["overnight"] = f"{day}_overnight" in data
            self._read(day, row)
        elif f"{day}_open" in hours:
            opens, closes = hours[f"{day}_open"], hours[f"{day}_closed"]
            row |= {"opens": _clock(opens), "closes": _clock(closes), "overnight": closes >= DAY}
        return row

    def _read(self, day: str, row: dict[str, Any]) -> None:
        for edge, text in (("open", row["opens"]), ("closed", row["closes"])):
            if not text:
                continue
            try:
                self._value[f"{day}_{edge}"] = _seconds(text)
            except ValueError:
                self.errors[day] = f"{row['label']}: “{text}” is not a time; write it as 08:30."
                return
        opens, closes = self._value.get(f"{day}_open"), self._value.get(f"{day}_closed")
        if opens is None or closes is None:
            return
        if row["overnight"]:
            self._value[f"{day}_closed"] = closes + DAY
        elif closes <= opens:
            self.errors[day] = (
                f"{row['label']} closes at {_clock(closes)}, not after it opens at {_clock(opens)}; "
                "tick “next day” if it is open overnight."
            )

    def value(self) -> dict[str, int]:
        return self._value

    def take(self, field: str | None, message: str) -> bool:
        """Show an action's problem on its day's row; False if it is not about hours."""
        if not field or not field.startswith("hours"):
            return False
        day = field.partition(".")[2].partition("_")[0]
        self.errors[day if day in DAYS else DAYS[0]] = message
        return True

    def __iter__(self) -> Iterable[dict[str, Any]]:
        return iter([{**row, "error": self.errors.get(row["day"])} for row in self.rows])


class RegionsEditor:
    """Named regions as flat rows (name, type, value); rows of one name make one named region."""

    TYPES = RegionType.choices

    def __init__(self, named_regions: Iterable[Mapping[str, Any]], data: QueryDict | None) -> None:
        self.errors: dict[int, str] = {}
        if data is not None:
            columns = (data.getlist(f"region_{name}") for name in ("name", "type", "value"))
            rows = [(name.strip(), kind, value.strip()) for name, kind, value in zip(*columns, strict=False)]
            self.rows = [row for row in rows if row[2] or row[0]]
        else:
            self.rows = [
                (named["name"], region["region_type"], region["value"])
                for named in named_regions
                for region in named["regions"]
            ]

    def _grouped(self) -> dict[str, list[int]]:
        """{name of region: indexes of its rows}. A row without a name is called after its value."""
        groups: dict[str, list[int]] = {}
        for index, (name, _kind, value) in enumerate(self.rows):
            groups.setdefault(name or value, []).append(index)
        return groups

    def value(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "regions": [{"region_type": self.rows[i][1], "value": self.rows[i][2]} for i in indexes],
            }
            for name, indexes in self._grouped().items()
        ]

    def take(self, field: str | None, message: str) -> bool:
        """Show an action's problem (`named_regions.1.regions.0.value`) on its row; False if it is not about regions."""
        if not field or not field.startswith("named_regions"):
            return False
        path = field.split(".")
        groups = list(self._grouped().values())
        try:
            index = groups[int(path[1])][int(path[3]) if len(path) > 3 else 0]
        except (IndexError, ValueError):
            index = 0
        self.errors[index] = message
        return True

    def __iter__(self) -> Iterable[dict[str, Any]]:
        rows = [*self.rows, ("", RegionType.CITY, "")]
        return iter(
            [
                {"name": name, "type": kind, "value": value, "error": self.errors.get(index), "index": index}
                for index, (name, kind, value) in enumerate(rows)
            ]
        )


class PoliciesEditor:
    """Payin or payout policies, a row each: type, amount, condition. A row without an amount and a condition is none."""

    TYPES = ((BASE, "Base"), (BONUS, "Bonus"))

    def __init__(self, side: str, policies: Iterable[Policy], data: QueryDict | None) -> None:
        self.side = side
        self.errors: dict[int, dict[str, str]] = {}
        self.whole = ""
        if data is not None:
            columns = (data.getlist(f"{side}_{name}") for name in ("type", "amount", "condition"))
            rows = [(kind, amount.strip(), text.strip()) for kind, amount, text in zip(*columns, strict=False)]
            self.rows = [row for row in rows if row[1] or row[2]]
        else:
            self.rows = [
                (policy.type, f"{policy.amount.normalize():f}" if policy.amount else "0", policy.condition)
                for policy in policies
            ]

    def value(self) -> list[dict[str, str]]:
        """What to hand to the action as `payin_policies` or `payout_policies`."""
        return [{"type": kind, "amount": amount, "condition": text} for kind, amount, text in self.rows]

    def take(self, field: str | None, message: str) -> bool:
        """Show an action's problem (`payin_policies.2.condition`) on its row; False if it is not about these policies."""
        name = f"{self.side}_policies"
        if field != name and not (field or "").startswith(f"{name}."):
            return False
        path = (field or "").split(".")
        if len(path) < 2 or not path[1].isdigit() or int(path[1]) >= len(self.rows):
            self.whole = message
        else:
            self.errors.setdefault(int(path[1]), {})[path[2] if len(path) > 2 else "amount"] = message
        return True

    def __iter__(self) -> Iterable[dict[str, Any]]:
        # Always a row to fill in, also where no script adds one.
        rows = [*self.rows, (BONUS if self.rows else BASE, "", "")]
        return iter(
            [
                {
                    "type": kind,
                    "amount": amount,
                    "condition": text,
                    "errors": self.errors.get(index, {}),
                    "index": index,
                }
                for index, (kind, amount, text) in enumerate(rows)
            ]
        )
