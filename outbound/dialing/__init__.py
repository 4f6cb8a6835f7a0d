"""Dialing: pumps claim calls, hand them to carriers, and write down what came of it."""
