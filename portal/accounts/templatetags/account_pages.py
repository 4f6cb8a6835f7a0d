"""What the sign-in and security pages (allauth's, in the portal's look) are written with."""

from django import forms, template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def styled(field: BoundField) -> SafeString:
    """The field's widget in the portal's look; allauth's forms carry no classes."""
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        css = "checkbox"
    elif isinstance(widget, forms.RadioSelect):
        css = "radio-list"
    else:
        css = "input"
    return field.as_widget(attrs={"class": css})


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)
