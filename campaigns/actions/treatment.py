"""A call treatment's faults as the errors of actions. Setting one is `campaign_update(ivr_tree=...)`: it is a term."""

from campaigns.treatment.nodes import Fault

MAX_SIZE = 256 * 1024


def problem_of(fault: Fault) -> tuple[str | None, str, str]:
    """A fault of a tree as errors carry it: (ivr_tree.root.children[0].condition, code, message)."""
    return f"ivr_tree.{fault.where}", fault.code, fault.message
