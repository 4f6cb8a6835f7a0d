"""The field's fixed lists: types, statuses, kinds, reasons."""

from django.db import models


class CampaignType(models.TextChoices):
    """The four types (domain/api-shapes.md). Bundled is the only one that hands calls on."""

    AFFILIATE_ENABLED = "AffiliateEnabled", "Affiliate enabled"
    DIRECT_ONLY = "DirectOnly", "Direct only"
    EXTERNAL_ONLY = "ExternalOnly", "External only"
    BUNDLED = "Bundled", "Bundled"


class CampaignStatus(models.TextChoices):
    """Where a campaign stands; only Live and Live with pending changes take calls."""

    PENDING = "Pending", "Pending"
    LIVE = "Live", "Live"
    LIVE_PENDING = "LivePending", "Live with pending changes"
    PAUSED = "Paused", "Paused"
    SUSPENDED = "Suspended", "Suspended"
    ARCHIVED = "Archived", "Archived"


ROUTABLE = (CampaignStatus.LIVE, CampaignStatus.LIVE_PENDING)


class Distribution(models.TextChoices):
    """How a bundle orders destinations of the same priority."""

    WEIGHTED = "Weighted", "Weighted random"
    MOST_FREE = "MostFree", "Most free slots first"
    IN_ORDER = "InOrder", "In order"


class CapKind(models.TextChoices):
    BUDGET = "budget", "Budget cap"
    PERIODIC_CALLS = "periodic_calls", "Periodic call cap"
    CONCURRENT_CALLS = "concurrent_calls", "Concurrent call cap"


class ResetPeriod(models.TextChoices):
    DAILY = "Daily", "Daily"
    WEEKLY = "Weekly", "Weekly"
    MONTHLY = "Monthly", "Monthly"
    QUARTERLY = "Quarterly", "Quarterly"
    ONGOING = "Ongoing", "Ongoing (never resets)"


class RegionType(models.TextChoices):
    """What a region names. Prefix is ours: area codes (NPA), NPA-NXX or any digits after the +."""

    ZONE = "Zone", "Zone"
    CITY = "City", "City"
    STATE = "State", "State"
    COUNTRY = "Country", "Country"
    PREFIX = "Prefix", "Number prefix"


class LegKind(models.TextChoices):
    """How a call came to a destination."""

    BUNDLE = "bundle", "Selected from bundle"
    REPEAT = "repeat", "Repeat caller"
    OVERFLOW = "overflow", "Overflow (else branch)"
    DIRECT = "direct", "Called directly"


class Outcome(models.TextChoices):
    """What routing decided for a call."""

    DESTINATION = "destination", "Sent to a destination"
    OVERFLOW = "overflow", "Sent to overflow"
    DIRECT = "direct", "Direct"
    REFUSED = "refused", "Refused"
    TREATMENT = "treatment", "Ended in the call treatment"


class EndReason(models.TextChoices):
    """Why a call ended. The first eight are the source product's; the others are ours."""

    CALLER_HANGUP = "caller_hangup", "Caller hung up"
    DESTINATION_HANGUP = "destination_hangup", "Destination hung up"
    IVR_HANGUP = "ivr_hangup", "IVR hung up"
    MAXIMUM_DURATION = "maximum_duration", "Maximum duration"
    BUSY = "busy", "Busy"
    NO_ANSWER = "no_answer", "No answer"
    NOT_IN_SERVICE = "not_in_service", "Not in service"
    ERROR = "error", "Error"
    LEASE_EXPIRED = "lease_expired", "Lease ran out (no hang-up was heard)"
    RELEASED = "released", "Released by hand"
    CAPPED = "capped", "Capped (nothing free under the caps)"
    CLOSED = "closed", "Closed"
    OUT_OF_REGION = "out_of_region", "Out of region"
    NO_DESTINATION = "no_destination", "No destination"


# What a switch may report as the cause of an end; the rest only the portal itself writes.
REPORTED_CAUSES = (
    EndReason.CALLER_HANGUP,
    EndReason.DESTINATION_HANGUP,
    EndReason.IVR_HANGUP,
    EndReason.MAXIMUM_DURATION,
    EndReason.BUSY,
    EndReason.NO_ANSWER,
    EndReason.NOT_IN_SERVICE,
    EndReason.ERROR,
)


class Passed(models.IntegerChoices):
    """Why a destination was passed over, as bits of one mask: the SQL function and the pages share these numbers.

    0 = available. Several may hold at once, and the trace keeps all of them.
    """

    NOT_LIVE = 1, "Not live"
    OUT_OF_REGION = 2, "Out of region"
    CLOSED = 4, "Closed"
    BUDGET_CAP = 8, "Budget cap reached"
    PERIODIC_CALL_CAP = 16, "Periodic call cap reached"
    CONCURRENT_CALL_CAP = 32, "Concurrent call cap reached"
    ZERO_WEIGHT = 64, "Weight 0"


class VoiceKind(models.TextChoices):
    """Whose phone calls an account brings."""

    TWILIO = "twilio", "Twilio"
