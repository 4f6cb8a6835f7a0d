"""The rules of a whole call treatment: everything that is wrong with it at once, each at its node's path and field."""

from collections.abc import Iterator
from typing import Any

from .nodes import Connect, Failover, Fault, Node, RingGroup, SelectFromBundle, Tree, tree_read

# “partial” is read, as trees that were stored with it must be, but not set any more (campaigns.actions.terms).
CALLER_IDS = ("original", "promo", "specific", "partial")
_TO_USE = ("original", "promo", "specific")


def treatment_read(data: Any, country: str = "US") -> tuple[Tree | None, list[Fault]]:
    """The call treatment in `data` ({record_calls, root}), with all its faults; without faults it may be used.

    country: the ISO code that national phone numbers are read in. Fields that Headroom does not know are no fault.
    """
    tree, faults = tree_read(data, country)
    if tree is None:
        return None, faults
    faults += _caller_id(tree)
    # A node that could not be read has had its say; what it would have held is not asked of the end that stands for it.
    unread = {fault.path for fault in faults if fault.code in ("unknown_node_type", "invalid_type", "too_deep")}
    for node in tree.walk():
        if node.path not in unread:
            faults += _children(node)
            faults += _settings(node)
            faults += _family(node, unread)
    faults += _selections(tree)
    # A field that could not be read is not missing as well.
    unreadable = {fault.where for fault in faults if fault.code != "required"}
    faults = [fault for fault in faults if fault.code != "required" or fault.where not in unreadable]
    return tree, sorted(faults, key=_in_order_of_the_tree)


def _in_order_of_the_tree(fault: Fault) -> tuple[list[int], bool, str, str]:
    """What concerns the whole first, then node by node."""
    indexes = [int(part.partition("]")[0]) for part in fault.path.split("[")[1:]]
    return indexes, fault.path.startswith("root"), fault.path, fault.field


def _caller_id(tree: Tree) -> Iterator[Fault]:
    setting = tree.caller_id.get("setting", "original")
    if setting not in CALLER_IDS:
        text = f"“{str(setting)[:40]}” is not a caller ID setting; use {', '.join(_TO_USE)}."
        yield Fault("caller_id", "setting", "unknown_choice", text)
    elif setting in ("specific", "partial") and not tree.caller_id.get("mask"):
        yield Fault("caller_id", "mask", "required", f"The caller ID setting “{setting}” needs a mask.")


def _children(node: Node) -> Iterator[Fault]:
    """How many children, and where those for wrong and missing keys stand."""
    count = len(node.in_order)
    if not node.least <= count <= node.most:
        names = f" ({', '.join(node.children_are)})" if node.least == node.most else ""
        wants = f"{node.least}" if node.least == node.most else f"{node.least} to {node.most}"
        message = (
            f"{node.label} has {wants if node.most else 'no'} children{names if node.most else ''}; here are {count}."
        )
        yield Fault(node.path, "children", "wrong_children", message)
    seen: set[str] = set()
    for index, child in enumerate(node.children):
        kind = child.keypress_failover_type
        if not kind:
            if seen:
                text = "Children for keys come first, those for a wrong key or no key last."
                yield Fault(child.path, "keypress_failover_type", "wrong_order", text)
            continue
        if not node.has_failovers:
            text = f"{node.label} has no child for a wrong key or no key; only Menu, YesOrNo and NumberQuestion have."
            yield Fault(child.path, "keypress_failover_type", "not_here", text)
        elif kind in seen:
            text = f"There is a child for “{kind}” already; child {index + 1} would never be reached."
            yield Fault(child.path, "keypress_failover_type", "twice", text)
        seen.add(kind)


def _settings(node: Node) -> Iterator[Fault]:
    """What must hold between the settings of one node."""
    if isinstance(node, RingGroup) and node.ring_group_destinations:
        open_ones = [ring for ring in node.ring_group_destinations if not ring.disabled]
        if not open_ones:
            text = "Every destination of the ring group is disabled: enable at least one."
            yield Fault(node.path, "ring_group_destinations", "none_enabled", text)
        elif node.distribution_method == "Weighted" and not any(ring.weight for ring in open_ones):
            text = "All weights of the ring group are 0, so none is ever drawn. Give at least one a weight above 0."
            yield Fault(node.path, "ring_group_destinations", "weights_all_zero", text)


def _family(node: Node, unread: set[str]) -> Iterator[Fault]:
    """Which types stand below which."""
    below_dial = isinstance(node, Connect | RingGroup)
    for child in node.children:
        if child.path in unread:
            continue
        if isinstance(child, Failover) and not below_dial:
            text = "A Failover stands below Connect or RingGroup only: it is the number for busy or no answer there."
            yield Fault(child.path, "node_type", "not_here", text)
        elif below_dial and not isinstance(child, Failover):
            text = f"Below {node.label} only a Failover can stand; {child.kind} would be reached after the call."
            yield Fault(child.path, "node_type", "not_here", text)
        elif isinstance(child, Connect) and not isinstance(node, SelectFromBundle):
            yield from _number(child)
    if node.path == "root":
        if isinstance(node, Failover):
            yield Fault("root", "node_type", "not_here", "A Failover cannot be the first node; use Connect.")
        elif isinstance(node, Connect):
            yield from _number(node)
    if isinstance(node, SelectFromBundle):
        for child in node.children:
            if isinstance(child, Connect) and bool(child.destination_phone_number) == bool(
                child.destination_campaign_id_from_network
            ):
                text = "Give either destination_phone_number or destination_campaign_id_from_network."
                yield Fault(child.path, "destination_phone_number", "required", text)


def _number(node: Connect) -> Iterator[Fault]:
    """A Connect outside the else branch rings a number."""
    if node.destination_campaign_id_from_network:
        text = (
            "A campaign can be named only in the else branch of SelectFromBundle; give destination_phone_number here."
        )
        yield Fault(node.path, "destination_campaign_id_from_network", "not_here", text)
    elif not node.destination_phone_number:
        yield Fault(node.path, "destination_phone_number", "required", "Connect needs destination_phone_number.")


def overflow_of(node: SelectFromBundle) -> str:
    """The own id of the overflow campaign that the node's else branch connects to; empty for any other else branch."""
    child = node.child(0)
    return child.destination_campaign_id_from_network if isinstance(child, Connect) else ""


def selections(tree: Tree) -> list[SelectFromBundle]:
    """Every node that selects from the bundle, in the order of the tree."""
    return [node for node in tree.walk() if isinstance(node, SelectFromBundle)]


def _selections(tree: Tree) -> Iterator[Fault]:
    """A bundle has one overflow campaign and one repeat caller switch: its nodes must agree on them."""
    nodes = selections(tree)
    for node in nodes:
        for below in node.walk():
            if below is not node and isinstance(below, SelectFromBundle):
                text = "This stands in the else branch of another selection, where no destination is left to select."
                yield Fault(below.path, "node_type", "selects_twice", text)
    for node in nodes[1:]:
        if node.repeat_caller != nodes[0].repeat_caller:
            text = f"The repeat caller switch is the bundle's: it must be the same here as at {nodes[0].path}."
            yield Fault(node.path, "repeat_caller", "differs", text)
        if overflow_of(node) != overflow_of(nodes[0]):
            text = f"A bundle has one overflow campaign: the else branch here must name the same as at {nodes[0].path}."
            yield Fault(node.path, "children", "differs", text)
