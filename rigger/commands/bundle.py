"""rigger bundle"""

from __future__ import annotations

import shlex

from rigger.bundles.contents import SECRETS
from rigger.cli.app import App, command, group
from rigger.cli.declared import argument, option
from rigger.operations import bundle as operation
from rigger.text import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rigger.operations.bundle import Compared, Inspected, Verified
    from rigger.ui.printer import Printer


@group("bundle")
def bundle() -> None:
    pass


def show_inspected(printer: Printer, result: Inspected) -> None:
    manifest = result.manifest
    fields = {name: _short(value) for name, value in manifest.fields.items()}
    about = [fields.get(name, "?") for name in ("name", "platform", "version", "provider")]
    printer.heading("{}: {} {} on {}".format(*about))
    rows = [(name, fields.get(name, "")) for name in ("created", "rigger", "id", "serial", "commit", "audit")]
    rows += [("signed", "yes" if manifest.signature else "no")]
    rows += [("secrets", "inside, encrypted" if SECRETS in manifest.files else "left out")]
    rows += [(name.replace("_", " "), fields.get(name, "")) for name in ("redacted", "left_out")]
    inspect = f"rigger bundle inspect {shlex.quote(result.path)} -o json"
    printer.table([row for row in rows if row[1]], rest=inspect)
    printer.line()
    files = sorted(manifest.files.items())
    printer.table([(file.mode, str(file.size), file.sha256[:12], name) for name, file in files], rest=inspect)


def _short(value: Any) -> str:
    """Return a field of a manifest, which may hold anything, as one line."""
    if isinstance(value, dict):
        return ", ".join(f"{_short(name)} {_short(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_short, value))
    return "" if value is None else plain(str(value))


def show_verified(printer: Printer, result: Verified) -> None:
    manifest = result.manifest
    signed = f"signed by {manifest.signer}" if manifest.signer else "not signed"
    count = manifest.fields["audit"]["count"]
    files = len(manifest.files)
    printer.line(f"{result.path}: {files} files as written, audit log of {count} records whole, {signed}.")


def show_compared(printer: Printer, result: Compared) -> None:
    difference = result.difference
    if not difference:
        printer.line("No difference.")
        return
    signs = (("+", difference.added), ("-", difference.removed), ("~", difference.changed))
    printer.table([(sign, name) for sign, names in signs for name in names])


@bundle.add_command
@command("inspect", reports=True, show=show_inspected)
@argument("path", metavar="FILE")
def inspect(app: App, path: str) -> Inspected:
    """Show what FILE says of itself; nothing of it is checked yet."""
    return operation.inspect(path)


@bundle.add_command
@command("verify", reports=True, show=show_verified)
@argument("path", metavar="FILE")
@option("--verify-key", "key", metavar="KEY", help="Insist on a signature by this SSH public key.")
def verify(app: App, path: str, key: str | None) -> Verified:
    """Check every file of FILE, its audit log and its signature."""
    return operation.verify(app.home, path, key)


@bundle.add_command
@command("diff", reports=True, show=show_compared, show_failed=show_compared)
@argument("a", metavar="A")
@argument("b", metavar="[B]", required=False)
@option("--exit-code", is_flag=True, help="Exit 8 when there is a difference.")
def diff(app: App, a: str, b: str | None, exit_code: bool) -> Compared:
    """Compare bundle A with bundle B, or with the environment."""
    return operation.diff(app.home, a, b, app.name, strict=exit_code)
