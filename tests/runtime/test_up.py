"""`manage.py up`: every refusal is one sentence, and a run survives what people and systems do to it."""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from portal.runtime.children import wait_until
from portal.runtime.environment import given, write_runtime_env
from portal.runtime.errors import CannotStart
from portal.runtime.launch import Launch, Options, exclusive

from .support import (
    OWN_SETTINGS,
    ROOT,
    assert_all_gone,
    environment,
    free_port,
    processes_in,
    read_until,
    up_command,
    up_fails,
)


def one_sentence(said: str) -> str:
    assert "\n" not in said, said
    return said


def refusal(var: Path, monkeypatch: pytest.MonkeyPatch, port: int = 0, **given: str) -> str:
    """Launch in this very process, which must refuse; returns its sentence. Through `manage.py` it only takes longer."""
    for name in OWN_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CannotStart) as refused:
        Launch(ROOT, var, Options(port=port or free_port()), frozenset()).run()
    return one_sentence(str(refused.value))


def test_a_busy_port(var: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        said = one_sentence(up_fails(var, "--port", str(port)))
    assert f"Port {port} on 127.0.0.1 cannot be used (Address already in use)" in said
    assert "--port" in said
    assert_all_gone(var, 1)


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(Path("/proc/headroom"), monkeypatch)
    assert said.startswith("Headroom cannot write to /proc/headroom (")
    assert "HEADROOM_VAR" in said


def test_a_full_disk(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage(var).free
    monkeypatch.setattr("portal.runtime.paths.MINIMUM_FREE_BYTES", free * 2)
    assert f"The disk of {var} has only" in refusal(var, monkeypatch)


def test_a_second_start_names_the_first(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with exclusive(var):
        assert f"already runs in {var} (process {os.getpid()})" in refusal(var, monkeypatch)


def test_a_given_database_that_does_not_answer(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgres://nobody:secret@127.0.0.1:{free_port()}/portal"
    said = refusal(var, monkeypatch, DATABASE_URL=url, SECRET_KEY="x" * 60)
    assert "The database that DATABASE_URL names does not answer: " in said
    assert "secret" not in said
    assert not (var / "postgres").exists()


def test_a_given_database_asks_for_a_given_key(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SECRET_KEY is not" in refusal(var, monkeypatch, DATABASE_URL="postgres:///portal")


def test_a_given_broker_that_does_not_answer(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(var, monkeypatch, BROKER_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert "The broker that BROKER_URL names does not answer: " in said
    assert_all_gone(var, 1)


def test_what_an_earlier_run_recorded_counts_as_not_given(var: Path) -> None:
    write_runtime_env(var, {"DATABASE_URL": "postgres://earlier"})
    assert (var / "headroom.env").stat().st_mode & 0o777 == 0o600
    assert given("DATABASE_URL", var, {"DATABASE_URL": "postgres://earlier"}) is None
    assert given("DATABASE_URL", var, {"DATABASE_URL": "postgres://mine"}) == "postgres://mine"
    assert given("DATABASE_URL", var, {}) is None


def start(var: Path, port: int) -> subprocess.Popen[str]:
    command = up_command("--port", str(port), "--workers", "1")
    return subprocess.Popen(
        command, env=environment(var), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    )


def status(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/accounts/login/", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_a_whole_life(var: Path) -> None:
    """Start, use, refuse a second one, `kill -9`, start again over the remains, lose the web server, Ctrl-C."""
    port = free_port()
    first = start(var, port)
    try:
        read_until(first, f"Headroom is ready: http://localhost:{port}/")
        assert status(port) == 200
        assert (var / "secret_key").stat().st_mode & 0o777 == 0o600
        key = (var / "secret_key").read_text()
        assert f"process {first.pid}" in up_fails(var, "--port", str(free_port()))
    finally:
        first.kill()
        first.wait()
        first.stdout.close()

    # At once, while the first one's processes may still be ending.
    second = start(var, port)
    try:
        read_until(second, "Headroom is ready")
        assert (var / "secret_key").read_text() == key
        web = [one for one in processes_in(var) if "granian" in one.cmdline() and one.ppid() == second.pid]
        web[0].kill()
        read_until(second, "web ended (signal 9)")
        assert wait_until(lambda: status(port) == 200, 20, pause=0.2)
        asked = time.monotonic()
        second.send_signal(signal.SIGINT)
        said = read_until(second, "All is stopped.")
        assert second.wait(5) == 0
        assert time.monotonic() - asked < 15
    finally:
        second.kill()
        second.wait()
        second.stdout.close()
    order = [said.index(f"stopping {name}") for name in ("beat", "worker", "web", "valkey", "postgres")]
    assert order == sorted(order)
    assert_all_gone(var, 1)
