"""Lists: reading a file of any usual shape, numbers to E.164 with their zones, and into the batch in one piece."""
