"""The pages of campaigns: thin, reads in `queries`, writes in `actions`."""
