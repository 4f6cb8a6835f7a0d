"""Django settings, one named file per concern. Values come from the environment (see `env.py` and the README)."""

from .api import *  # noqa: F403
from .base import *  # noqa: F403
from .logs import *  # noqa: F403
from .look import *  # noqa: F403
from .outbound import *  # noqa: F403
from .supply import *  # noqa: F403
