"""Webhooks of a network: signed messages to its own systems, at least once, with a log and replay."""
