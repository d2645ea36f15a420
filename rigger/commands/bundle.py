"""rigger bundle"""

from dataclasses import replace

import click

from rigger.bundles import contents, seal, unpack
from rigger.bundles import format as bundle_format
from rigger.bundles.contents import ADDED, SECRETS
from rigger.bundles.format import Manifest
from rigger.bundles.read import read_manifest
from rigger.cli.app import App, command, group
from rigger.configuration import resolve
from rigger.errors import DifferencesFound
from rigger.text import plain


@group("bundle")
def bundle():
    pass


@bundle.add_command
@command("inspect", reports=True)
@click.argument("path", metavar="FILE")
def inspect(app: App, path: str):
    """Show what FILE says of itself; nothing of it is checked yet."""
    manifest = read_manifest(path)
    if app.json:
        app.printer.report({**manifest.fields, "files": {n: vars(f) for n, f in manifest.files.items()}})
        return
    fields = {name: _short(value) for name, value in manifest.fields.items()}
    about = [fields.get(name, "?") for name in ("name", "platform", "version", "provider")]
    app.printer.heading("{}: {} {} on {}".format(*about))
    rows = [(name, fields.get(name, "")) for name in ("created", "rigger", "id", "serial", "commit", "audit")]
    rows += [("signed", "yes" if manifest.signature else "no")]
    rows += [("secrets", "inside, encrypted" if SECRETS in manifest.files else "left out")]
    rows += [(name.replace("_", " "), fields.get(name, "")) for name in ("redacted", "left_out")]
    app.printer.table([row for row in rows if row[1]])
    app.printer.line()
    app.printer.table([(f.mode, f.size, f.sha256[:12], name) for name, f in sorted(manifest.files.items())])


def _short(value) -> str:
    """Return a field of a manifest, which may hold anything, as one line."""
    if isinstance(value, dict):
        return ", ".join(f"{_short(name)} {_short(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_short, value))
    return "" if value is None else plain(str(value))


@bundle.add_command
@command("verify", reports=True)
@click.argument("path", metavar="FILE")
@click.option("--verify-key", "key", metavar="KEY", help="Insist on a signature by this SSH public key.")
def verify(app: App, path: str, key: str | None):
    """Check every file of FILE, its audit log and its signature."""
    manifest = _verified(app, path, key)
    if app.json:
        app.printer.report(
            {"file": path, "files": len(manifest.files), "signer": manifest.signer, "good": True}
        )
        return
    signed = f"signed by {manifest.signer}" if manifest.signer else "not signed"
    count = manifest.fields["audit"]["count"]
    app.printer.line(
        f"{path}: {len(manifest.files)} files as written, audit log of {count} records whole, {signed}."
    )


def _verified(app: App, path: str, key: str | None = None) -> Manifest:
    with unpack.unpacked(path, app.home, check_signature=seal.checker(key)) as found:
        return found.manifest


@bundle.add_command
@command("diff", reports=True)
@click.argument("a", metavar="A")
@click.argument("b", metavar="[B]", required=False)
@click.option("--exit-code", is_flag=True, help="Exit 8 when there is a difference.")
def diff(app: App, a: str, b: str | None, exit_code: bool):
    """Compare bundle A with bundle B, or with the environment."""
    before = _verified(app, a)
    after = _verified(app, b) if b else _as_saved_now(app)
    if b is None:  # what is encrypted, and what comes from a repository, differs whenever it is made
        before = replace(before, files={n: f for n, f in before.files.items() if n not in ADDED})
    found = bundle_format.diff(before, after)
    if app.json:
        app.printer.report({"added": found.added, "removed": found.removed, "changed": found.changed})
    elif not found:
        app.printer.line("No difference.")
    else:
        rows = [
            (sign, name)
            for sign, names in (("+", found.added), ("-", found.removed), ("~", found.changed))
            for name in names
        ]
        app.printer.table(rows)
    if found and exit_code:
        raise DifferencesFound(f"{a} differs from {b or 'the environment'}.")


def _as_saved_now(app: App) -> Manifest:
    """Return the manifest that a bundle of the environment would have now."""
    import os
    from tempfile import TemporaryDirectory

    environment = app.environment()
    with TemporaryDirectory(prefix="rigger-") as folder, environment.locked("rigger bundle diff"):
        path = os.path.join(folder, "now.rigger")
        contents.save(environment, resolve.resolve(environment), path)
        return read_manifest(path)
