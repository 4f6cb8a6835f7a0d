"""The pages of outbound."""
