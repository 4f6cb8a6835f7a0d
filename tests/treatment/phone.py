"""A caller for the tests of the interpreter: plays one call on a tree."""

import json
from datetime import UTC, datetime

from campaigns.treatment.expressions import Context
from campaigns.treatment.flow import Dial, Hangup, Input, State
from campaigns.treatment.interpreter import Inside, step
from campaigns.treatment.validate import treatment_read

from .test_trees import GROUP, NUMBER, node

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


OTHER = "+13035550200"


OVER = node("Connect", destination_campaign_id_from_network="over")


def read(root, **values):
    tree, faults = treatment_read({"root": root, **values})
    assert faults == []
    return tree


class Phone:
    """Plays a call: `do(kind, ...)` gives the actions; everything is passed through JSON in between, as in real life."""

    def __init__(self, root, start=True, leg=None, record_calls=False, **known):
        self.tree, self.state = read(root, record_calls=record_calls), State()
        self.context = Context(now=NOW, **known)
        self.actions, self.inside = [], None
        if start:
            self.do("start", leg=leg)

    def do(self, kind, **values):
        state = State.of_json(json.loads(json.dumps(self.state.as_json())))
        self.actions, self.state = step(self.tree, state, Input(kind, **values), self.context, self.inside)
        return self.actions

    def hand(self, root, leg=7, destination=5, overflow=False, record_calls=False, **known):
        """A destination is selected that has `root` as its own tree; None = it has none."""
        tree = None if root is None else read(root, record_calls=record_calls)
        self.inside = None if tree is None else Inside(tree, Context(now=NOW, **known))
        return self.do("selected", leg=leg, number=NUMBER, destination=destination, overflow=overflow)

    @property
    def said(self):
        return [type(action).__name__ for action in self.actions]

    @property
    def rung(self):
        return next((action.numbers for action in self.actions if isinstance(action, Dial)), None)

    @property
    def end(self):
        return next((action.reason for action in self.actions if isinstance(action, Hangup)), None)


def group(*numbers, **values):
    return {**GROUP, "ring_group_destinations": [{"ring_group_number": number} for number in numbers], **values}


THREE = ("+13035550101", "+13035550102", "+13035550103")
