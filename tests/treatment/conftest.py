"""Fixtures of the tests of call treatment."""

from .switch import house, say
from .twilio_world import twilio_api, world

__all__ = ["house", "say", "twilio_api", "world"]
