"""Where rigger starts. Help and version are answered before anything is imported."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing is slow to import
    from typing import NoReturn

EVERYTHING = (["--help", "--all"], ["-h", "--all"])
INTERRUPTED = 130  # as `errors.Interrupted`; nothing is imported until requests to stop are heard


def main(arguments: list[str] | None = None) -> int:
    """Run rigger with the arguments of the command line; return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments in (["--version"], ["--help"], ["-h"], []) or arguments in EVERYTHING:
        return _answer(arguments)
    if arguments[-1:] in (["--help"], ["-h"]):
        from rigger.cli.kept_help import kept

        if text := kept(arguments[:-1]):
            return _say(text)
    if arguments[:1] == ["__complete"]:
        from rigger.cli.completion import main as complete

        return complete(arguments[1:])
    from rigger.cli.main import main as run

    return run(arguments)


def _answer(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        from rigger import __version__

        text = f"rigger {__version__}\n"
    else:
        from rigger.cli.help import text as usage

        text = usage(everything=len(arguments) == 2)
    return _say(text)


def _say(text: str) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except AttributeError:  # there is no standard output
        return 1
    except OSError:  # nobody is listening; nor must Python try again when it exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return 0


def start() -> None:
    """Run rigger, and end the process as soon as its output is written.

    Python would take apart all that it has imported, only for it to be thrown away: that is a part of what people wait
    for. Nothing of rigger's is left to be done at exit.
    """
    try:
        _stop_at_once_when_asked()
        import gc

        from rigger.imports import find_our_own

        find_our_own()
        gc.set_threshold(50_000)  # much is made when a command starts, and stays until it ends
        code = main()
        _stop_at_once_when_asked()
    except KeyboardInterrupt:  # while the last words were said
        _stop()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # no stream, or nobody listens: that was noticed before
        code = code or 1
    os._exit(code)


def _stop_at_once_when_asked() -> None:
    """Let a request to stop end the process with a word: nothing has begun, or all is done.

    The module signal itself would be imported too late. One that was ignored when rigger started stays so.
    """
    import _signal  # type: ignore[import-not-found]

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
        number = getattr(_signal, name)
        if _signal.getsignal(number) not in (_signal.SIG_IGN, None):
            _signal.signal(number, _stop)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGINT])  # bin/rigger held it back until here


def _stop(*_: object) -> NoReturn:
    try:
        os.write(2, b"rigger: Interrupted.\n")
    finally:
        os._exit(INTERRUPTED)


if __name__ == "__main__":
    start()
