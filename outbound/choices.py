"""The fixed lists of outbound, and the one table of allowed moves of each state machine.

The database holds the same tables (sql/0001_rules): a test compares them.
"""

from django.db import models


class BatchStatus(models.TextChoices):
    """Where a batch stands (design, section 7). Only a running one is claimed from."""

    DRAFT = "draft", "Draft"
    SCHEDULED = "scheduled", "Scheduled"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    STOPPING = "stopping", "Stopping"
    STOPPED = "stopped", "Stopped"
    COMPLETED = "completed", "Completed"
    EXPIRED = "expired", "Expired"


# From -> to. Completed -> running happens only when a person redials an unknown call (docs/adr/0007).
BATCH_MOVES: dict[str, set[str]] = {
    "draft": {"scheduled"},
    "scheduled": {"draft", "running", "stopping", "expired"},
    "running": {"paused", "stopping", "completed", "expired"},
    "paused": {"running", "stopping", "expired"},
    "stopping": {"stopped"},
    "completed": {"running"},
    "stopped": set(),
    "expired": set(),
}
FINISHED = (BatchStatus.STOPPED, BatchStatus.COMPLETED, BatchStatus.EXPIRED)
ACTIVE = (BatchStatus.SCHEDULED, BatchStatus.RUNNING, BatchStatus.PAUSED, BatchStatus.STOPPING)


class RecipientState(models.TextChoices):
    """Where one person of a batch stands."""

    PENDING = "pending", "Pending"
    QUEUED = "queued", "Queued"
    DIALING = "dialing", "Dialing"
    CONNECTED = "connected", "Connected"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELED = "canceled", "Canceled"
    EXPIRED = "expired", "Expired"
    SUPPRESSED = "suppressed", "Suppressed"
    UNKNOWN = "unknown", "Unknown"


_ENDS = {"completed", "failed", "canceled", "expired"}
RECIPIENT_MOVES: dict[str, set[str]] = {
    # To dialing and connected only when a call that was given up for a redial turns out to live.
    "pending": {"queued", "dialing", "connected", "suppressed"} | _ENDS,
    "queued": {"pending", "dialing", "connected", "unknown", "suppressed"} | _ENDS,
    "dialing": {"pending", "connected", "unknown"} | _ENDS,
    "connected": {"pending", "unknown"} | _ENDS,
    "unknown": {"pending", "dialing", "connected"} | _ENDS,
    "completed": set(),
    "failed": set(),
    "canceled": set(),
    "expired": set(),
    "suppressed": set(),
}
LIVE = (RecipientState.QUEUED, RecipientState.DIALING, RecipientState.CONNECTED)
FINAL = tuple(state for state in RecipientState if not RECIPIENT_MOVES[state])


class AttemptState(models.TextChoices):
    """Where one dialing stands. `not_sent`: it was claimed but for certain never reached the carrier."""

    QUEUED = "queued", "Queued"
    DIALING = "dialing", "Dialing"
    CONNECTED = "connected", "Connected"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Unknown"
    NOT_SENT = "not_sent", "Not sent"


ATTEMPT_MOVES: dict[str, set[str]] = {
    "queued": {"dialing", "connected", "completed", "failed", "unknown", "not_sent"},
    "dialing": {"connected", "completed", "failed", "unknown"},
    "connected": {"completed", "failed", "unknown"},
    "unknown": {"dialing", "connected", "completed", "failed"},
    "completed": set(),
    "failed": set(),
    "not_sent": set(),
}


class StuckKind(models.TextChoices):
    """Why too little is known of a call (`queries.stuck`)."""

    UNREPORTED = "unreported", "Claimed, and its worker is silent"
    SILENT = "silent", "Live, and nothing is heard"
    ASKED = "asked", "Unknown, the carrier is being asked"
    NO_RECORD = "no_record", "Unknown, the carrier has no record"


