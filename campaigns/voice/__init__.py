"""Real phone calls: carriers' webhooks on one side, the call treatment on the other."""
