"""Run a program that has the terminal."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from rigger.process.interrupts import no_effect
from rigger.process.spawn import cannot_start, encode_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def interactive(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | None = None) -> int:
    """Run a program that has the terminal to itself, such as $EDITOR; its exit code, 128 + N for signal N.

    Ctrl-C is for that program alone meanwhile. Raises CannotStart when it cannot be started.
    """
    import subprocess

    previous = {}
    with suppress(ValueError):  # raised outside the main thread
        for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD):
            previous[signum] = signal.signal(signum, no_effect)  # not SIG_IGN, which would be inherited
    try:
        encoded = (
            None
            if env is None
            else {encode_environment(name): encode_environment(value) for name, value in env.items()}
        )
        code = subprocess.call(list(argv), env=encoded, cwd=cwd)
    except (OSError, ValueError) as error:
        raise cannot_start(error, argv, cwd, os.environ if env is None else env) from error
    finally:
        for signum, handler in previous.items():
            signal.signal(signum, handler)
    return 128 - code if code < 0 else code