class Outcome(models.TextChoices):
    """How an attempt ended. Answered by whomever (machine, fax) is completed; the others are failed (domain/outbound.md)."""

    ANSWERED = "answered", "Answered"
    MACHINE = "machine", "Answering machine"
    FAX = "fax", "Fax"
    BUSY = "busy", "Busy"
    NO_ANSWER = "no_answer", "No answer"
    REJECTED = "rejected", "Rejected"
    INVALID_NUMBER = "invalid_number", "Number not in service"
    CARRIER_ERROR = "carrier_error", "Carrier error"
    CANCELED = "canceled", "Hung up by us"


COMPLETING = (Outcome.ANSWERED, Outcome.MACHINE, Outcome.FAX)
# What may be tried again, and what is when the batch says nothing else.
RETRYABLE = (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.REJECTED, Outcome.CARRIER_ERROR, Outcome.MACHINE, Outcome.FAX)
RETRIED_BY_DEFAULT = (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.CARRIER_ERROR)


class CalleeType(models.TextChoices):
    """Who or what answered (domain/outbound.md)."""

    PROCESSING = "processing", "Processing"
    VOICE = "voice", "Voice"
    MACHINE = "answeringmachine", "Answering machine"
    FAX = "fax", "Fax"
    UNKNOWN = "unknown", "Unknown"


class EventKind(models.TextChoices):
    """What can happen to an attempt. The first five are what placing and looking up say; the others are the carrier's."""

    ACCEPTED = "accepted", "Accepted by the carrier"
    NOT_SENT = "not_sent", "Not sent"
    LOST = "lost", "No answer from the carrier"
    ABSENT = "absent", "The carrier has no record"
    HANGUP_ASKED = "hangup_asked", "Hang-up asked for"
    RINGING = "ringing", "Ringing"
    ANSWERED = "answered", "Answered"
    CALLEE = "callee", "Callee type"
    ENDED = "ended", "Ended"


class EventSource(models.TextChoices):
    """Who told us."""

    PLACE = "place", "Answer to placing"
    CALLBACK = "callback", "Callback"
    LOOKUP = "lookup", "Carrier's log"
    SWEEP = "sweep", "Sweeper"
    PERSON = "person", "Person"


class Reason(models.TextChoices):
    """Why a recipient is suppressed, canceled or expired."""

    DO_NOT_CALL = "do_not_call", "On a do-not-call list"
    UNKNOWN_ZONE = "unknown_zone", "Time zone unknown, so its hours cannot be kept"
    BATCH_STOPPED = "batch_stopped", "The batch was stopped"
    BATCH_EXPIRED = "batch_expired", "The batch expired"
    BY_HAND = "by_hand", "Canceled by hand"
    OPTED_OUT = "opted_out", "Opted out in a call"


class ImportState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    CANCELED = "canceled", "Canceled"
    FAILED = "failed", "Failed"


class Refusal(models.TextChoices):
    """Why a row of a list was refused."""

    EMPTY = "empty", "No number in this row"
    NOT_A_NUMBER = "not_a_number", "Not a phone number"
    INVALID_NUMBER = "invalid_number", "A number that cannot exist"
    DUPLICATE = "duplicate", "The number stands earlier in the list or is in the batch already"
    UNKNOWN_ZONE = "unknown_time_zone", "Not a known time zone"
    FOREIGN_ANI = "foreign_ani", "The ani is not a number of this network"
    WRONG_COLUMNS = "wrong_columns", "More values than the header has columns"
    TOO_LONG = "too_long", "More than 32 kB of call parameters in one row"


class CarrierKind(models.TextChoices):
    SIMULATOR = "simulator", "Simulator"
    TWILIO = "twilio", "Twilio"


class ResultFormat(models.TextChoices):
    """How results are written."""

    JSON = "json", "JSON, signed (Standard Webhooks)"
    CALL_DETAILS = "call_details", "JSON with call_details"
    FORM = "form", "Form-encoded"


class CatchUp(models.TextChoices):
    """What happens when the portal itself was down while calls were due."""

    CONTINUE = "continue", "Go on within the calling windows"
    PAUSE = "pause", "Pause, and let a person decide"


class DeliveryState(models.TextChoices):
    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"
    DISABLED = "disabled", "Disabled (the receiver said 410 Gone)"
