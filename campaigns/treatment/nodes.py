"""The nodes of a call treatment, read from the JSON shape `ivr_tree` {record_calls, root} (domain/api-shapes.md).

Each type is a dataclass whose fields are its settings under their JSON names. Fields that Headroom does not know stand
in `extra`; the JSON itself is what is stored and given back, so nothing of it is lost. `path` names a node in words of
the JSON: `root.children[0].children[1]`. The rules between nodes are in `validate`.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from . import fields as read
from .expressions import Always, Expression
from .fields import Ring, Wrong, setting

MAX_DEPTH = 24
MAX_NODES = 500
_ALWAYS = Always()


@dataclass(frozen=True)
class Fault:
    """Something wrong with a tree: at a node's path, in one of its fields, and for a condition at a line and column."""

    path: str
    field: str
    code: str
    message: str
    line: int | None = None
    column: int | None = None

    @property
    def where(self) -> str:
        """Path and field in one, as errors of the API and of forms name it."""
        return f"{self.path}.{self.field}" if self.field else self.path


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node. `keypress_failover_type`: Wrong or None on the children that stand for a wrong key or no key."""

    # How many children stand in order (without failovers), what they are for, and whether failovers may follow.
    least: ClassVar[int] = 0
    most: ClassVar[int] = 0
    children_are: ClassVar[tuple[str, ...]] = ()
    has_failovers: ClassVar[bool] = False
    label: ClassVar[str] = ""

    path: str = "root"
    prompt: str = setting(read.prompt, default="")
    keypress_failover_type: str = setting(read.one_of(read.FAILOVERS, "kind of failover"), default="")
    children: tuple["Node", ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The `node_type`."""
        return type(self).__name__

    @property
    def in_order(self) -> tuple["Node", ...]:
        """The children without those for wrong or missing keys."""
        return tuple(child for child in self.children if not child.keypress_failover_type)

    def child(self, index: int) -> "Node | None":
        return self.in_order[index] if index < len(self.in_order) else None

    def failover(self, kind: str) -> "Node | None":
        """The child for a wrong (`Wrong`) or no (`None`) key."""
        return next((child for child in self.children if child.keypress_failover_type == kind), None)

    def walk(self) -> Iterator["Node"]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, kw_only=True)
class Condition(Node):
    """If the condition holds the first child, else the second."""

    least, most, children_are, label = 2, 2, ("If true", "Else"), "Condition"
    condition: Expression = setting(read.condition, required=True, default=_ALWAYS)  # noqa: RUF009


@dataclass(frozen=True, kw_only=True)
class Menu(Node):
    """Children for the keys 1 to 9."""

    least, most, has_failovers, label = 1, 9, True, "Menu"
    children_are = tuple(f"Key {key}" for key in range(1, 10))
    prompt: str = setting(read.prompt, required=True, default="")
    confirm_response_enabled: bool = setting(read.flag, default=False)


@dataclass(frozen=True, kw_only=True)
class Connect(Node):
    """Rings one number; if it is busy or nobody answers within `connect_timeout` seconds, its child Failover.

    `destination_campaign_id_from_network` is ours: the overflow campaign, in the else branch of SelectFromBundle only.
    """

    most, children_are, label = 1, ("Busy or no answer",), "Connect"
    destination_phone_number: str = setting(read.number, default="")
    destination_country_code: str = setting(read.text(4, "country code"), default="")
    destination_extension: str = setting(read.extension, default="")
    destination_campaign_id_from_network: str = setting(read.own_id, default="")
    connect_timeout: int = setting(read.seconds_to_ring, default=60)


@dataclass(frozen=True, kw_only=True)
class Failover(Node):
    """The number to ring when its parent's was busy or did not answer."""

    label = "Failover"
    destination_phone_number: str = setting(read.number, required=True, default="")
    destination_country_code: str = setting(read.text(4, "country code"), default="")
    destination_extension: str = setting(read.extension, default="")
    connect_timeout: int = setting(read.seconds_to_ring, default=60)


@dataclass(frozen=True, kw_only=True)
class EndCall(Node):
    """Says its prompt and ends the call; with `record_message` (ours) it takes a message first: a voicemail."""

    label = "End call"
    record_message: bool = setting(read.flag, default=False)


@dataclass(frozen=True, kw_only=True)
class VerifyLocation(Node):
    """Asks the caller to confirm where he is, or for his zip code; the answer is kept as `verified_location`."""

    least, most, children_are, label = 1, 1, ("Then",), "Verify location"


