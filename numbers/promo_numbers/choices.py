"""The field's fixed lists for promo numbers."""

from django.db import models


class NumberState(models.TextChoices):
    """ordered: bought from a supplier, the answer is awaited; it counts against the limits like one in use."""

    ORDERED = "ordered", "Being bought"
    ACTIVE = "active", "In use"
    RELEASED = "released", "Released"


# What counts against the three limits.
COUNTED = (NumberState.ORDERED, NumberState.ACTIVE)


class PromoType(models.TextChoices):
    LOCAL = "Local", "Local"
    MOBILE = "Mobile", "Mobile"
    TOLL_FREE = "TollFree", "Toll-free"


class MediaType(models.TextChoices):
    """Where a number is shown (the fixed list of the Network Integration API)."""

    ONLINE_DISPLAY = "Online: Display", "Online: Display"
    ONLINE_SEARCH = "Online: Search", "Online: Search"
    ONLINE_EMAIL = "Online: Email", "Online: Email"
    ONLINE_SOCIAL = "Online: Social", "Online: Social"
    ONLINE_VIDEO = "Online: Video", "Online: Video"
    ONLINE_DIRECTORY = "Online: Directory", "Online: Directory"
    ONLINE_WEBSITE = "Online: Website", "Online: Website"
    ONLINE_OTHER = "Online: Other", "Online: Other"
    MOBILE_APP = "Mobile: App", "Mobile: App"
    MOBILE_SEARCH = "Mobile: Search", "Mobile: Search"
    OFFLINE_TV = "Offline: TV", "Offline: TV"
    OFFLINE_RADIO = "Offline: Radio", "Offline: Radio"
    OFFLINE_PRINT = "Offline: Print", "Offline: Print"
    OFFLINE_MAIL = "Offline: Direct Mail", "Offline: Direct Mail"
    OFFLINE_BILLBOARD = "Offline: Billboard", "Offline: Billboard"
    OFFLINE_EVENT = "Offline: Event", "Offline: Event"
    OFFLINE_OTHER = "Offline: Other", "Offline: Other"


class Ceiling(models.TextChoices):
    """The three promo number limits (domain/promo-numbers.md)."""

    CAMPAIGN = "campaign", "Promo Numbers Allowed on the campaign"
    NETWORK_TOTAL = "network_total", "All numbers of the network"
    NETWORK_DYNAMIC = "network_dynamic", "Dynamic numbers of the network"


class StockState(models.TextChoices):
    """free: may be handed out; resting: quarantined after its release; gone: given back to the supplier."""

    FREE = "free", "Free"
    USED = "used", "In use"
    RESTING = "resting", "Resting"
    GONE = "gone", "Given back"


class OrderState(models.TextChoices):
    """A purchase from a supplier. unknown: the answer never came; it is looked up, never bought again."""

    PLACING = "placing", "Being placed"
    UNKNOWN = "unknown", "Being looked up"
    DONE = "done", "Bought"
    FAILED = "failed", "Failed"


class ContractPeriod(models.TextChoices):
    MONTH = "Month", "a month"
    YEAR = "Year", "a year"


class RequestState(models.TextChoices):
    """A limit request; changed = approved with another figure than was asked for."""

    OPEN = "open", "Waiting for a decision"
    APPROVED = "approved", "Approved"
    CHANGED = "changed", "Approved with another figure"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


class JobState(models.TextChoices):
    """A job that users can watch: an import."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    CANCELED = "canceled", "Canceled"
    FAILED = "failed", "Failed"


class ReclaimState(models.TextChoices):
    """A proposal to take back a number without calls: proposed on the 20th, reminded on the 26th, taken on the 27th."""

    PROPOSED = "proposed", "Will be reclaimed"
    KEPT = "kept", "Kept"
    CALLED = "called", "Called again"
    RECLAIMED = "reclaimed", "Reclaimed"
