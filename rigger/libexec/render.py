"""Fill a Jinja2 template in with the process environment: the program behind rigger-render."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jinja2 import BaseLoader


class Unrendered(Exception):
    """The template cannot be filled in; the message is one sentence."""


def render(path: str, values: dict[str, str]) -> str:
    """Return the text of a template, which may include others of its folder; raises Unrendered.

    Bytes that are not UTF-8 pass through, in the template and in the values.
    """
    from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, loader=_loader(os.path.dirname(path) or ".")
    )
    try:
        return environment.get_template(os.path.basename(path)).render(values)
    except Unrendered:
        raise
    except TemplateSyntaxError as problem:
        raise Unrendered(f"{path}, line {problem.lineno}: {problem.message}.") from None
    except TemplateError as problem:
        raise Unrendered(f"{path}{_line(problem, path)}: {problem.message}.") from None
    except OSError as problem:
        raise Unrendered(f"{path} cannot be read: {problem.strerror}.") from None
    except Exception as problem:  # a template is a program: any error may come out of its expressions
        raise Unrendered(f"{path}{_line(problem, path)}: {problem}.") from None


def _loader(folder: str) -> BaseLoader:
    from jinja2 import FunctionLoader

    def load(name: str) -> str:
        if name.startswith("/") or ".." in name.split("/"):
            raise Unrendered(f"{name} is outside the template's folder.")
        with open(os.path.join(folder, name), "rb") as file:
            return _text(file.read())

    return FunctionLoader(load)


def _line(problem: BaseException, path: str) -> str:
    """Return `, line N` for the place in the template that an error came from."""
    trace, number = problem.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in ("<template>", path):
            number = trace.tb_lineno
        trace = trace.tb_next
    return f", line {number}" if number else ""


def write(path: str, data: bytes) -> None:
    """Replace a file in one step; raises OSError."""
    mode = os.stat(path).st_mode & 0o7777 if os.path.exists(path) else 0o666 & ~_umask()
    temporary = f"{path}.{os.getpid()}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def main(arguments: list[str]) -> int:
    """Render the template that the arguments name; return the exit code."""
    if len(arguments) not in (1, 2):
        print("error: rigger-render: which template? Usage: rigger-render TEMPLATE [OUT]", file=sys.stderr)
        return 2
    values = {_text(name): _text(value) for name, value in os.environb.items()}
    try:
        data = render(arguments[0], values).encode("utf-8", "surrogateescape")
        if len(arguments) == 2:
            write(arguments[1], data)
        else:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    except Unrendered as problem:
        print(f"error: rigger-render: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        where = arguments[1] if len(arguments) == 2 else "standard output"
        print(f"error: rigger-render: {where} cannot be written: {problem.strerror}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
