"""Walking a call through its tree: a pure function from (tree, state, input) to (actions, state).

Nothing here waits, reads or writes. Every path ends: a step only goes down the tree, a question is asked ATTEMPTS times, a
queue of numbers gets shorter, a slot moves MAX_MOVES times at most, and a call that takes more than MAX_STEPS inputs is
ended. Every leg that came in is either handed over in `Select.leaving` or ended by `Release`, once.

A destination that a bundle hands the call to may have a tree of its own (`Inside`): the call then walks through that one,
holding its slot, and comes back when nobody there takes it. Nothing is selected inside, so it goes no deeper than this, and
both trees share the bounds above.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .expressions import Context
from .fields import Ring
from .flow import Action, Dial, Gather, Hangup, Input, Record, Release, Say, Select, SendSms, State
from .nodes import (
    AnyKeyPress,
    Condition,
    Connect,
    DynamicRoute,
    EndCall,
    Failover,
    Menu,
    Node,
    NumberQuestion,
    RingGroup,
    SelectFromBundle,
    SmsPromo,
    Tree,
    VerifyLocation,
    YesOrNo,
)
from .questions import ATTEMPTS, accepted, needs_confirming, question_of, ring_order, rings_in

MAX_STEPS = 500
MAX_MOVES = 20
# How long a destination of the bundle is rung.
SECONDS_TO_RING = 60
# Inputs that belong to one question, dial or selection: with another turn than the present one they are old news.
_OF_A_TURN = {
    "digits", "timeout", "selected", "refused", "answered", "busy", "no_answer", "failed", "completed", "recorded",
}  # fmt: skip
_FAILED = {"busy": "busy", "no_answer": "no_answer", "failed": "error"}


@dataclass(frozen=True)
class Inside:
    """A destination's own tree, and what its conditions may know of the call: its hours, its regions."""

    tree: Tree
    context: Context


def step(
    tree: Tree, state: State, given: Input, context: Context, inside: Inside | None = None
) -> tuple[list[Action], State]:
    """What is to be done now, and the state after it. Pure.

    inside: with `selected`, the own tree of the destination that was selected; later that of the destination
    `state.inside`. None = it has none, and its number is rung. An input that does not fit the state (a repeat, an old one,
    one of another phase) changes nothing and asks for nothing; a leg that comes with it unasked is given back at once.
    """
    walker = _Walker(tree, state, context, inside)
    walker.take(given)
    return walker.actions, walker.state


