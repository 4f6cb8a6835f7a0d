"""The pages of accounts: members, groups, tokens, networks."""
