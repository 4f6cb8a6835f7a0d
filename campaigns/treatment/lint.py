"""What is likely to be wrong with a valid tree, before a caller finds out. Pure; `queries.lint` shows it with the rest."""

from collections.abc import Iterator
from dataclasses import dataclass

from .expressions import InRegion
from .nodes import (
    Condition,
    Connect,
    EndCall,
    Menu,
    Node,
    NumberQuestion,
    RingGroup,
    SelectFromBundle,
    SmsPromo,
    Tree,
    YesOrNo,
)
from .truth import constant
from .validate import overflow_of, selections


@dataclass(frozen=True)
class Remark:
    """One finding at a node: stable code, plain words with the way out. kind: bad = calls are lost."""

    path: str
    code: str
    text: str
    kind: str = "warn"


def remarks(tree: Tree, *, is_bundle: bool, regions: frozenset[str] = frozenset()) -> list[Remark]:
    """Everything worth saying about a tree, in its order. regions: the names of the campaign's regions."""
    found = [*_of_the_whole(tree, is_bundle)]
    for node in tree.walk():
        found += _of_a_node(node, regions)
        if isinstance(node, SelectFromBundle):
            found += _of_a_selection(node, is_bundle)
    return found


def _of_the_whole(tree: Tree, is_bundle: bool) -> Iterator[Remark]:
    if is_bundle and not selections(tree):
        text = "No node selects a destination from the bundle: its destinations never get a call."
        yield Remark("root", "never_selects", text, "bad")


def _of_a_selection(node: SelectFromBundle, is_bundle: bool) -> Iterator[Remark]:
    if not is_bundle:
        text = "This campaign is no bundle, so there is nothing to select from: every call goes to the else branch."
        yield Remark(node.path, "selects_outside_bundle", text, "bad")
        return
    child = node.child(0)
    if child is None:
        text = (
            "There is no else branch: a call that finds every destination full, closed or out of region is lost. "
            "Connect it to an overflow campaign, or take a message."
        )
        yield Remark(node.path, "else_missing", text)
    elif isinstance(child, EndCall) and not child.record_message:
        text = (
            "The else branch only ends the call: a caller who finds every destination full is lost. "
            "Connect it to an overflow campaign, or take a message."
        )
        yield Remark(child.path, "else_ends_call", text)
    elif not overflow_of(node) and not any(_takes_calls(below) for below in child.walk()):
        text = "Nothing in the else branch takes the call: a caller who finds every destination full is lost."
        yield Remark(child.path, "else_ends_call", text)


def _takes_calls(node: Node) -> bool:
    return isinstance(node, Connect | RingGroup) or (isinstance(node, EndCall) and node.record_message)


def _of_a_node(node: Node, regions: frozenset[str]) -> Iterator[Remark]:
    match node:
        case Condition():
            yield from _of_a_condition(node, regions)
        case Menu() if not node.failover("None"):
            text = (
                "Nothing is said for callers who press no key: after three times of asking the call ends. Give the menu a "
                "child for “None”."
            )
            yield Remark(node.path, "menu_without_none", text)
        case YesOrNo() | NumberQuestion() if not node.failover("None"):
            text = "Callers who do not answer are cut off after three times of asking. Give it a child for “None”."
            yield Remark(node.path, "question_without_none", text)
        case SmsPromo() if "9" not in node.prompt:
            text = "The prompt does not say that key 9 accepts the text message."
            yield Remark(node.path, "sms_prompt_without_key", text)
        case EndCall() if node.path == "root" and not node.record_message:
            yield Remark(node.path, "ends_at_once", "Every call ends at once.", "bad")
    if isinstance(node, Menu):
        unsaid = [str(key) for key in range(1, len(node.in_order) + 1) if str(key) not in node.prompt]
        if unsaid and any(character.isdigit() for character in node.prompt):
            text = f"The prompt does not name the key{'s' * (len(unsaid) > 1)} {', '.join(unsaid)} of this menu."
            yield Remark(node.path, "menu_key_unsaid", text)


def _of_a_condition(node: Condition, regions: frozenset[str]) -> Iterator[Remark]:
    always = constant(node.condition)
    if always is not None:
        never = node.in_order[1 if always else 0]
        text = (
            f"The condition is {'always' if always else 'never'} true, so this branch "
            f"({'else' if always else 'if true'}) is never reached."
        )
        yield Remark(never.path, "unreachable", text)
    for leaf in node.condition.leaves():
        if isinstance(leaf, InRegion) and (leaf.name not in regions if leaf.name else not regions):
            what = f"no region “{leaf.name}”" if leaf.name else "no regions"
            text = f"The campaign has {what}, so {leaf} is never true. Add it under Edit, or correct the name."
            yield Remark(node.path, "unknown_region", text)
