"""rigger offline"""

from __future__ import annotations

import shlex

from rigger.cli.app import App, command, group
from rigger.cli.declared import argument, option
from rigger.operations import offline as operation
from rigger.text import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.operations.offline import Exported, ImportedFiles
    from rigger.ui.printer import Printer


@group("offline")
def offline() -> None:
    pass


def show_exported(printer: Printer, result: Exported) -> None:
    printer.line(f"{len(result.files)} files are in {result.path} ({size(result.size)}).")
    if result.earlier:
        printer.line(f"{len(result.earlier)} more are in the earlier export, which has to be imported first.")
    printer.ways(("On the other machine", f"rigger offline import {shlex.quote(result.path)}"))


def show_imported(printer: Printer, result: ImportedFiles) -> None:
    if result.signer:
        printer.line(f"It is signed by {result.signer}.")
    printer.line(
        f"{result.files} files were verified; scripts find them in {result.mirror} ($RIGGER_MIRROR)."
    )
    for image, place in result.images.items():
        printer.line(f"{image}: {place or 'only in the mirror'}")
    printer.ways(
        *(("Load the environment", f"rigger configure --file {shlex.quote(one)}") for one in result.bundles)
    )


@offline.add_command
@command("export", asks=True, reports=True, show=show_exported)
@option("-f", "--file", "path", metavar="FILE", help="The file to write; default: NAME-TIME.offline here.")
@option("--since", metavar="FILE", help="Leave out what this earlier export has.")
@option("--sign", "key", metavar="KEY", help="Sign with this SSH key.")
@option("--without-rigger", is_flag=True, help="Leave rigger's own wheels out.")
def export(app: App, path: str | None, since: str | None, key: str | None, without_rigger: bool) -> Exported:
    """Collect all that the environment's modules need from a network in one file, with rigger and the bundle."""
    environment, consent = app.environment(), app.consent()
    with_rigger = not without_rigger
    return operation.export(
        environment, path or "", since or "", with_rigger, app.printer, consent, sign_key=key
    )


@offline.add_command
@command("import", asks=True, reports=True, show=show_imported)
@argument("path", metavar="FILE")
@option("--registry", metavar="HOST:PORT", help="Give the images to this registry, not to podman.")
@option("--verify-key", "key", metavar="KEY", help="Insist on a file signed by this SSH public key.")
def import_(app: App, path: str, registry: str | None, key: str | None) -> ImportedFiles:
    """Verify every file of FILE, and serve them to modules here; nothing is fetched."""
    return operation.import_file(app.home, path, registry or "", app.printer, verify_key=key)
