"""An imagined call: given the keys, what becomes of each dial and how selections end, the path that it takes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .expressions import Context
from .flow import Action, Dial, Gather, Hangup, Input, InputKind, Record, Say, Select, SendSms, State
from .interpreter import Inside, step
from .nodes import Node, Tree

# What becomes of a dial when nothing else is said: somebody answers, and hangs up at the end.
DEFAULT_DIAL: InputKind = "answered"
MAX_STEPS = 120


@dataclass(frozen=True)
class Walked:
    """One step of a walk, for the page that shows the path: the node reached, what came in and what was done.

    path: in the tree of `state.inside`, if the call is in one.
    """

    path: str
    node: str
    given: Input
    actions: tuple[Action, ...]
    state: State


def imagine(
    tree: Tree,
    context: Context,
    *,
    keys: Iterable[str],
    dials: Iterable[InputKind],
    select: Callable[[Select], tuple[Input, Inside | None]],
    leg: int | None = None,
) -> list[Walked]:
    """The steps of a call that presses `keys` (“-” = none) and whose dials end as `dials` say, one after the other.

    select: what comes of a selection, and the own tree of the destination selected. leg: of a campaign that is no bundle.
    When the keys run out, none is pressed. The call ends by itself, or is hung up after MAX_STEPS.
    """
    pressed, outcomes = iter(keys), iter(dials)
    steps: list[Walked] = []
    state, given = State(), Input("start", leg=leg)
    inside: Inside | None = None
    for _count in range(MAX_STEPS):
        actions, state = step(tree, state, given, context, inside)
        walked = inside.tree if inside is not None and state.inside is not None else tree
        node = walked.at(state.at) or walked.root
        steps.append(Walked(node.path, node.label, given, tuple(actions), state))
        if state.phase == "ended":
            return steps
        if actions and isinstance(actions[-1], Select):
            given, inside = select(actions[-1])
        else:
            given = _next(actions, state, pressed, outcomes)
    actions, state = step(tree, state, Input("hangup"), context, inside)
    steps.append(Walked(steps[-1].path, steps[-1].node, Input("hangup"), tuple(actions), state))
    return steps


def _next(actions: list[Action], state: State, pressed: Iterable[str], outcomes: Iterable[InputKind]) -> Input:
    last = actions[-1] if actions else None
    match last:
        case Gather():
            key = next(iter(pressed), "-")
            return Input("timeout", turn=state.turn) if key == "-" else Input("digits", turn=state.turn, digits=key)
        case Dial():
            return Input(next(iter(outcomes), DEFAULT_DIAL), turn=state.turn)
        case Record():
            return Input("recorded", turn=state.turn)
    return Input(
        "completed" if state.phase == "talking" else "hangup", turn=state.turn if state.phase == "talking" else None
    )


def walk(tree: Tree, context: Context, script: Sequence[Input]) -> list[Walked]:
    """The path of an imagined call: `script` is what happens on the phone, from the first input after `start` on.

    Ends with the script or the call, whichever is first.
    """
    steps: list[Walked] = []
    state = State()
    for given in (Input("start"), *script):
        actions, state = step(tree, state, given, context)
        node = tree.at(state.at)
        steps.append(Walked(node.path if node else "root", node.label if node else "", given, tuple(actions), state))
        if state.phase == "ended":
            break
    return steps


def in_words(action: Action) -> str:
    """An action as a sentence."""
    match action:
        case Say():
            return f"Says “{action.text}”"
        case Gather():
            return f"Asks “{action.text}”" if action.text else "Waits for a key"
        case Dial():
            return f"Rings {', '.join(action.numbers)} for {action.timeout} seconds"
        case Select():
            return "Selects the next destination" if action.cause else "Selects a destination from the bundle"
        case SendSms():
            return f"Sends the text message “{action.text}”"
        case Record():
            return "Records a message"
        case Hangup():
            return f"Ends the call ({action.reason.replace('_', ' ')})"
    return ""


@dataclass(frozen=True)
class Box:
    """A node in the picture: column and row, counted from 0; `above` is the box of the node above it."""

    node: Node
    column: int
    row: float
    above: "Box | None"
    role: str


def picture(tree: Tree) -> list[Box]:
    """Where each node stands in a picture of the tree: a column per level, leaves one under the other."""
    boxes: list[Box] = []
    _place(tree.root, 0, 0, None, "", boxes)
    return boxes


def role_of(parent: Node, child: Node) -> str:
    """What a child is for: “Key 2”, “Else”, “Wrong key”."""
    if child.keypress_failover_type:
        return "Wrong key" if child.keypress_failover_type == "Wrong" else "No key"
    index = parent.in_order.index(child)
    return parent.children_are[index] if index < len(parent.children_are) else ""


def _place(node: Node, column: int, row: float, above: Box | None, role: str, boxes: list[Box]) -> float:
    """Place a node and all below it from `row` on; the first free row after them."""
    box = Box(node, column, row, above, role)
    boxes.append(box)
    following = row
    for child in node.children:
        following = _place(child, column + 1, following, box, role_of(node, child), boxes)
    return max(following, row + 1)
