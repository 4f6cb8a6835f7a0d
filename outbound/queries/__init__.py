"""Reads of outbound."""
