"""Jinja2 over vars: defaults, conditions and the files that scripts render (the one home of jinja2)."""

from __future__ import annotations

from rigger.errors import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FALSE = frozenset({"", "false", "no", "0", "none", "off"})


def is_plain(source: str) -> bool:
    """Return whether a template is text that stays as it is, whatever the values are."""
    return "{{" not in source and "{%" not in source


def render(source: str, values: Mapping[str, str], where: str) -> str:
    """Return `source` with its expressions replaced; a name that is not set is an error.

    `where` names the source in the error. Raises Refused. The sandbox keeps a template from reaching Python's
    internals: a manifest is data, not a program.
    """
    if is_plain(source):
        return source
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    try:
        return environment.from_string(source).render(values)
    except jinja2.TemplateSyntaxError as problem:
        raise Refused(f"{where}, line {problem.lineno} of the template: {problem.message}") from None
    except Exception as problem:  # whatever an expression can raise, the template is what is wrong
        raise Refused(f"{where}: {str(problem) or type(problem).__name__}") from None


def is_true(source: str, values: Mapping[str, str], where: str) -> bool:
    """Return whether a condition holds: it renders to anything but nothing, false, no, off, none or 0."""
    return render(source, values, where).strip().lower() not in FALSE


def syntax_problem(source: str) -> str:
    """Return what is wrong with a template as it is written, nothing where it can be read; evaluates nothing."""
    if is_plain(source):
        return ""
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    try:
        ImmutableSandboxedEnvironment().parse(source)
    except jinja2.TemplateSyntaxError as problem:
        return f"line {problem.lineno} of the template: {problem.message}"
    return ""
