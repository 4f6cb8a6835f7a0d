"""Conditions that are always true or always false, as far as that can be shown without a call."""

from itertools import product

from .expressions import AllOf, Always, AnyOf, Compared, Expression, InRegion, Lasted, Not, Pressed, Word, compare

# 2 to the power of so many valuations are tried at most.
MAX_LEAVES = 10


def constant(expression: Expression) -> bool | None:
    """True or False when the condition can only be that; None when it depends on the call, or nobody can tell."""
    leaves = list(dict.fromkeys(_plain(leaf) for leaf in expression.leaves()))
    if len(leaves) > MAX_LEAVES:
        return None
    seen: set[bool] = set()
    for values in product((False, True), repeat=len(leaves)):
        world = dict(zip(leaves, values, strict=True))
        if _possible(world):
            seen.add(_value(expression, world))
            if len(seen) == 2:
                return None
    return seen.pop() if seen else None


def _plain(leaf: Expression) -> Expression:
    """A leaf in the form that worlds are made of: `!=` is the opposite of `=`, and case does not matter."""
    if isinstance(leaf, Compared):
        operator = "=" if leaf.operator == "!=" else leaf.operator
        return Compared(leaf.name, leaf.key, operator, leaf.value.casefold())
    if isinstance(leaf, Lasted) and leaf.operator == "!=":
        return Lasted(leaf.name, "=", leaf.seconds)
    return leaf


def _value(expression: Expression, world: dict[Expression, bool]) -> bool:
    match expression:
        case Always():
            return True
        case Not(part):
            return not _value(part, world)
        case AllOf(parts):
            return all(_value(part, world) for part in parts)
        case AnyOf(parts):
            return any(_value(part, world) for part in parts)
    plain = _plain(expression)
    negative = isinstance(expression, Compared | Lasted) and expression.operator == "!="
    return world[plain] != negative


def _possible(world: dict[Expression, bool]) -> bool:
    """Whether a call can exist for which exactly these hold. May say yes for one that cannot: then nothing is shown."""
    if world.get(Always()) is False:
        return False
    held = [leaf for leaf, holds in world.items() if holds]
    if Word("mobile") in held and Word("landline") in held:
        return False
    if world.get(InRegion(None)) is False and any(isinstance(leaf, InRegion) for leaf in held):
        return False
    return _keys_possible(world) and _texts_possible(world) and _durations_possible(world)


def _keys_possible(world: dict[Expression, bool]) -> bool:
    wanted = [(leaf.keys, holds) for leaf, holds in world.items() if isinstance(leaf, Pressed)]
    longest = max((keys for keys, holds in wanted if holds), key=len, default=())
    return all((longest[: len(keys)] == keys) == holds for keys, holds in wanted)


def _texts_possible(world: dict[Expression, bool]) -> bool:
    rows = [(leaf, holds) for leaf, holds in world.items() if isinstance(leaf, Compared)]
    for leaf, holds in rows:
        if not (holds and leaf.operator == "="):
            continue
        # The text is known: every other statement about the same field must agree with it.
        for other, other_holds in rows:
            if (other.name, other.key) == (leaf.name, leaf.key) and _said(other, leaf.value) != other_holds:
                return False
    for leaf, holds in rows:
        nothing = (leaf.operator == "present" and not holds) or (leaf.operator == "=" and not leaf.value and holds)
        if nothing and any(
            other_holds and (other.name, other.key) == (leaf.name, leaf.key) and not _said(other, "")
            for other, other_holds in rows
        ):
            return False
    return True


def _said(leaf: Compared, text: str) -> bool:
    match leaf.operator:
        case "=":
            return text == leaf.value
        case "contains":
            return leaf.value in text if text else False
    return bool(text)


def _durations_possible(world: dict[Expression, bool]) -> bool:
    rows = [(leaf, holds) for leaf, holds in world.items() if isinstance(leaf, Lasted)]
    for name in {leaf.name for leaf, _holds in rows}:
        mine = [(leaf, holds) for leaf, holds in rows if leaf.name == name]
        edges = {0.0} | {
            leaf.seconds + step for leaf, _holds in mine for step in (-0.5, 0, 0.5, 1) if leaf.seconds + step >= 0
        }
        if not any(all(_lasted(leaf, value) == holds for leaf, holds in mine) for value in edges):
            return False
    return True


def _lasted(leaf: Lasted, value: float) -> bool:
    return compare(value, leaf.operator, leaf.seconds)