class _Walker:
    """One step. `state` and `actions` grow while it goes down the tree."""

    def __init__(self, tree: Tree, state: State, context: Context, inside: Inside | None) -> None:
        self.tree, self.state, self.asked, self.handed = tree, state, context, inside
        self.actions: list[Action] = []

    # What is known now, with what the caller did so far.
    @property
    def context(self) -> Context:
        state = self.state
        asked = self.handed.context if self.handed is not None and state.inside is not None else self.asked
        return replace(
            asked, pressed=state.keys, sms_sent=state.sms_sent,
            custom_data={**asked.custom_data, **dict(state.data)},
        )  # fmt: skip

    @property
    def node(self) -> Node | None:
        if self.state.inside is not None:
            return self.handed.tree.at(self.state.at) if self.handed is not None else None
        return self.tree.at(self.state.at)

    def put(self, **values: object) -> None:
        self.state = replace(self.state, **values)  # type: ignore[arg-type]

    def take(self, given: Input) -> None:
        state = self.state
        stale = given.kind in _OF_A_TURN and given.turn is not None and given.turn != state.turn
        brings = given.kind in ("selected", "start") and given.leg is not None
        new_leg = given.leg if brings and given.leg not in state.legs else None
        if new_leg is not None:
            self.put(legs=(*state.legs, new_leg))
        late = state.phase == "ended" or stale
        too_many = not late and state.steps >= MAX_STEPS
        fits = not late and state.phase == ("selecting" if given.kind == "selected" else "new")
        if new_leg is not None and (too_many or not fits):
            # Nobody waits for it: it must not be held.
            self.actions.append(Release(new_leg, state.reason or "error"))
        if late:
            return
        self.put(steps=state.steps + 1)
        if too_many:
            self.end("error")
        elif not brings or (fits and new_leg is not None):
            self.go_on(given)

    def go_on(self, given: Input) -> None:
        """An input that fits the state, or means something in any."""
        state = self.state
        match given.kind:
            case "start":
                if state.phase == "new":
                    self.put(leg=given.leg)
                    self.enter((), self.tree.root)
            case "hangup":
                self.end(given.reason or "caller_hangup")
            case "digits" | "timeout":
                self.keys(given.digits if given.kind == "digits" else "")
            case "selected" | "refused":
                if state.phase == "selecting":
                    self.selection(given)
            case "answered":
                if state.phase == "dialing":
                    self.put(phase="talking")
            case "completed":
                if state.phase in ("dialing", "talking"):
                    self.end(given.reason or "destination_hangup")
            case "recorded":
                if state.phase == "recording":
                    self.end("ivr_hangup")
            case "busy" | "no_answer" | "failed":
                if state.phase == "dialing":
                    self.not_taken(_FAILED[given.kind])

    def end(self, reason: str, leg: int | None = None) -> None:
        """End the call; the leg that is held (or just came) is given back."""
        held = self.state.leg if self.state.leg is not None else leg
        if held is not None:
            self.actions.append(Release(held, reason))
        self.actions.append(Hangup(reason))
        self.put(phase="ended", leg=None, queue=(), reason=reason)

    def say(self, text: str) -> None:
        if text:
            self.actions.append(Say(text))

    def enter(self, at: tuple[int, ...], node: Node) -> None:
        """Go down from this node to the next one that has to wait for the phone."""
        while True:
            self.put(at=at, attempts=0, answer="", queue=())
            following: Node | None
            match node:
                case Condition():
                    following = node.child(0 if node.condition.holds(self.context) else 1)
                case SmsPromo() if self.context.line != "mobile" or self.state.sms_sent:
                    following = node.child(0)
                case DynamicRoute():
                    if self.route_dynamically(node):
                        return
                    following = node.child(0)
                case SelectFromBundle() if self.state.inside is not None:
                    # A destination is no bundle: its selections have nothing to choose from.
                    following = node.child(0)
                    if following is None:
                        self.not_taken("error")
                        return
                case _:
                    self.wait_at(node)
                    return
            if following is None:
                self.end("ivr_hangup")
                return
            at, node = (*at, node.children.index(following)), following

    def enter_child(self, node: Node, child: Node | None, reason: str = "ivr_hangup") -> None:
        """Go to a child of the present node, or end the call with `reason` where there is none."""
        if child is None:
            self.end(reason)
        else:
            self.enter((*self.state.at, node.children.index(child)), child)

    def wait_at(self, node: Node) -> None:
        match node:
            case Connect() | Failover():
                if not node.destination_phone_number and self.state.inside is not None:
                    self.not_taken("error")
                    return
                if not node.destination_phone_number:
                    # The overflow campaign, and selecting has just said that it cannot take the call either.
                    self.enter_child(node, node.child(0), self.state.reason or "no_destination")
                    return
                self.say(node.prompt)
                self.dial(((node.destination_phone_number,),))
            case RingGroup():
                self.say(node.prompt)
                self.dial(self.order(node, node.ring_group_destinations))
            case SelectFromBundle():
                self.say(node.prompt)
                self.select()
            case EndCall() if node.record_message:
                self.say(node.prompt)
                self.put(phase="recording", turn=self.state.turn + 1)
                self.actions.append(Record(self.state.turn))
            case EndCall():
                self.say(node.prompt)
                self.end("ivr_hangup")
            case _:
                self.ask(node)

    # Questions ----------------------------------------------------------------------------------------------------

    def ask(self, node: Node) -> None:
        question = question_of(node, self.context)
        self.put(phase="asking", turn=self.state.turn + 1, answer="")
        self.actions.append(Gather(question.text, self.state.turn, question.most, question.timeout))

    def keys(self, keys: str) -> None:
        """Keys (or none) at a question."""
        node = self.node
        if self.state.phase not in ("asking", "confirming"):
            return
        if node is None:
            self.end("error")
        elif self.state.phase == "confirming":
            if keys == "1":
                self.answered(node, self.state.answer)
            else:
                self.again(node, "" if not keys else "W")
        elif not keys:
            self.again(node, "")
        elif (answer := accepted(node, keys)) is None:
            self.again(node, "W")
        elif needs_confirming(node):
            spoken = " ".join(answer)
            self.put(phase="confirming", answer=answer, turn=self.state.turn + 1)
            text = f"You entered {spoken}. Press 1 if this is right, 2 to try again."
            self.actions.append(Gather(text, self.state.turn))
        else:
            self.answered(node, answer)

    def again(self, node: Node, wrong: str) -> None:
        """A wrong key or none: the child for it, another attempt, or the way on without an answer."""
        if wrong and self.state.phase == "asking" and (child := node.failover("Wrong")):
            self.put(keys=(*self.state.keys, "W"))
            self.enter_child(node, child)
            return
        if isinstance(node, AnyKeyPress | SmsPromo):
            self.put(keys=(*self.state.keys, "N"))
            self.enter_child(node, node.child(1 if isinstance(node, AnyKeyPress) else 0))
            return
        self.put(attempts=self.state.attempts + 1)
        if self.state.attempts >= ATTEMPTS:
            self.put(keys=(*self.state.keys, "W" if wrong else "N"))
            on = node.failover("None") or (node.child(0) if isinstance(node, VerifyLocation) else None)
            self.enter_child(node, on)
            return
        if isinstance(node, NumberQuestion) and not node.error_prompt_disabled:
            self.say(node.custom_error_prompt_text or "That was not understood.")
        self.ask(node)

    def answered(self, node: Node, answer: str) -> None:
        """An answer that counts."""
        match node:
            case Menu() | YesOrNo():
                self.put(keys=(*self.state.keys, answer))
                self.enter_child(node, node.child(int(answer) - 1))
            case AnyKeyPress():
                self.put(keys=(*self.state.keys, answer))
                self.enter_child(node, node.child(0))
            case SmsPromo():
                self.put(keys=(*self.state.keys, answer[:1]))
                if answer == "9":
                    self.put(sms_sent=True)
                    self.actions.append(SendSms(node.sms_promo_copy, node.sms_promo_delay))
                self.enter_child(node, node.child(0))
            case NumberQuestion():
                self.save(node.caller_response_custom_data_partner_name, answer)
                self.enter_child(node, node.child(0))
            case VerifyLocation():
                self.save("verified_location", self.context.place if answer == "1" else answer)
                self.enter_child(node, node.child(0))

    def save(self, name: str, answer: str) -> None:
        if name:
            self.put(data=(*(pair for pair in self.state.data if pair[0] != name), (name, answer)))

    # Dialing ------------------------------------------------------------------------------------------------------

    def seed(self, node: Node) -> int:
        return self.asked.seed ^ zlib.crc32(node.path.encode())

    def order(self, node: RingGroup | DynamicRoute, rings: Sequence[Ring]) -> tuple[tuple[str, ...], ...]:
        return ring_order(
            rings, node.distribution_method, node.ring_group_destination_total_limit, node.max_simultaneous_calls,
            self.seed(node),
        )  # fmt: skip

    def route_dynamically(self, node: DynamicRoute) -> bool:
        """Ring the number in a custom data field; False if there is none that can be rung."""
        value = self.context.text_of("custom_data", node.dynamic_route_destination)
        rings = rings_in(value, several=node.behave_like_ring_group)
        if not rings:
            return False
        self.say(node.prompt)
        self.dial(self.order(node, rings))
        return True

    def dial(self, queue: tuple[tuple[str, ...], ...]) -> None:
        """Ring the first group of the queue; the others wait for it to fail."""
        node = self.node
        seconds = SECONDS_TO_RING
        if isinstance(node, Connect | Failover):
            seconds = node.connect_timeout
        elif isinstance(node, RingGroup | DynamicRoute):
            seconds = node.ring_group_connect_timeout
        self.put(phase="dialing", turn=self.state.turn + 1, queue=queue[1:])
        record = self.tree.record_calls
        if self.handed is not None and self.state.inside is not None:
            record = record or self.handed.tree.record_calls
        self.actions.append(
            Dial(queue[0], seconds, self.state.turn, self.state.leg, getattr(node, "destination_extension", ""), record)
        )

    def not_taken(self, cause: str) -> None:
        """Busy or no answer: the next number, the Failover, the next destination, or the end."""
        node = self.node
        if self.state.queue:
            self.dial(self.state.queue)
        elif isinstance(node, Connect | RingGroup | DynamicRoute) and (child := node.child(0)):
            self.enter_child(node, child)
        elif self.state.inside is not None:
            self.come_back()
            self.not_taken(cause)
        elif isinstance(node, SelectFromBundle) and self.state.chosen:
            self.select(cause)
        else:
            self.end(cause)

    def go_inside(self, destination: int, root: Node) -> None:
        """Into the own tree of the destination that has just been selected. Its menus begin anew for its conditions."""
        self.put(inside=destination, home=self.state.at, home_keys=self.state.keys, keys=())
        self.enter((), root)

    def come_back(self) -> None:
        """Back to where the destination was selected: nobody inside takes the call."""
        self.put(inside=None, at=self.state.home, keys=self.state.home_keys, home=(), home_keys=())

    # Selecting ----------------------------------------------------------------------------------------------------

    def select(self, cause: str = "") -> None:
        """Ask for a destination; with `cause`, the slot held moves on. After MAX_MOVES the else branch takes over."""
        leg, node = self.state.leg, self.node
        if cause and self.state.moves >= MAX_MOVES and node is not None:
            if leg is not None:
                self.actions.append(Release(leg, cause))
            self.put(leg=None, chosen=False)
            self.enter_child(node, node.child(0), cause)
            return
        self.put(
            phase="selecting", turn=self.state.turn + 1, leg=None, chosen=False,
            moves=self.state.moves + (1 if cause else 0),
        )  # fmt: skip
        self.actions.append(Select(self.state.turn, leg, cause))

    def selection(self, given: Input) -> None:
        """What came of it: a destination to ring, the overflow campaign, or nobody."""
        node = self.node
        if not isinstance(node, SelectFromBundle):
            self.end("error", given.leg)
        elif given.kind == "refused":
            self.put(reason=given.reason)
            self.enter_child(node, node.child(0), given.reason or "no_destination")
        elif not given.number and self.handed is None:
            # A destination without a number cannot be rung; its slot goes on to the next.
            self.put(leg=given.leg, chosen=True)
            self.select("error")
        else:
            self.put(leg=given.leg)
            child = node.child(0)
            if given.overflow and isinstance(child, Connect):
                self.put(at=(*self.state.at, node.children.index(child)), chosen=False)
                self.say(child.prompt)
            else:
                self.put(chosen=True)
            if self.handed is not None:
                self.go_inside(given.destination or 0, self.handed.tree.root)
            else:
                self.dial(((given.number,),))
