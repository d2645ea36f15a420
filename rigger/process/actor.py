"""Who works here: the user whose number this process has, and the name that the environment gives beside it."""

from __future__ import annotations

import os
import stat

from rigger.errors import BadUsage

PROOF = "RIGGER_ACTOR_PROOF"


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


KEY = "actor.key"  # in RIGGER_HOME: who has it may say for whom something is done


def proven_actor(home: str, environment: str, request: str) -> str:
    """Return the name in $RIGGER_ACTOR, nothing where there is none; raises BadUsage for one that nothing proves.

    The proof, in $RIGGER_ACTOR_PROOF, is the HMAC-SHA256 in hex, under the content of the key file without its line
    end, of the name, the environment's name and the request's id, a newline between two of them.
    """
    name = os.environ.get("RIGGER_ACTOR", "")
    if not name:
        return ""
    import hmac  # hardly anybody needs it

    said = f"{name}\n{environment}\n{request}".encode("utf-8", "surrogateescape")
    key = _key(os.path.join(home, KEY))
    good = key and hmac.new(key, said, "sha256").hexdigest()
    if not good or not name.isprintable() or not hmac.compare_digest(good, os.environ.get(PROOF, "")):
        raise BadUsage(
            f"RIGGER_ACTOR says that this is done for {name!r}, and nothing proves that.",
            f"Give the proof in {PROOF}, or unset RIGGER_ACTOR: who runs rigger is recorded anyway.",
        )
    return name[:64]


def _key(path: str) -> bytes:
    """Return the key in a file that is its owner's alone; nothing for any other."""
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            own = status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & 0o077
            key = file.read(4096).rstrip(b"\r\n") if own else b""
    except OSError:
        return b""
    return key if len(key) >= 32 else b""
