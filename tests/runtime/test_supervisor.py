"""The supervisor, with small programs instead of the portal's."""

import signal
import sys
import time
from pathlib import Path

from .support import assert_all_gone, python, read_until

CODE = """
import os, sys
from pathlib import Path
from portal.runtime.children import MARK
from portal.runtime.processes import Program, Supervisor

supervisor = Supervisor(Path.cwd(), os.environ | {MARK: os.environ["HEADROOM_VAR"]})
with supervisor.signals():
    for name, code in PROGRAMS:
        supervisor.start(Program(name, [sys.executable, "-u", "-c", code], grace=1))
    supervisor.watch(lambda: None)
    supervisor.stop()
    print("ended well", flush=True)
"""
WAITS = "import time; print('here'); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here'); time.sleep(60)"
WITH_CHILD = (
    "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print('here'); time.sleep(60)"
)


def code(*programs: tuple[str, str]) -> str:
    return CODE.replace("PROGRAMS", repr(list(programs)))


def test_output_carries_the_program_s_name(var: Path) -> None:
    with python(code(("alpha", WAITS)), var) as process:
        assert "alpha    | here" in read_until(process, "here")


def test_what_dies_is_started_again_after_a_pause_that_grows(var: Path) -> None:
    with python(code(("brittle", "print('here'); raise SystemExit(3)")), var) as process:
        said = read_until(process, "started again in 2 s")
    assert "brittle ended (exit code 3) and is started again in 1 s" in said
    assert said.count("| here") == 2


def test_ctrl_c_stops_in_reverse_order_and_exits_0(var: Path) -> None:
    with python(code(("first", WAITS), ("second", WAITS)), var) as process:
        read_until(process, "here")
        read_until(process, "here")
        process.send_signal(signal.SIGINT)
        said = read_until(process, "ended well")
        assert process.wait(5) == 0
    assert said.index("stopping second") < said.index("stopping first")
    assert_all_gone(var, 1)


def test_who_ignores_the_wish_is_killed_with_all_it_started(var: Path) -> None:
    with python(code(("stubborn", STUBBORN), ("parent", WITH_CHILD)), var) as process:
        read_until(process, "here")
        read_until(process, "here")
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        read_until(process, "ended well")
        assert time.monotonic() - started < 5
    assert_all_gone(var, 1)


def test_programs_die_with_a_killed_supervisor(var: Path) -> None:
    with python(code(("alpha", WAITS), ("beta", WAITS)), var) as process:
        read_until(process, "here")
        read_until(process, "here")
        process.kill()
        process.wait()
        assert sys.platform != "linux" or assert_all_gone(var, 5) is None


def test_a_reader_that_goes_away_ends_it(var: Path) -> None:
    chatty = "import time\nwhile True:\n    print('here'); time.sleep(0.05)"
    with python(code(("chatty", chatty)), var) as process:
        read_until(process, "here")
        assert process.stdout is not None
        process.stdout.close()
        process.wait(10)
    assert_all_gone(var, 1)
