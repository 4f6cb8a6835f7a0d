"""What stops a start."""


class CannotStart(Exception):
    """Headroom cannot start or go on. The message is one sentence for people: what is wrong and what to do."""


class StopRequested(BaseException):
    """Somebody asked for the end (Ctrl-C, SIGTERM, SIGHUP) while something was still being started."""
