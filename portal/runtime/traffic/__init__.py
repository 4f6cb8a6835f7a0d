"""Inbound callers for a portal, played over its public HTTP API (`manage.py traffic`)."""
