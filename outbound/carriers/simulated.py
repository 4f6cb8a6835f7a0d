"""What the simulator does with a number: by its last two digits, so that a test can choose and a person can predict.

| last two digits | what happens |
|---|---|
| 00 to 59 | answered by a voice |
| 60 to 69 | answered by a machine |
| 70 to 77 | busy |
| 78 to 85 | no answer |
| 86, 87 | fax |
| 88 | refused for good: number not in service |
| 89 | 429 with Retry-After: 1, the first three times that this number is placed |
| 90 | 503, the first three times |
| 91 | taken, but the answer never comes (the connection stays silent) |
| 92 | taken, but the answer is 500 |
| 93 | not taken, and the answer never comes |
| 94 | all callbacks are lost |
| 95 | callbacks are repeated |
| 96 | callbacks come in the wrong order |
| 97 | slow to answer |
| 98 | carrier error (busy everywhere, Q.850 34) |
| 99 | answered, never hung up until it is asked to |
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """A call's course. `ends`: (outcome, cause, callee)."""

    ends: tuple[str, str, str] = ("answered", "16", "voice")
    answered: bool = True
    refused: int = 0
    refused_times: int = 0
    invalid: bool = False
    silent: bool = False
    taken: bool = True
    broken: bool = False
    slow: bool = False
    callbacks_lost: bool = False
    repeated: bool = False
    reordered: bool = False
    endless: bool = False


_VOICE = Plan()
_SPECIAL = {
    86: Plan(ends=("answered", "16", "fax")), 87: Plan(ends=("answered", "16", "fax")),
    88: Plan(invalid=True),
    89: Plan(refused=429, refused_times=3), 90: Plan(refused=503, refused_times=3),
    91: Plan(silent=True), 92: Plan(broken=True), 93: Plan(silent=True, taken=False),
    94: Plan(callbacks_lost=True), 95: Plan(repeated=True), 96: Plan(reordered=True), 97: Plan(slow=True),
    98: Plan(ends=("carrier_error", "34", ""), answered=False), 99: Plan(endless=True),
}  # fmt: skip


def plan_of(number: str) -> Plan:
    """The course of a call to `number`."""
    last = int(number[-2:]) if number[-2:].isdigit() else 0
    if last < 60:
        return _VOICE
    if last < 70:
        return Plan(ends=("answered", "16", "answeringmachine"))
    if last < 78:
        return Plan(ends=("busy", "17", ""), answered=False)
    if last < 86:
        return Plan(ends=("no_answer", "19", ""), answered=False)
    return _SPECIAL[last]
