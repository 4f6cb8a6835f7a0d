"""Fixtures of the tests of call treatment."""

from .twilio_world import twilio_api, world

__all__ = ["twilio_api", "world"]
