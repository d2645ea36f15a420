"""Where rigger starts. Help and version are answered before anything is imported."""

from __future__ import annotations

import os
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run rigger with the arguments of the command line; return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments in (["--version"], ["--help"], ["-h"], []):
        return _answer(arguments)
    from rigger.cli.main import main as run

    return run(arguments)


def _answer(arguments: list[str]) -> int:
    if arguments == ["--version"]:
        from rigger import __version__

        text = f"rigger {__version__}\n"
    else:
        from rigger.cli.help import text as usage

        text = usage()
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
    import gc

    gc.set_threshold(50_000)  # much is made when a command starts, and stays until it ends
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # no stream, or nobody listens: that was noticed before
        code = code or 1
    os._exit(code)


if __name__ == "__main__":
    start()
