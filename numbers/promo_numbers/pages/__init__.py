"""Pages of promo numbers: thin; writes are `actions`, reads `queries`."""
