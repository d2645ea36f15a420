"""rigger save"""

import os

import click

from rigger.audit import suspension
from rigger.bundles import contents, seal
from rigger.bundles.contents import Contents, checkout_member, default_path
from rigger.cli.app import App, command
from rigger.configuration import resolve
from rigger.configuration.identity import require_recorded
from rigger.environments.environment import Environment
from rigger.errors import BadUsage
from rigger.runs.recovery import recover


@command("save")
@click.option(
    "-o",
    "--output",
    "path",
    metavar="FILE",
    help="The bundle to write, or a folder for it; default: NAME-TIME.rigger here.",
)
@click.option("--with-secrets", is_flag=True, help="Keep the secrets inside, encrypted.")
@click.option(
    "--recipient", "recipients", metavar="KEY", multiple=True, help="Encrypt for this age or SSH public key."
)
@click.option("--passphrase-file", metavar="FILE", help="Encrypt with the first line of this file.")
@click.option("--with-checkout", is_flag=True, help="Add the platform's repository, as a git bundle.")
@click.option("--sign", "key", metavar="KEY", help="Sign with this SSH key.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON; -o is the file here.")
def save(app: App, path, with_secrets, recipients, passphrase_file, with_checkout, key, as_json):
    app.report_as_json(as_json)
    environment = app.environment()
    if (recipients or passphrase_file) and not with_secrets:
        raise BadUsage("Nothing would be encrypted.", "Add --with-secrets.")
    path = _path(environment, path or os.curdir)
    encrypt = _encryption(app, recipients, passphrase_file) if with_secrets else None
    reason = environment.lock.unwritable()
    if reason:
        app.printer.warn(
            f"Nothing can be written in {environment.path} ({reason}): it is packed as it is, without its lock and "
            "without taking over what a killed run may have left. Nobody else may be working on it now."
        )
    with environment.lock.watched() if reason else environment.locked("rigger save"):
        settled = resolve.resolve(environment)
        require_recorded(environment, settled)
        if not reason and recover(environment, settled):
            settled = resolve.resolve(environment)
        written = contents.save(
            environment,
            settled,
            path,
            encrypt=encrypt,
            sign=seal.signer(key) if key else None,
            repository=checkout_member(environment, settled) if with_checkout else None,
        )
    _say(app, environment, written)


def _path(environment: Environment, path: str) -> str:
    """Return where the bundle goes; raises BadUsage where it cannot."""
    if os.path.isdir(path):
        return default_path(environment, path)
    path = os.path.abspath(path)
    if not os.path.isdir(os.path.dirname(path)):
        raise BadUsage(
            f"There is no folder {os.path.dirname(path)}.", "Make it, or name another file with -o."
        )
    return path


def _encryption(app: App, recipients, passphrase_file):
    """Return what encrypts: for the recipients, or with a passphrase from a file, the environment or a prompt."""
    if recipients:
        return lambda data: seal.encrypt(data, recipients=[_key(text) for text in recipients])
    passphrase = app.consent().passphrase(passphrase_file, "A passphrase for the secrets?", twice=True)
    return lambda data: seal.encrypt(data, passphrase=passphrase)


def _key(text: str) -> str:
    """Return a recipient: the key itself, or what stands in a public key file."""
    if not os.path.isfile(text):
        return text
    with open(text) as file:
        return file.read().strip()


def _say(app: App, environment, written: Contents) -> None:
    count, head = written.head
    if app.json:
        app.printer.report({**vars(written), "head": {"count": count, "hash": head}})
        return
    app.printer.line(f"{environment.name} is in {written.path} ({written.size / 1024:.0f} KiB).")
    app.printer.line(f"Audit log: {count} records, head {head}")
    if written.redacted:
        app.printer.line(
            f"Secrets left out: {', '.join(written.redacted)}. They will be asked for when it is loaded."
        )
    for name in written.left_out:
        app.printer.warn(f"{name} holds a secret and was left out; --with-secrets keeps it, encrypted.")
    if written.not_files:
        app.printer.warn(f"Links and empty folders cannot be packed: {', '.join(written.not_files)}.")
    if written.unsearched:
        app.printer.warn(
            f"Too short to be looked for, and perhaps in the bundle: {', '.join(written.unsearched)}."
        )
    if backup := suspension.backup(environment.audit.records()):
        app.printer.warn(
            f"{environment.name} is suspended, and its data is not in the bundle: take {environment.file(backup)} along."
        )
    app.printer.line(f"Load it elsewhere with: rigger configure --file {os.path.basename(written.path)}")
