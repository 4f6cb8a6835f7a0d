"""The kinds of notices that users may switch off by mail: apps declare theirs when they start."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """Notices whose kind is `prefix` or begins with “prefix.”; "" = all that no other declares."""

    prefix: str
    label: str
    about: str = ""


_kinds: dict[str, Kind] = {}
OTHERS = Kind("", "Everything else", "What none of the above covers.")


def register(prefix: str, label: str, about: str = "") -> None:
    """Declare a kind; called from an app's `ready()`. prefix: the noun of noun.verb, or all of it."""
    _kinds[prefix] = Kind(prefix, label, about)


def declared() -> list[Kind]:
    """All kinds in the order of their labels, the rest last."""
    return [*sorted(_kinds.values(), key=lambda kind: kind.label), OTHERS]


def covers(prefix: str, kind: str) -> bool:
    """Whether a preference for `prefix` speaks of notices of `kind`."""
    return prefix in ("", kind) or kind.startswith(f"{prefix}.")
