"""Make `.venv` from the locked requirements and put this checkout into it. Called by `scripts/setup`.

A second call finds the stamp of the first and is done at once. Changed requirements are installed on top; an
environment that does not work, or whose making was interrupted, is made anew. Needs nothing but Python.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "headroom-stamp"
UNFINISHED = VENV / "headroom-unfinished"
# A larger set satisfies who asks for a smaller one.
SETS = {"base": ["base", "dev"], "dev": ["dev"]}


def fail(sentence: str) -> None:
    """End with one clear sentence."""
    sys.exit(sentence)


def stamp_of(kind: str) -> str:
    """What `.venv` was made from; the checkout's own path counts, because a moved environment does not work."""
    digest = hashlib.sha256(f"{kind} {ROOT} {sys.version_info[:2]}".encode())
    for path in (ROOT / "requirements" / f"{kind}.txt", ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return f"{kind} {digest.hexdigest()}"


def run(*command: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever it is."""
    return subprocess.run(command, capture_output=quiet, text=True, check=False)  # noqa: S603 - built right here


def works(*arguments: str) -> bool:
    """Whether the environment's Python runs with these arguments."""
    try:
        return run(str(PYTHON), *arguments, quiet=True).returncode == 0
    except OSError:
        return False


def is_ready(kind: str) -> bool:
    """Whether `.venv` was made from today's requirements and still starts."""
    if UNFINISHED.exists() or not STAMP.is_file():
        return False
    if STAMP.read_text(encoding="utf-8") not in [stamp_of(larger) for larger in SETS[kind]]:
        return False
    return works("-c", "import django, portal, promo_numbers")


def make_environment() -> None:
    """Make an empty `.venv` unless a healthy one is there."""
    right_version = "import sys; sys.exit(sys.version_info[:2] != (3, 13))"
    if not UNFINISHED.exists() and works("-c", right_version) and works("-m", "pip", "--version"):
        return
    if VENV.is_symlink() or (VENV.exists() and not VENV.is_dir()):
        fail(f"{VENV} is not a virtual environment: move it away and run this again.")
    if VENV.exists():
        print("The virtual environment in .venv is incomplete or broken: making it anew.", flush=True)
        shutil.rmtree(VENV)
    VENV.mkdir()
    UNFINISHED.touch()
    # Behind every link: an environment made through a link to Python does not find the standard library.
    base = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    made = run(base, "-m", "venv", str(VENV), quiet=True)
    if made.returncode != 0:
        print((made.stdout + made.stderr).strip(), file=sys.stderr)
        fail(f"{base} cannot make a virtual environment: on Debian and Ubuntu install python3.13-venv.")


def install(kind: str) -> None:
    """Install the locked requirements, each file checked against its hash, and then this checkout, editable."""
    UNFINISHED.touch()
    pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    requirements = ROOT / "requirements" / f"{kind}.txt"
    print(f"Installing what requirements/{kind}.txt lists into .venv (once; a minute or two).", flush=True)
    if run(*pip, "--require-hashes", "-r", str(requirements)).returncode != 0:
        fail("The packages could not be installed; pip's reason stands above (the first time, it needs the network).")
    # The build tools are among the requirements, so this step needs no network.
    if run(*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)).returncode != 0:
        fail("The checkout could not be installed into .venv; pip's reason stands above.")
    STAMP.write_text(stamp_of(kind), encoding="utf-8")
    UNFINISHED.unlink()


def main(kind: str) -> None:
    """Bring `.venv` to what `kind` asks for. Two at once wait for each other."""
    if kind not in SETS:
        fail("Usage: scripts/setup base|dev")
    # The folder itself is the lock: nothing to leave behind, and given back when we are killed.
    lock = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if is_ready(kind):
        return
    try:
        # Who once had the tools for testing keeps them, so `make run` and `make test` can alternate.
        had_dev = STAMP.is_file() and STAMP.read_text(encoding="utf-8").startswith("dev ")
        make_environment()
        install("dev" if had_dev else kind)
    except OSError as error:
        fail(f"The virtual environment {VENV} cannot be made ({error.strerror}): make that folder writable.")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "base")
    except KeyboardInterrupt:
        sys.exit(130)
