"""Outbound: batches of people to call, the queue, carriers, and the results."""
