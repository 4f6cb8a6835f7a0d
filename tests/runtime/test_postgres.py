"""The embedded PostgreSQL: it keeps its data, whatever happens to the processes around it."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from portal.runtime.account import Account
from portal.runtime.children import MARK, wait_until
from portal.runtime.errors import CannotStart
from portal.runtime.paths import SOCKET_PATH_LIMIT, choose_home
from portal.runtime.postgres import Postgres

from .support import assert_all_gone, python, read_until


@contextmanager
def running(var: Path, *, durable: bool = False) -> Iterator[Postgres]:
    server = Postgres(choose_home(var), environment=os.environ | {MARK: str(var)}, durable=durable)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def query(server: Postgres, sql: str) -> object:
    host = str(server.home.sockets)
    with psycopg.connect(host=host, user="postgres", dbname="headroom", autocommit=True) as connection:
        cursor = connection.execute(sql)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_a_second_start_finds_the_data(var: Path) -> None:
    with running(var) as server:
        assert server.is_new
        query(server, "CREATE TABLE kept AS SELECT 1 AS one")
    assert_all_gone(var)
    with running(var) as server:
        assert not server.is_new
        assert query(server, "SELECT one FROM kept") == 1


def test_the_real_one_is_durable_and_listens_on_no_network(var: Path) -> None:
    with running(var, durable=True) as server:
        assert query(server, "SHOW fsync") == "on"
        assert query(server, "SHOW synchronous_commit") == "on"
        assert query(server, "SHOW listen_addresses") == ""
        assert query(server, "SHOW server_version_num")[:2] == "18"
        assert (server.home.sockets / ".s.PGSQL.5432").stat().st_mode & 0o077 == 0


def test_a_killed_server_recovers_what_was_committed(var: Path) -> None:
    with running(var, durable=True) as server:
        query(server, "CREATE TABLE kept AS SELECT 1 AS one")
        os.kill(server.pid, signal.SIGKILL)
        assert wait_until(server.has_died, 5)
    assert (server.data / "postmaster.pid").exists()
    with running(var) as server:
        assert query(server, "SELECT one FROM kept") == 1


def test_a_stale_pid_file_that_names_a_living_stranger(var: Path) -> None:
    with running(var) as server:
        pass
    (server.data / "postmaster.pid").write_text(f"{os.getppid()}\n{server.data}\n")
    with running(var) as server:
        assert query(server, "SELECT 1") == 1
    os.kill(os.getppid(), 0)


def test_an_interrupted_first_start_is_begun_anew(var: Path) -> None:
    (var / "postgres.new").mkdir()
    (var / "postgres.new" / "PG_VERSION").write_text("18\n")
    with running(var) as server:
        assert query(server, "SELECT 1") == 1
    assert not (var / "postgres.new").exists()


def test_a_server_left_running_is_taken_over(var: Path) -> None:
    """As when the supervisor was killed and the system has no parent-death signal."""
    with running(var) as left:
        query(left, "CREATE TABLE kept AS SELECT 1 AS one")
        with running(var) as server:
            assert server.pid != left.pid
            assert query(server, "SELECT one FROM kept") == 1
        assert left.has_died()


def test_the_data_of_another_major_version_is_refused(var: Path) -> None:
    (var / "postgres").mkdir()
    (var / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(CannotStart, match="made by PostgreSQL 16, not 18"), running(var):
        pass


def test_a_long_path_gets_its_sockets_elsewhere(var: Path) -> None:
    deep = var / ("d" * 60) / ("e" * 60)
    with running(deep) as server:
        assert server.home.postgres_data.is_relative_to(deep)
        assert len(str(server.home.sockets / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT
        assert query(server, "SELECT 1") == 1
    server.home.sockets.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL runs as somebody else")
def test_under_root_a_private_checkout_is_left_for_a_folder_that_can_be_entered(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the data folder nor the virtual environment with the programs can be reached by PostgreSQL's account."""
    var.chmod(0o700)
    reachable = Account.can_execute
    monkeypatch.setattr(
        Account, "can_execute", lambda self, path: "site-packages" not in str(path) and reachable(self, path)
    )
    base = choose_home(var / "var").base
    try:
        with running(var / "var") as server:
            assert server.home.base == base
            assert not base.is_relative_to(var)
            assert str(base) in server.home.notice
            assert query(server, "SELECT 1") == 1
            assert psutil.Process(server.pid).exe().startswith(str(base))
    finally:
        shutil.rmtree(base)


def test_throwaway_services_die_with_a_killed_process(var: Path) -> None:
    code = (
        "import os, time\n"
        "from portal.runtime.throwaway import throwaway_services\n"
        "with throwaway_services(durable=False) as given:\n"
        "    print('services in', given['HEADROOM_VAR'], flush=True)\n"
        "    time.sleep(60)\n"
    )
    with python(code, var) as process:
        folder = Path(read_until(process, "services in").split()[-1])
        process.kill()
        process.wait()
        assert_all_gone(folder)
