#!/usr/bin/env python
"""Headroom's command line: `manage.py up` starts everything; `manage.py help` lists the rest."""

import os
import sys


def main() -> None:
    if sys.version_info[:2] != (3, 13):
        found = ".".join(str(part) for part in sys.version_info[:2])
        sys.exit(f"Headroom needs Python 3.13 but this is {found}. Run `make run`, which finds or names the right one.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
