"""A small memory of a process: values that may be some seconds old, for what every call would otherwise ask again."""

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable

_all: "weakref.WeakSet[Memory]" = weakref.WeakSet()


class Memory[K: Hashable, V]:
    """Keeps values for `seconds()`; 0 keeps nothing. Bounded: the longest known goes first. Safe between threads."""

    def __init__(self, seconds: Callable[[], float], at_most: int) -> None:
        self._seconds, self._at_most = seconds, at_most
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        _all.add(self)

    def get(self, key: K) -> V | None:
        """The value, or None when it is not known (any more)."""
        found = self._kept.get(key)
        return found[1] if found is not None and found[0] > time.monotonic() else None

    def put(self, key: K, value: V) -> None:
        seconds = self._seconds()
        if seconds <= 0:
            return
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (time.monotonic() + seconds, value)
            while len(self._kept) > self._at_most:
                self._kept.popitem(last=False)

    def forget(self, key: K) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


def forget_everything() -> None:
    """Empty every memory of this process (between tests)."""
    for memory in list(_all):
        memory.clear()
