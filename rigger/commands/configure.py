"""rigger configure"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

import click

from rigger.bundles import load
from rigger.bundles.unpack import is_bundle
from rigger.cli.app import App, command
from rigger.configuration.inputs import (
    read_answers,
    require_one_source,
    require_safe_for_git,
    values_of_flags,
)
from rigger.errors import BadUsage
from rigger.operations import configure as operations_configure
from rigger.ui.terminal import has_terminal


@command("configure", asks=True)
@click.option("--name", metavar="NAME", help="The environment to make or change.")
@click.option("--platform", metavar="NAME", help="What is installed: a platform's name or folder.")
@click.option("--version", metavar="VERSION", help="Which version of the platform.")
@click.option("--repository", metavar="URL", help="The git repository that the platform comes from.")
@click.option("--ref", metavar="REF", help="A branch, tag or commit of it, instead of a version.")
@click.option(
    "--path", "folder", metavar="FOLDER", help="A folder that has the platform, instead of a clone."
)
@click.option("--provider", metavar="NAME", help="Where the machines come from: a provider's name or folder.")
@click.option("--type", "kind", metavar="TYPE", help="The cluster type, a set of defaults.")
@click.option(
    "--set", "assignments", metavar="NAME=VALUE", multiple=True, help="Answer a question beforehand."
)
@click.option("--answers", metavar="FILE", help="Read answers from a dotenv file.")
@click.option("--file", "path", metavar="PATH", help="Load a vars file or a saved bundle that you have.")
@click.option("--verify-key", "key", metavar="KEY", help="Insist on a bundle signed by this SSH public key.")
@click.option("--passphrase-file", metavar="FILE", help="Decrypt a bundle's secrets with its first line.")
@click.option(
    "--identity", "identities", metavar="FILE", multiple=True, help="Decrypt with this age or SSH key."
)
@click.option("--allow-older", is_flag=True, help="Load a bundle that knows less than what is here.")
@click.option("--trust", is_flag=True, help="Agree beforehand to scripts of a bundle or a repository.")
@click.option("--defaults", is_flag=True, help="Take the default of whatever was not given.")
@click.option("--no-input", is_flag=True, help="Never prompt; fail where a value is missing.")
@click.option("--advanced", is_flag=True, help="Ask everything.")
def configure(
    app: App,
    name,
    platform,
    version,
    repository,
    ref,
    folder,
    provider,
    kind,
    assignments,
    answers,
    path,
    key,
    passphrase_file,
    identities,
    allow_older,
    trust,
    defaults,
    no_input,
    advanced,
):
    """Answer a few questions; they become the environment's vars file."""
    origin = {"--repository": repository, "--version": version, "--ref": ref, "--path": folder}
    require_safe_for_git(repository, version, ref)
    _require_words({"--name": name, "--answers": answers, "--file": path, **origin})
    require_one_source(origin)
    flags = values_of_flags(assignments, PLATFORM=platform, VERSION=version, PROVIDER=provider, TYPE=kind)
    flags |= values_of_flags((), REPOSITORY=repository, REF=ref, CHECKOUT=folder)
    given = read_answers(answers) if answers else {}
    asks = has_terminal() and not no_input
    with contextlib.ExitStack() as stack:
        bundle = None
        if path and is_bundle(path):
            name = name or app.name or os.environ.get("RIGGER_NAME") or given.get("NAME")
            opener = operations_configure.opener(passphrase_file, identities)
            agree = operations_configure.agreement(app, trust)
            bundle = stack.enter_context(
                load.loading(
                    path, app.home, name, key=key, allow_older=allow_older, open_sealed=opener, agree=agree
                )
            )
        operations_configure.configure(
            app, flags, given, name, answers, path, bundle, asks, defaults, advanced, trust
        )


def _require_words(flags: Mapping[str, str | None]) -> None:
    """Raise BadUsage for a flag with nothing behind it: `--name "$UNSET"` must not mean the current one."""
    for flag, value in flags.items():
        if value == "":
            raise BadUsage(f"{flag} is given, but empty.")
