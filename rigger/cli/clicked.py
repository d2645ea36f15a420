"""What a verb takes, as click has it: for help, and for words that are not plainly right.

click is imported where it is used: most commands end before it would be there.
"""

from __future__ import annotations

import contextlib
import os
import sys

from rigger.cli.completion import code_as_it_is, home_folder
from rigger.cli.declared import ENVIRONMENT, Argument, Option
from rigger.cli.kept_help import file_of
from rigger.cli.other_words import option_hint
from rigger.errors import BadUsage, RiggerError
from rigger.files import write_bytes
from rigger.text import ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import click

    from rigger.cli.declared import Group, Parameter, Verb


def help_of(verb: Verb) -> str:
    """Return the first paragraph of a command's help as one line."""
    return " ".join(verb.help.partition("\n\n")[0].split())


def values_of(verb: Verb, words: list[str], path: str) -> dict[str, Any]:
    """Return a value for each parameter of a verb, which is called as `path`; raises BadUsage, or SystemExit after help."""
    alone = {
        name: f"{name}={one.alone}" for one in verb.options if one.alone is not None for name in one.names
    }
    end = words.index("--") if "--" in words else len(words)  # behind it stand arguments
    named = [alone.get(word, word) for word in words[:end]]
    return _read(_command(verb), [*named, *words[end:]], path).params


def in_front(words: list[str], path: str, group: Group | None, usage: str) -> tuple[str | None, list[str]]:
    """Return the environment that is named in front of a verb, and the words from the verb on.

    Without a verb it shows help: of a group, or, where there is none, `usage`. Raises BadUsage, or SystemExit after help.
    """
    import click

    class Front(click.Group):
        def get_help(self, ctx: click.Context) -> str:
            return _kept(ctx, super().get_help(ctx)) if group else usage.rstrip("\n")

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            """Say of each command all of its first paragraph; click would cut it."""
            with formatter.section("Commands"):
                formatter.write_dl(
                    [(name, help_of(verb)) for name, verb in group.verbs.items()] if group else []
                )

    parameters: list[click.Parameter] = [_parameter(ENVIRONMENT)]
    if not group:
        version = click.version_option(None, "--version", package_name="rigger", message="rigger %(version)s")
        parameters += version(lambda: None).__click_params__  # type: ignore[attr-defined]
    commands = {name: _command(verb) for name, verb in group.verbs.items()} if group else {}
    settings: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
    words_of_group = group.help if group else ""
    front = Front(
        path.rpartition(" ")[2],
        commands,
        params=parameters,
        help=words_of_group,
        no_args_is_help=False,
        context_settings=settings,
    )
    ctx = _read(front, words, path)
    left = [*ctx.protected_args, *ctx.args]
    if not left:
        print(ctx.get_help())
        sys.exit(0)
    return ctx.params["environment"], left


def _read(command: click.Command, words: Sequence[str], path: str) -> click.Context:
    import click

    try:
        return command.make_context(path, list(words))
    except click.ClickException as problem:
        ctx = problem.ctx if isinstance(problem, click.UsageError) else None
        sentence, ways_on = _sentence(problem, ctx)
        helps = ways(("What it takes", f"{ctx.command_path if ctx else path} --help"))
        raise BadUsage(sentence, ways_on or helps) from None
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)


def _sentence(problem: click.ClickException, ctx: click.Context | None) -> tuple[str, str]:
    """Return what click says, with a hint at the option that may have been meant, and the commands that lead on."""
    import click

    if isinstance(problem, click.NoSuchOption) and ctx:
        shown = [one for one in ctx.command.get_params(ctx) if not getattr(one, "hidden", False)]
        hint, commands = option_hint(problem.option_name, [name for one in shown for name in one.opts])
        return f"No such option: {problem.option_name}{hint}.", commands
    return problem.format_message(), ""


def _command(verb: Verb) -> click.Command:
    import click

    settings = {
        "help_option_names": ["-h", "--help"],
        "allow_interspersed_args": verb.interspersed,
        "ignore_unknown_options": verb.foreign_options,
    }

    class Command(click.Command):
        def get_help(self, ctx: click.Context) -> str:
            return _kept(ctx, super().get_help(ctx))

    parameters = [_parameter(one) for one in verb.parameters]
    return Command(verb.name, params=parameters, help=verb.help, context_settings=settings)


def _parameter(one: Parameter) -> click.Parameter:
    import click

    if isinstance(one, Argument):
        kind = click.UNPROCESSED if one.raw else None
        many = -1 if one.many else 1
        return click.Argument([one.name], required=one.required, nargs=many, type=kind, metavar=one.metavar)
    return click.Option([one.name, *_spelt(one)], **_settings(one))


def _kept(ctx: click.Context, text: str) -> str:
    """Return a command's help, and keep it for the next time, where there is a home, and every terminal can show it."""
    if text.isascii() and os.path.isdir(home_folder()):
        path = file_of(ctx.command_path.split()[1:])
        with contextlib.suppress(OSError, RiggerError):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            write_bytes(path, f"{code_as_it_is()}\n{text}\n".encode(), durable=False)
    return text


def _spelt(option: Option) -> list[str]:
    if not option.off:
        return list(option.names)
    return [f"{on}/{off}" for on, off in zip(option.names, option.off, strict=True)]


def _settings(option: Option) -> dict[str, Any]:
    import click

    settings: dict[str, Any] = {
        "metavar": option.metavar,
        "hidden": option.hidden,
        "help": option.help or None,
    }
    if option.flag:
        return {**settings, "is_flag": True, "default": option.default}
    if option.choices:
        settings["type"] = click.Choice(option.choices)
    if option.multiple:
        return {**settings, "multiple": True}
    return {**settings, "default": option.default}
