"""Setting up and running: the embedded PostgreSQL and Valkey, and the processes of `manage.py up`."""