@dataclass(frozen=True, kw_only=True)
class RingGroup(Node):
    """Rings its numbers one after the other (or `max_simultaneous_calls` at once) until one answers."""

    most, children_are, label = 1, ("Nobody answers",), "Ring group"
    ring_group_destinations: tuple[Ring, ...] = setting(read.rings, required=True, default=())
    ring_group_connect_timeout: int = setting(read.seconds_to_ring, required=True, default=30)
    distribution_method: str = setting(read.one_of(read.METHODS, "distribution method"), default="InOrder")
    ring_group_destination_total_limit: int = setting(read.whole(1, read.MAX_RINGS, "limit"), default=read.MAX_RINGS)
    max_simultaneous_calls: int = setting(read.whole(1, 10, "number of calls at once"), default=1)


@dataclass(frozen=True, kw_only=True)
class AnyKeyPress(Node):
    """The first child after any key, the second after none."""

    least, most, children_are, label = 2, 2, ("Any key", "No key"), "Any key press"
    prompt: str = setting(read.prompt, required=True, default="")


@dataclass(frozen=True, kw_only=True)
class YesOrNo(Node):
    """1 = yes, the first child; 2 = no, the second."""

    least, most, children_are, has_failovers, label = 2, 2, ("Yes (1)", "No (2)"), True, "Yes or no"
    prompt: str = setting(read.prompt, required=True, default="")
    confirm_response_enabled: bool = setting(read.flag, default=False)


@dataclass(frozen=True, kw_only=True)
class NumberQuestion(Node):
    """Asks for several digits and checks them; the answer may be saved in a custom data field."""

    least, most, children_are, has_failovers, label = 1, 1, ("Then",), True, "Number question"
    prompt: str = setting(read.prompt, required=True, default="")
    number_question_type: str = setting(
        read.one_of(read.QUESTIONS, "type of question"), required=True, default="Digits"
    )
    confirm_response_enabled: bool = setting(read.flag, default=False)
    error_prompt_disabled: bool = setting(read.flag, default=False)
    custom_error_prompt_text: str = setting(read.prompt, default="")
    caller_response_custom_data_partner_name: str = setting(read.text(100, "name of the field"), default="")


@dataclass(frozen=True, kw_only=True)
class SmsPromo(Node):
    """Offers a text message to callers on mobile phones: 9 accepts."""

    least, most, children_are, label = 1, 1, ("Then",), "SMS promotion"
    prompt: str = setting(read.prompt, required=True, default="")
    sms_promo_copy: str = setting(read.text(480, "text message"), required=True, default="")
    sms_promo_delay: int = setting(read.one_of(read.SMS_DELAYS, "delay in seconds"), default=1)


@dataclass(frozen=True, kw_only=True)
class DynamicRoute(Node):
    """Rings the number that stands in a custom data field (several, with commas, as a ring group); else its child."""

    least, most, children_are, label = 1, 1, ("Not routable",), "Dynamic route"
    dynamic_route_destination: str = setting(read.text(100, "name of the field"), required=True, default="")
    behave_like_ring_group: bool = setting(read.flag, default=False)
    ring_group_connect_timeout: int = setting(read.seconds_to_ring, default=30)
    distribution_method: str = setting(read.one_of(("InOrder", "Random"), "distribution method"), default="InOrder")
    ring_group_destination_total_limit: int = setting(read.whole(1, read.MAX_RINGS, "limit"), default=read.MAX_RINGS)
    max_simultaneous_calls: int = setting(read.whole(1, 10, "number of calls at once"), default=1)


@dataclass(frozen=True, kw_only=True)
class SelectFromBundle(Node):
    """Select transfer destination from bundle: takes a slot on a destination; its child is the `else` branch."""

    most, children_are, label = 1, ("Else: no destination is left",), "Select transfer destination from bundle"
    repeat_caller: bool = setting(read.flag, default=False)


