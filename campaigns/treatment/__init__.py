"""Call treatment: the tree of nodes that a call walks through. Pure Python: nothing here reads or writes the database."""
