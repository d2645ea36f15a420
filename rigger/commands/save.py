"""rigger save"""

from __future__ import annotations

import os
import shlex

from rigger.cli.app import App, command
from rigger.cli.declared import option
from rigger.errors import BadUsage
from rigger.operations import save as operation
from rigger.operations.save import SavedBundle, SaveOptions
from rigger.text import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.ui.printer import Printer


FORMATS = ("text", "json")


def show(printer: Printer, result: SavedBundle) -> None:
    written, name = result.contents, result.environment.name
    count, head = written.head
    printer.line(f"{name} is in {written.path} ({size(written.size)}).")
    printer.lines(f"Audit log: {count} records. Its head:", f"  {count}:{head}")
    if written.redacted:
        printer.line(
            f"Secrets left out: {', '.join(written.redacted)}. They will be asked for when it is loaded."
        )
    for member in written.left_out:
        printer.warn(f"{member} holds a secret and was left out; --with-secrets keeps it, encrypted.")
    for member in written.missing:
        printer.warn(
            f"{member} never came here, as it holds a secret; where it is, it stays when this is loaded."
        )
    if written.not_files:
        printer.warn(f"Links and empty folders cannot be packed: {', '.join(written.not_files)}.")
    if written.unsearched:
        printer.warn(
            f"Too short to be looked for, and perhaps in the bundle as plain text: {', '.join(written.unsearched)}."
        )
    _show_data(printer, result)
    printer.line(
        "Only one of the two may change the cluster from now on: this machine, or the one where it is loaded."
    )
    file = shlex.quote(os.path.basename(written.path))
    printer.ways(("Load it elsewhere", f"rigger configure --file {file}"))


def _show_data(printer: Printer, result: SavedBundle) -> None:
    """Say where the cluster's data is, and that it is not in the bundle."""
    last, name, packed = result.last_backup, result.environment.name, result.contents.backup
    if packed and last:
        printer.line(f"The last backup of the data is in it: {packed}, of {last.time}.")
    elif result.suspended and last:
        printer.warn(
            f"{name} is suspended, and its data is not in the bundle: take {last.path} along, or add --with-backup."
        )
    elif result.of_cluster:
        known = f"last backup: {last.describe()}" if last else "there is no backup"
        makes = ' ("rigger backup" makes one)' if result.can_back_up else ""
        way = " (--with-backup packs it)" if last and last.here else makes
        printer.line(f"The cluster's data is not in it; {known}{way}.")


@command("save", asks=True, show=show)
@option(
    "-f",
    "--file",
    "path",
    metavar="FILE",
    help="The bundle to write, or a folder for it; default: NAME-TIME.rigger here.",
)
@option("--with-secrets", is_flag=True, help="Keep the secrets inside, encrypted.")
@option(
    "--recipient", "recipients", metavar="KEY", multiple=True, help="Encrypt for this age or SSH public key."
)
@option("--passphrase-file", metavar="FILE", help="Encrypt with the first line of this file.")
@option("--with-checkout", is_flag=True, help="Add the platform's repository, as a git bundle.")
@option("--with-backup", is_flag=True, help="Add the newest backup of the cluster's data.")
@option("--sign", "key", metavar="KEY", help="Sign with this SSH key.")
@option("-o", "--output", "output", metavar="[text|json]", default="text", help="Report as text or as JSON.")
@option("--json", "as_json", is_flag=True, hidden=True)  # what -o json was called
def save(
    app: App,
    path: str | None,
    with_secrets: bool,
    recipients: tuple[str, ...],
    passphrase_file: str | None,
    with_checkout: bool,
    with_backup: bool,
    key: str | None,
    output: str,
    as_json: bool,
) -> SavedBundle:
    path = _file(path, output)
    app.report_as_json(as_json or output == "json")
    options = SaveOptions(with_secrets, recipients, passphrase_file, with_checkout, with_backup, key)
    return operation.save(app.environment(), path or "", options, app.printer, app.consent())


def _file(path: str | None, output: str) -> str | None:
    """Return the file that was named; -o named it before it was a format, as everywhere else."""
    if output in FORMATS:
        return path
    if path is not None and path != output:
        raise BadUsage(f"-o {output} is no format, and the file is named with -f.", "Formats: text, json.")
    return output
