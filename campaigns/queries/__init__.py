"""The reads of campaigns, shared by pages, API and admin."""

from .decisions import Decision, DestinationView, Reason, decision_of, simulate

__all__ = ["Decision", "DestinationView", "Reason", "decision_of", "simulate"]