TYPES: dict[str, type[Node]] = {
    cls.__name__: cls
    for cls in (
        Condition, Menu, Connect, Failover, EndCall, VerifyLocation, RingGroup, AnyKeyPress, YesOrNo, NumberQuestion,
        SmsPromo, DynamicRoute, SelectFromBundle,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Tree:
    """A whole call treatment. caller_id: {setting: original | promo | specific, mask}, as the callee is to see it."""

    root: Node
    record_calls: bool = False
    caller_id: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def at(self, indexes: tuple[int, ...]) -> Node | None:
        """The node that is reached by these indexes into `children`; None if the tree has changed and has none there."""
        node = self.root
        for index in indexes:
            if index >= len(node.children):
                return None
            node = node.children[index]
        return node

    def walk(self) -> Iterator[Node]:
        yield from self.root.walk()


def indexes_of(path: str) -> tuple[int, ...]:
    """`root.children[0].children[1]` -> (0, 1)."""
    return tuple(int(part.rstrip("]")) for part in path.split(".children[")[1:])


def path_of(indexes: tuple[int, ...]) -> str:
    """(0, 1) -> `root.children[0].children[1]`."""
    return "root" + "".join(f".children[{index}]" for index in indexes)


class _Reader:
    """Reads a tree, collecting every fault instead of stopping at the first."""

    def __init__(self, country: str) -> None:
        self.country, self.faults, self.count = country, [], 0

    faults: list[Fault]

    def fault(self, path: str, name: str, wrong: Wrong) -> None:
        self.faults.append(Fault(path, name, wrong.code, wrong.message, wrong.line, wrong.column))

    def node(self, data: Any, path: str, depth: int) -> Node | None:
        self.count += 1
        if self.count == MAX_NODES + 1:
            self.fault(path, "", Wrong("too_many_nodes", f"A call treatment has {MAX_NODES} nodes at most."))
        if self.count > MAX_NODES:
            return None
        if depth > MAX_DEPTH:
            self.fault(
                path, "", Wrong("too_deep", f"Nodes stand {MAX_DEPTH} deep at most; a caller would be lost before.")
            )
            return None
        if not isinstance(data, dict):
            self.fault(path, "", Wrong("invalid_type", "A node is an object with a node_type."))
            return None
        children = self._children(data, path, depth)
        cls = TYPES.get(data["node_type"]) if isinstance(data.get("node_type"), str) else None
        if cls is None:
            given = (
                f"“{str(data.get('node_type'))[:40]}” is not a type of node"
                if "node_type" in data
                else "It has no type"
            )
            self.fault(path, "node_type", Wrong("unknown_node_type", f"{given}; use {', '.join(TYPES)}."))
            return None
        values, known = self._values(cls, data, path), {field.name for field in dataclasses.fields(cls)}
        extra = {name: value for name, value in data.items() if name not in known and name != "node_type"}
        return cls(path=path, children=children, extra=extra, **values)

    def _children(self, data: dict[str, Any], path: str, depth: int) -> tuple[Node, ...]:
        given = data.get("children")
        if given is None:
            return ()
        if not isinstance(given, list):
            self.fault(path, "children", Wrong("invalid_type", "Children are a list of nodes."))
            return ()
        read = [self.node(child, f"{path}.children[{index}]", depth + 1) for index, child in enumerate(given)]
        # A child that cannot be read stands for an end, so that the others keep their places and are checked too.
        return tuple(child or EndCall(path=f"{path}.children[{index}]") for index, child in enumerate(read))

    def _values(self, cls: type[Node], data: dict[str, Any], path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        code = data.get("destination_country_code")
        for spec in dataclasses.fields(cls):
            reader = spec.metadata.get("read")
            if reader is None:
                continue
            given = data.get(spec.name)
            if given is None or (given == "" and reader is not read.condition):
                if spec.metadata["required"] and (given == "" or spec.name not in data):
                    self.fault(path, spec.name, Wrong("required", f"{cls.label} needs {spec.name}."))
                continue
            if spec.name == "destination_phone_number" and code and not str(given).strip().startswith("+"):
                given = f"+{str(code).strip().lstrip('+')} {given}"
            if spec.name == "destination_country_code":
                given = str(given)
            try:
                values[spec.name] = reader(given, self.country)
            except Wrong as wrong:
                self.fault(path, spec.name, wrong)
        return values


def tree_read(data: Any, country: str = "US") -> tuple[Tree | None, list[Fault]]:
    """The tree in `data` ({record_calls, root, caller_id}), and everything that is wrong with its nodes one by one.

    country: ISO code that national phone numbers are read in. With faults the tree may be None or incomplete: use it
    only to check more.
    """
    if not isinstance(data, dict) or "root" not in data:
        return None, [Fault("root", "", "required", "A call treatment is an object with record_calls and root.")]
    reader = _Reader(country)
    record = data.get("record_calls", False)
    if not isinstance(record, bool):
        reader.faults.append(Fault("record_calls", "", "invalid_type", "record_calls is true or false."))
    caller_id = data.get("caller_id") or {}
    if not isinstance(caller_id, dict):
        reader.faults.append(Fault("caller_id", "", "invalid_type", "caller_id is an object with a setting."))
        caller_id = {}
    root = reader.node(data["root"], "root", 1)
    extra = {name: value for name, value in data.items() if name not in ("record_calls", "root", "caller_id")}
    return (Tree(root, record is True, caller_id, extra) if root else None), reader.faults
