"""One visitor, one number: what a web page asks for. The rule itself is SQL (`numbers_allocate`, sql/0002_pools)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from portal.errors import Invalid, NotFound
from portal.prepared import one

MAX_PARAMS = 50
MAX_NAME = 100
MAX_VALUE = 1000
MAX_BIGINT = 2**63 - 1
# Who he is and what opens the pool; everything else says something of the visit.
VISITOR = "visitor"

_ALLOCATE = "SELECT outcome, number_id, digits, held_until FROM numbers_allocate(%s, %s, %s, %s::jsonb)"


@dataclass(frozen=True)
class Allocated:
    """What a visitor is shown. outcome: kept, taken (his own number, until `until`), overflow (tracked, not attributed),
    destination (not tracked). `number` is E.164; empty when there is nothing to show but what stands on the page."""

    outcome: str
    number_id: int | None
    number: str
    until: datetime | None

    @property
    def is_own(self) -> bool:
        return self.outcome in ("kept", "taken")


def params_check(params: Mapping[str, str]) -> None:
    """Raise Invalid for more, or longer ones, than a page has any use for."""
    if len(params) > MAX_PARAMS:
        raise Invalid(
            f"{len(params)} parameters; send at most {MAX_PARAMS}.", code="too_many_parameters", field="params"
        )
    problems: list[tuple[str | None, str, str]] = []
    for name, value in params.items():
        if not 1 <= len(name) <= MAX_NAME:
            problems.append((name[:MAX_NAME], "too_long", f"The name of a parameter has 1 to {MAX_NAME} characters."))
        elif len(value) > MAX_VALUE:
            text = f"“{name}” has {len(value):,} characters; send at most {MAX_VALUE:,}."
            problems.append((name, "too_long", text))
    if problems:
        raise Invalid.of(problems)


def visitor_digest(params: Mapping[str, str]) -> str:
    """Who asks: the parameter `visitor` if there is one, or else all parameters together. 64 hexadecimal digits."""
    given = params.get(VISITOR)
    text = f"{VISITOR}\n{given}" if given else json.dumps(sorted(params.items()), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def number_allocate(*, pool_id: int, key: str, params: Mapping[str, str]) -> Allocated:
    """Give a visitor his number of a pool for another lifetime. The pool's key is all that it takes.

    params: {name: value} of the visit, without the key; `visitor` among them says who he is. The same visitor gets the
    same number for the pool's lifetime after his last request, however many requests come at once; no other visitor
    gets it meanwhile. Raises Invalid, and NotFound for an unknown pool, a wrong key and an archived pool alike.
    """
    params_check(params)
    if not 0 < pool_id <= MAX_BIGINT:
        raise _unknown()
    about = {name: value for name, value in params.items() if name != VISITOR}
    row = one(_ALLOCATE, (pool_id, key, visitor_digest(params), json.dumps(about, ensure_ascii=False)))
    assert row is not None  # the function always returns exactly one
    outcome, number_id, digits, until = row
    if outcome == "unknown":
        raise _unknown()
    return Allocated(outcome, number_id, digits or "", until)


def _unknown() -> NotFound:
    return NotFound("There is no RingPool with this id and key.", field="ring_pool_key", code="unknown_ring_pool")
