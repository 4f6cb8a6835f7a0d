"""One truth for what a tree and its campaign's fields both say: `overflow`, `repeat_caller`, `destination_phone_number`.

A stored tree holds neither the repeat caller switch nor the overflow campaign of its SelectFromBundle nodes, nor the number
of a tree that only connects: `stored` takes them out, `composed` puts them in again from the fields. So whoever changes the
fields has changed the tree, and whoever sets the tree has set the fields; there is nothing that could differ.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from .nodes import Connect, Tree

Json = dict[str, Any]
CAMPAIGN = "destination_campaign_id_from_network"
# What names where a Connect rings; all of it goes when the overflow campaign takes its place.
_NUMBER = ("destination_phone_number", "destination_country_code", "destination_extension")


def implied(*, is_bundle: bool, number: str) -> Json:
    """The tree of a campaign that was given none: a bundle selects, any other connects to its number."""
    if is_bundle:
        return {"record_calls": False, "root": {"node_type": "SelectFromBundle", "children": []}}
    return {"record_calls": False, "root": {"node_type": "Connect", "destination_phone_number": number}}


def _each_selection(node: Any, change: Callable[[Json], None]) -> None:
    if not isinstance(node, dict):
        return
    if node.get("node_type") == "SelectFromBundle":
        change(node)
    for child in node.get("children") or []:
        _each_selection(child, change)


def connects_to(tree: Tree) -> str:
    """The number (E.164) of a tree that does nothing but connect; empty for any other."""
    return tree.root.destination_phone_number if isinstance(tree.root, Connect) else ""


def stored(tree: Json, *, is_bundle: bool) -> Json:
    """A valid tree as it is stored: without what the campaign's fields say."""
    kept = deepcopy(tree)
    root = kept["root"]
    if not is_bundle and root.get("node_type") == "Connect":
        root.pop("destination_phone_number", None)
        root.pop("destination_country_code", None)

    def take_out(node: Json) -> None:
        node.pop("repeat_caller", None)
        for child in node.get("children") or []:
            child.pop(CAMPAIGN, None)

    if is_bundle:
        _each_selection(root, take_out)
    return kept


def composed(tree: Json, *, overflow: str, repeat_caller: bool, number: str = "") -> Json:
    """A stored tree as everybody sees it. overflow: the overflow campaign's own id; empty if the bundle has none.

    number: where a campaign that is no bundle sends its calls; it belongs to a root that connects.

    With an overflow campaign it is the else branch, whatever stood there. Without one, a Connect that had named it goes.
    """
    whole = deepcopy(tree)

    def put_in(node: Json) -> None:
        node["repeat_caller"] = repeat_caller
        children = node.get("children") or []
        first = children[0] if children else None
        is_connect = isinstance(first, dict) and first.get("node_type") == "Connect"
        if overflow:
            connect = dict(first) if is_connect and first else {"node_type": "Connect"}
            for name in _NUMBER:
                connect.pop(name, None)
            node["children"] = [{**connect, CAMPAIGN: overflow}]
        elif is_connect and first and not first.get("destination_phone_number"):
            node["children"] = []
        else:
            node["children"] = children

    root = whole.get("root")
    if number and isinstance(root, dict) and root.get("node_type") == "Connect":
        root["destination_phone_number"] = number
    _each_selection(root, put_in)
    return whole
