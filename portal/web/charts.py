"""Charts: plain data for static/portal/portal.js, and the same as a table for whoever cannot see them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Series:
    """One row of values. role picks the colour: main, second, bad, muted, limit (a dashed line), or band (two of
    them, “Low” and “High”: what lies between is filled)."""

    name: str
    values: Sequence[float | None]
    role: str = "main"


@dataclass(frozen=True)
class Chart:
    """A chart over `labels`; kind is bar or line, `stacked` puts bars on top of each other. title says what it shows."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    kind: str = "bar"
    stacked: bool = False
    unit: str = "calls"
    label_heading: str = "Hour"
    rows: list[tuple[str, list[Any]]] = field(init=False)

    def __post_init__(self) -> None:
        columns = [series.values for series in self.series]
        rows = [(label, [column[index] for column in columns]) for index, label in enumerate(self.labels)]
        object.__setattr__(self, "rows", rows)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see but limits."""
        return not any(value for series in self.series if series.role != "limit" for value in series.values)

    def data(self) -> dict[str, Any]:
        """What portal.js draws."""
        return {
            "kind": self.kind,
            "stacked": self.stacked,
            "labels": list(self.labels),
            "series": [{"name": s.name, "values": list(s.values), "role": s.role} for s in self.series],
        }
