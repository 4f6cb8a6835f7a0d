"""The REST API of outbound."""
