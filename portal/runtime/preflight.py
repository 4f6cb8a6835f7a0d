"""What is asked of the machine and of the given services before anything starts on them."""

import contextlib
import http.client
import socket
from collections.abc import Mapping

import dj_database_url
import psycopg
import psycopg.conninfo
from kombu import Connection

from .errors import CannotStart


def require_port(host: str, port: int) -> None:
    """CannotStart if nobody can listen on this address and port."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the web server does: connections of a moment ago do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        sentence = f"Port {port} on {host} cannot be used ({reason}): choose another with --port (make run PORT=8001)."
        raise CannotStart(sentence) from error


def require_production_settings(settings: Mapping[str, str]) -> None:
    """With a database of its own this is an installation, not a trial: it brings its own secret key too."""
    if not settings.get("SECRET_KEY"):
        raise CannotStart(
            "DATABASE_URL is set but SECRET_KEY is not: set it (or SECRET_KEY_FILE) to a long random one."
        )


def require_database(url: str) -> None:
    """CannotStart if the database that was given does not answer."""
    try:
        found: Mapping[str, object] = {**dj_database_url.parse(url)}
        parts = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
        named = {name: str(found[part]) for name, part in parts.items() if found[part]}
        options = found.get("OPTIONS")
        named |= {name: str(value) for name, value in options.items()} if isinstance(options, dict) else {}
        psycopg.connect(psycopg.conninfo.make_conninfo("", **{"connect_timeout": "5"} | named)).close()
    except (psycopg.Error, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CannotStart(f"The database that DATABASE_URL names does not answer: {reason}") from error


def require_broker(url: str) -> None:
    """CannotStart if the broker that was given does not answer."""
    try:
        with Connection(url, connect_timeout=5) as connection:
            connection.ensure_connection(max_retries=1, timeout=5)
    except Exception as error:  # each transport has errors of its own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CannotStart(f"The broker that BROKER_URL names does not answer: {reason}") from error


def own_names(host: str) -> str:
    """The value for ALLOWED_HOSTS when others shall reach an embedded Headroom on `host`: the names we know for it."""
    names = {"localhost", "127.0.0.1", "[::1]", socket.gethostname().lower(), socket.getfqdn().lower()}
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - recognised, not chosen
        with contextlib.suppress(OSError):
            names |= {str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    else:
        names.add(f"[{host}]" if ":" in host else host.lower())
    return ",".join(sorted(names))


def answers(host: str, port: int) -> bool:
    """Whether a web server answers there, whatever it says."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - recognised, not chosen
    connection = http.client.HTTPConnection(target, port, timeout=2)
    try:
        connection.request("GET", "/", headers={"Host": "localhost"})
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
