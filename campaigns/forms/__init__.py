"""The forms of campaign pages. They read what was typed; the rules and their words are the actions'."""

from .caps import CapForm
from .editors import HoursEditor, PoliciesEditor, RegionsEditor
from .fields import PickerField, time_zones
from .simple import AdvertiserForm, DestinationAddForm, DestinationForm
from .steps import BasicsForm, DestinationStepForm, PayoutForm, StepForm, TreatmentForm

__all__ = [
    "AdvertiserForm",
    "BasicsForm",
    "CapForm",
    "DestinationAddForm",
    "DestinationForm",
    "DestinationStepForm",
    "HoursEditor",
    "PayoutForm",
    "PickerField",
    "PoliciesEditor",
    "RegionsEditor",
    "StepForm",
    "TreatmentForm",
    "time_zones",
]
