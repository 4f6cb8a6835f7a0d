"""The house stands: names that must not be shadowed, and nothing of a machine in the files."""

import importlib
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_numbers_is_still_pythons_own_module():
    numbers = importlib.import_module("numbers")
    assert Path(numbers.__file__).is_relative_to(sysconfig.get_path("stdlib"))
    assert not (ROOT / "numbers" / "__init__.py").exists()
    assert importlib.import_module("promo_numbers").__file__ == str(ROOT / "numbers" / "promo_numbers" / "__init__.py")


def test_numbers_stays_unshadowed_from_the_projects_own_folder():
    # The folder on the path is what would shadow it: ask a fresh interpreter that starts here.
    found = subprocess.run(
        [sys.executable, "-c", "import decimal, numbers; print(numbers.Number.__module__, numbers.__file__)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "promo" not in found and str(ROOT) not in found.replace(sys.prefix, "")


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_machine():
    bad = re.compile(r"https?://[a-z.]+/(simple|packages)/|\"resolved\": \"http|(?<![\w.~-])/(root|home/\w+)/\.?\w+/")
    hits = []
    for path in _tracked():
        if path.suffix in {".png", ".js", ".woff2"} or path == Path(__file__):
            continue
        hits += [
            f"{path.relative_to(ROOT)}: {line.strip()[:100]}"
            for line in path.read_text("utf-8").splitlines()
            if bad.search(line)
        ]
    assert hits == []


def test_requirements_are_pinned_with_hashes_and_without_addresses():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text("utf-8")
        assert "--hash=sha256:" in text
        assert not re.search(r"^--(index-url|extra-index-url|find-links)", text, re.MULTILINE)
