"""Where configure takes values from: flags, process environment, answers file, vars file."""

from __future__ import annotations

import os
import re

from rigger import text as texts
from rigger.envfile import file as envfile
from rigger.envfile.names import MANAGED
from rigger.errors import BadUsage, Refused
from rigger.git.urls import check_ref, check_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

QUOTES_OF_BASH = r"""(export\s+)?[^=#\s]+\s*=\s*\$['"]"""  # as it prints what it exports
ARCHIVES = (b"\x28\xb5\x2f\xfd", b"\x1f\x8b", b"PK\x03\x04")  # zstd, gzip, zip


def require_safe_for_git(repository: str | None, version: str | None, ref: str | None) -> None:
    """Raise Refused for flags that git must never see, before anything is asked."""
    if repository:
        check_url(repository)
    for name in (version, ref):
        if name and (repository or name == ref):
            check_ref(name)


def require_one_source(flags: Mapping[str, str | None]) -> None:
    """Raise BadUsage where flags name two places that the platform should come from."""
    given = [flag for flag, value in flags.items() if value is not None]
    if len(given) > 1 and ("--path" in given or given != ["--repository", given[-1]]):
        raise BadUsage(
            f"{' and '.join(given[-2:])} exclude each other: each says where the platform comes from.",
            "Give one of them.",
        )


def whole_path(name: str, value: str) -> str:
    """Return a value as it is stored: a module's own folder must be found from anywhere."""
    if name == "CHECKOUT" or name in ("PLATFORM", "PROVIDER") and os.sep in value:
        return os.path.abspath(os.path.expanduser(value))
    return check_url(value) if name == "REPOSITORY" and value else value


def values_of_flags(assignments: Iterable[str], **named: str | None) -> dict[str, str]:
    flags: dict[str, str] = {}
    for text in assignments:
        text = texts.decode(os.fsencode(text))
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise BadUsage(f"--set {text!r} is not of the form NAME=VALUE.")
        if flags.get(name, value) != value:
            raise BadUsage(f"--set {name}= is given twice, with different values.")
        flags[name] = value
    for name, given in named.items():
        if given is not None:
            value = texts.decode(os.fsencode(given))
            if flags.get(name, value) != value:
                raise BadUsage(f"--{name.lower()} and --set {name}= name different values.")
            flags[name] = value
    return flags


def values_of_environ() -> dict[str, str]:
    return {texts.decode(name): texts.decode(value) for name, value in os.environb.items()}


def read_answers(path: str) -> dict[str, str]:
    """Return the values of an answers file (dotenv format, nothing is expanded in it)."""
    import io

    import dotenv

    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as problem:
        raise BadUsage(f"{path} cannot be read: {problem.strerror}.") from None
    if (written := envfile.parse_written(data)) is not None:
        return {name: value for name, value in written.items() if name not in MANAGED}
    text = texts.decode(data)
    if "\r\n" in text and not re.search(r"[^\r]\n", text):
        text = text.replace(
            "\r\n", "\n"
        )  # all of it was written with the line ends of Windows, values of several lines too
    values = {}
    for binding in dotenv.parser.parse_stream(io.StringIO(text)):
        assigned = binding.original.string.lstrip()
        line = binding.original.line + binding.original.string.removesuffix(assigned).count("\n")
        if binding.error or (binding.key and binding.value is None):
            raise BadUsage(f"{path}, line {line}: this is not NAME=VALUE.")
        if re.match(QUOTES_OF_BASH, assigned):
            raise BadUsage(
                f"{path}, line {line}: a value in $'...' or $\"...\" is for a shell; nothing is expanded in this file.",
                "Write the value itself, in single quotes if it has special characters.",
            )
        if binding.key and binding.value is not None:
            values[binding.key] = _in_double_quotes(binding.original.string) or binding.value
    return values


def _in_double_quotes(binding: str) -> str:
    """Return the value of an assignment in double quotes, and "" for any other.

    Beside the escapes of the dotenv format, a dollar sign and a backtick may have a backslash, as they need it in
    shells and have it in files that rigger writes.
    """
    import codecs

    found = re.match(
        r"""\s*(?:export\s+)?(?:'[^']+'|[^=#\s]+)\s*=[^\S\r\n]*"((?:[^"\\]|\\.)*)\"""", binding, re.S
    )
    if not found:
        return ""
    return re.sub(
        r"\\([\\'\"abfnrtv$`])",
        lambda escape: escape[1] if escape[1] in "$`" else codecs.decode(escape[0], "unicode_escape"),
        found[1],
    )


def read_vars_file(path: str) -> dict[str, str]:
    """Return the values of a vars file that somebody has; raises BadUsage, InvalidConfig or Refused."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as problem:
        raise BadUsage(f"{path} cannot be read: {problem.strerror}.") from None
    if data.startswith(ARCHIVES):
        raise Refused(
            f"{path} is an archive, but neither a vars file nor a bundle.",
            'Bundles are made by "rigger save".',
        )
    return {name: value for name, value in envfile.parse(data, path).items() if name not in MANAGED}
