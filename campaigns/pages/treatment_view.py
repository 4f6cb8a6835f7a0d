"""What the call treatment's page shows: its nodes as a nested list, the picture, and a test's path in words."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from campaigns.callers import pretty
from campaigns.models import Campaign
from campaigns.queries import simulate
from campaigns.queries.treatment import context_of, facts_inside, facts_of, own_tree_of
from campaigns.treatment.flow import Hangup, Input, Release, Select
from campaigns.treatment.imagine import Box, Walked, imagine, in_words, picture, role_of
from campaigns.treatment.interpreter import Inside
from campaigns.treatment.nodes import (
    Condition,
    Connect,
    DynamicRoute,
    EndCall,
    Failover,
    Fault,
    Node,
    NumberQuestion,
    RingGroup,
    SelectFromBundle,
    Tree,
    path_of,
)
from campaigns.treatment.validate import overflow_of, selections, treatment_read

WIDTH, HEIGHT, GAP_X, GAP_Y, EDGE = 190, 46, 46, 16, 12


def says(node: Node) -> str:
    """A node in a few words, beside its type."""
    match node:
        case Condition():
            return str(node.condition) or "always"
        case Connect() | Failover():
            named = node.destination_campaign_id_from_network if isinstance(node, Connect) else ""
            return f"overflow campaign {named}" if named else pretty(node.destination_phone_number or None).replace(
                "withheld", "no number yet"
            )  # fmt: skip
        case RingGroup():
            count = sum(1 for ring in node.ring_group_destinations if not ring.disabled)
            return f"{count} number{'' if count == 1 else 's'}, {node.distribution_method}"
        case DynamicRoute():
            return f"custom data {node.dynamic_route_destination}" if node.dynamic_route_destination else ""
        case NumberQuestion():
            return f"{node.number_question_type}: {node.prompt}" if node.prompt else node.number_question_type
        case SelectFromBundle():
            return "repeat callers go back, over the cap" if node.repeat_caller else ""
        case EndCall() if node.record_message:
            return f"takes a message: {node.prompt}" if node.prompt else "takes a message"
    return node.prompt


@dataclass
class Row:
    """A node in the nested list."""

    node: Node
    role: str
    text: str
    is_open: bool = False
    is_bad: bool = False
    is_walked: bool = False
    children: list["Row"] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        return anchor_of(self.node.path)


def anchor_of(path: str) -> str:
    """A path as an id of HTML."""
    return "node-" + path.replace(".children[", "-").replace("]", "")


def rows_of(tree: Tree, opened: str, faults: list[Fault], walked: set[str]) -> Row:
    """The tree as nested rows."""
    bad = {fault.path for fault in faults}

    def row(node: Node, role: str) -> Row:
        return Row(
            node, role, says(node), node.path == opened, node.path in bad, node.path in walked,
            [row(child, role_of(node, child)) for child in node.children],
        )  # fmt: skip

    return row(tree.root, "A call comes in")


@dataclass(frozen=True)
class Drawn:
    """A box of the picture, in pixels; `line` is the path from the node above."""

    x: float
    y: float
    label: str
    text: str
    role: str
    line: str
    walked: bool


@dataclass(frozen=True)
class Picture:
    boxes: list[Drawn]
    width: float
    height: float
    box_width: int = WIDTH
    box_height: int = HEIGHT


def picture_of(tree: Tree, walked: set[str]) -> Picture:
    """The tree as boxes and lines."""
    boxes = picture(tree)
    drawn = [_drawn(box, walked) for box in boxes]
    right = max(box.x for box in drawn) + WIDTH + EDGE
    bottom = max(box.y for box in drawn) + HEIGHT + EDGE
    return Picture(drawn, right, bottom)


def _corner(box: Box) -> tuple[float, float]:
    return EDGE + box.column * (WIDTH + GAP_X), EDGE + 12 + box.row * (HEIGHT + GAP_Y)


def _short(text: str, at_most: int) -> str:
    return text if len(text) <= at_most else text[: at_most - 1].rstrip() + "…"


def _drawn(box: Box, walked: set[str]) -> Drawn:
    x, y = _corner(box)
    line = ""
    if box.above:
        above_x, above_y = _corner(box.above)
        middle = x - GAP_X / 2
        line = f"M{above_x + WIDTH} {above_y + HEIGHT / 2}H{middle}V{y + HEIGHT / 2}H{x}"
    label = "Select from bundle" if isinstance(box.node, SelectFromBundle) else box.node.label
    return Drawn(x, y, label, _short(says(box.node), 28), _short(box.role, 24), line, box.node.path in walked)


@dataclass(frozen=True)
class Step:
    """One step of a test in words. inside: the destination whose own tree the node is of; empty for the tree tested."""

    path: str
    node: str
    happened: str
    done: list[str]
    inside: str = ""


_HAPPENED = {
    "start": "The call comes in", "timeout": "No key is pressed", "answered": "Somebody answers", "busy": "Busy",
    "no_answer": "Nobody answers", "failed": "The dial fails", "completed": "They hang up", "recorded": "A message is left",
    "hangup": "The caller hangs up",
}  # fmt: skip


def walked_in_words(steps: list[Walked], names: dict[int, str], hidden: Collection[int] = ()) -> list[Step]:
    """The path of a test. names: of the campaigns that were selected; hidden: those of them whose own tree the user may not
    see: of the steps in it only what the caller does is told."""
    words = []
    for step in steps:
        given = step.given
        happened = _HAPPENED.get(given.kind, "")
        if given.kind == "digits":
            happened = f"Presses {given.digits}"
        elif given.kind == "selected":
            who = names.get(given.destination or 0, "a destination")
            happened = f"Overflow: “{who}”" if given.overflow else f"“{who}” is selected"
        elif given.kind == "refused":
            happened = f"Nobody is left ({given.reason.replace('_', ' ')})"
        done = [in_words(action) for action in step.actions if not isinstance(action, Release)]
        inside = names.get(step.state.inside, "a destination") if step.state.inside is not None else ""
        if step.state.inside in hidden:
            words.append(Step("", "its own call treatment", happened, [], inside))
        else:
            words.append(Step(step.path, step.node, happened, [text for text in done if text], inside))
    return words


def tested(campaign: Campaign, tree: Tree, given: dict[str, Any]) -> tuple[list[Walked], dict[int, str]]:
    """The path of an imagined call through `tree`, and through the own trees of the destinations that it is handed to. These
    are chosen as routing itself would choose them now; nothing is taken."""
    caller, at = given["caller"], given["at"]
    facts = facts_of(
        campaign=campaign, tree=tree, caller=caller, promo_number="",
        given={"line": "mobile"} if given["mobile"] else {}, at=at,
    )  # fmt: skip
    context = context_of(facts, now=at, started_at=at, seed=campaign.pk)
    decision = simulate(bundle=campaign, caller=caller, at=at) if campaign.is_bundle else None
    has_overflow = any(overflow_of(node) for node in selections(tree))
    ids = [entry.campaign_id for entry in decision.entries] if decision else []
    if decision and decision.chosen:
        ids = [decision.chosen, *ids]
    free = {entry.campaign_id for entry in decision.entries if entry.verdict != "passed"} if decision else set()
    queue = [pk for pk in dict.fromkeys(ids) if pk in free]
    known = Campaign.objects.in_bulk({*ids, campaign.overflow_id or 0})
    legs = iter(range(1, 100))

    def handed(to: Campaign) -> Inside | None:
        own = own_tree_of(to)
        inner, faults = treatment_read(own, campaign.network.country) if own is not None else (None, [])
        if inner is None or faults:
            return None
        its = facts_inside(destination=to, called=campaign, tree=inner, facts=facts, at=at)
        return Inside(inner, context_of(its, now=at, started_at=at, seed=campaign.pk))

    def select(wanted: Select) -> tuple[Input, Inside | None]:
        if queue:
            chosen = known[queue.pop(0)]
            number = chosen.destination_phone_number or "no number"
            selected = Input("selected", turn=wanted.turn, leg=next(legs), number=number, destination=chosen.pk)
            return selected, handed(chosen)
        over = campaign.overflow if has_overflow else None
        if over is not None and decision and (decision.overflow is None or decision.overflow.verdict == "chosen"):
            number = over.destination_phone_number or "no number"
            selected = Input(
                "selected", turn=wanted.turn, leg=next(legs), number=number, destination=over.pk, overflow=True
            )
            return selected, handed(over)
        reason = wanted.cause or (decision.refusal if decision else "") or "no_destination"
        return Input("refused", turn=wanted.turn, reason=reason), None

    steps = imagine(tree, context, keys=given["keys"], dials=given["dials"], select=select)
    return steps, {pk: str(row) for pk, row in known.items()}


def passed(steps: Iterable[Walked]) -> set[str]:
    """The nodes of the tree tested that a call passed: where it rested (or was handed over), and all above that."""
    found: set[str] = set()
    for step in steps:
        path = path_of(step.state.home) if step.state.inside is not None else step.path
        while path not in found:
            found.add(path)
            path = path.rpartition(".children[")[0] or "root"
    return found


def ends_of(steps: list[Walked]) -> str:
    """How a test ended, in words."""
    ends = [action.reason for step in steps for action in step.actions if isinstance(action, Hangup)]
    return ends[-1].replace("_", " ") if ends else ""
