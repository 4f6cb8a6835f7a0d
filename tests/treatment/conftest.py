"""Fixtures of the tests of call treatment."""

from .switch import house, overtaken_by_a_hang_up, say
from .twilio_world import twilio_api, world

__all__ = ["house", "overtaken_by_a_hang_up", "say", "twilio_api", "world"]
