"""Changing a tree as JSON, one step at a time: add, insert, remove, move, change. Pure: each gives a new tree.

New nodes come with the children that their type must have, so that the shape of a tree stays valid; what they still lack
(a number, a prompt) is the validator's to say.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from .bundles import Json
from .nodes import TYPES, indexes_of

# What can be chosen as a new node; a Failover stands only where one is added for busy or no answer.
CHOICES = tuple(kind for kind in TYPES if kind != "Failover")
_DIALS = ("Connect", "RingGroup")


class CannotEdit(ValueError):
    """The change makes no sense at this place; the message says why."""


def blank(kind: str) -> Json:
    """A new node with the children that it must have, each an end of the call."""
    cls = TYPES[kind]
    node: Json = {"node_type": kind}
    if kind == "RingGroup":
        node |= {"ring_group_destinations": [], "ring_group_connect_timeout": 30}
    if kind == "NumberQuestion":
        node["number_question_type"] = "Digits"
    if kind == "Condition":
        node["condition"] = "during_hours"
    if cls.least:
        node["children"] = [{"node_type": "EndCall"} for _child in range(cls.least)]
    return node


def node_at(tree: Json, path: str) -> Json:
    """The node at a path of this very tree. Raises CannotEdit where there is none."""
    if not path.startswith("root"):
        raise CannotEdit("Choose a node first.")
    try:
        node = tree["root"]
        for index in indexes_of(path):
            node = node["children"][index]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CannotEdit("This node is not in the tree any more.") from error
    if not isinstance(node, dict):
        raise CannotEdit("This node is not in the tree any more.")
    return node


def _parent(tree: Json, path: str) -> tuple[Json, int]:
    """The node above, and the place among its children. Raises CannotEdit for the root."""
    if path == "root":
        raise CannotEdit("This is the first node; nothing stands above it.")
    above, _, last = path.rpartition(".children[")
    return node_at(tree, above), int(last.rstrip("]"))


def _put(tree: Json, path: str, node: Json) -> None:
    """Set the node at a path; it takes over for which missing or wrong key the old one stood."""
    if path == "root":
        node.pop("keypress_failover_type", None)
        tree["root"] = node
        return
    parent, index = _parent(tree, path)
    role = parent["children"][index].get("keypress_failover_type")
    node.pop("keypress_failover_type", None)
    parent["children"][index] = {**node, "keypress_failover_type": role} if role else node


def node_add(tree: Json, path: str, kind: str, failover: str = "") -> tuple[Json, str]:
    """A new last child of the node at `path`; failover: the child for a Wrong key or None. (tree, path of the new node)."""
    tree = deepcopy(tree)
    node = node_at(tree, path)
    cls = TYPES[node["node_type"]]
    children = node.setdefault("children", [])
    plain = sum(1 for child in children if not child.get("keypress_failover_type"))
    if failover:
        if not cls.has_failovers or any(child.get("keypress_failover_type") == failover for child in children):
            raise CannotEdit(f"{cls.label} can have no (other) child for “{failover}”.")
        children.append({**blank(kind), "keypress_failover_type": failover})
        return tree, f"{path}.children[{len(children) - 1}]"
    if plain >= cls.most:
        raise CannotEdit(f"{cls.label} can have no more children.")
    children.insert(plain, {"node_type": "Failover"} if node["node_type"] in _DIALS else blank(kind))
    return tree, f"{path}.children[{plain}]"


def node_insert(tree: Json, path: str, kind: str) -> tuple[Json, str]:
    """A new node at `path`; what stood there follows it as its first child. (tree, path of the new node)."""
    tree = deepcopy(tree)
    old, new = node_at(tree, path), blank(kind)
    if old["node_type"] == "Failover" or not TYPES[kind].most or kind in _DIALS:
        raise CannotEdit(f"Nothing can follow {TYPES[kind].label} here; change the type of the node instead.")
    role = old.get("keypress_failover_type")
    new["children"] = [
        {name: value for name, value in old.items() if name != "keypress_failover_type"},
        *new.get("children", [])[1:],
    ]
    _put(tree, path, {**new, **({"keypress_failover_type": role} if role else {})})
    return tree, path


def node_change_type(tree: Json, path: str, kind: str) -> Json:
    """Another type at `path`; the prompt and as many children as fit stay."""
    tree = deepcopy(tree)
    old, new = node_at(tree, path), blank(kind)
    if old["node_type"] == "Failover":
        raise CannotEdit("A Failover stays what it is; remove it instead.")
    cls = TYPES[kind]
    if old.get("prompt"):
        new["prompt"] = old["prompt"]
    kept = [child for child in old.get("children") or [] if not child.get("keypress_failover_type")]
    failovers = [child for child in old.get("children") or [] if child.get("keypress_failover_type")]
    if (kind in _DIALS) != (old["node_type"] in _DIALS):
        kept = []
    children = [*kept[: cls.most], *new.get("children", [])[len(kept) :]]
    children += failovers if cls.has_failovers else []
    new.pop("children", None)
    if children:
        new["children"] = children
    _put(tree, path, new)
    return tree


def node_remove(tree: Json, path: str, *, keep: bool = False) -> Json:
    """Take the node away with all below it; keep: what follows it first takes its place.

    Where the node above must have a child here, an end of the call takes its place.
    """
    tree = deepcopy(tree)
    node = node_at(tree, path)
    if keep:
        following = next((child for child in node.get("children") or [] if child.get("node_type") != "Failover"), None)
        if following is None:
            raise CannotEdit("Nothing follows this node that could take its place.")
        _put(tree, path, dict(following))
        return tree
    if path == "root":
        tree["root"] = {"node_type": "EndCall"}
        return tree
    parent, index = _parent(tree, path)
    cls = TYPES[parent["node_type"]]
    plain = [child for child in parent["children"] if not child.get("keypress_failover_type")]
    if not node.get("keypress_failover_type") and len(plain) <= cls.least:
        _put(tree, path, {"node_type": "EndCall"})
    else:
        del parent["children"][index]
    return tree


def node_move(tree: Json, path: str, by: int) -> tuple[Json, str]:
    """Change places with the sibling before (-1) or after (+1). (tree, where the node is now)."""
    tree = deepcopy(tree)
    parent, index = _parent(tree, path)
    children, other = parent["children"], index + by
    if not 0 <= other < len(children):
        raise CannotEdit("There is no place further on in this direction.")
    roles = [children[place].get("keypress_failover_type") for place in (index, other)]
    children[index], children[other] = children[other], children[index]
    # The places keep their meaning: the node that goes to the place for a wrong key is the one for it from now on.
    for place, role in ((index, roles[0]), (other, roles[1])):
        children[place].pop("keypress_failover_type", None)
        if role:
            children[place]["keypress_failover_type"] = role
    return tree, f"{path.rpartition('.children[')[0]}.children[{other}]"


def node_set(tree: Json, path: str, values: Mapping[str, Any]) -> Json:
    """Set the settings of a node; None takes one away. Fields that are not named stay, known or not."""
    tree = deepcopy(tree)
    node = node_at(tree, path)
    for name, value in values.items():
        if value is None or (value == "" and name != "condition"):
            node.pop(name, None)
        else:
            node[name] = value
    return tree
