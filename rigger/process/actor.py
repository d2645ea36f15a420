"""Who works here: the user whose number this process has, and the name that the environment gives beside it."""

from __future__ import annotations

import os


def os_user() -> str:
    """Return the name of the user whose number this process has, or the number where it has no name."""
    import pwd  # what names a user seldom matters at a command's start

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def user() -> str:
    """Return who works here: the user by number, and the one that $USER names where that is another."""
    name, said = os_user(), os.environ.get("USER") or os.environ.get("LOGNAME") or ""
    said = "".join(char for char in said if char.isprintable())[:64]
    return f"{name} (USER={said})" if said and said != name else name


def actor() -> str:
    """Return who works here, and on which machine, for the record: user@host."""
    name, space, said = user().partition(" ")
    return f"{name}@{os.uname().nodename}{space}{said}"
