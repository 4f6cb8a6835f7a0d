"""Workers for the crash test: a parent that has Django ready and forks a new worker for each that was killed.

Run as a program; the test kills its children. Ends when its standard input is closed.
"""

import os
import select
import sys
import time

import django

WORKERS = 3


def work() -> None:
    from outbound.management.commands.outbound_pump import round_of_work

    while True:
        round_of_work(seconds=0.7)


def main() -> None:
    django.setup()
    import outbound.dialing.pump
    import outbound.management.commands.outbound_pump  # noqa: F401 - before forking, so that a fork is quick

    children: set[int] = set()
    while True:
        while len(children) < WORKERS:
            child = os.fork()
            if child == 0:
                try:
                    work()
                finally:
                    os._exit(1)
            children.add(child)
        if select.select([sys.stdin], [], [], 0)[0] and not sys.stdin.readline():
            for child in children:
                os.kill(child, 9)
            return
        done, _ = os.waitpid(-1, os.WNOHANG)
        children.discard(done)
        time.sleep(0.01)


if __name__ == "__main__":
    main()
