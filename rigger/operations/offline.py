"""Take all that an environment needs to a machine without a network: export it here, import it there."""

from __future__ import annotations

import json
import os
import shutil
import time

from rigger.bundles import pack, read, seal
from rigger.bundles.format import Member
from rigger.configuration.resolve import resolve
from rigger.environments.home import MIRROR
from rigger.errors import BadUsage, Refused
from rigger.files import folder_aside, in_turn, into_place, saying_what_failed
from rigger.offline import bom, mirror
from rigger.offline.collect import collect, rigger_itself
from rigger.offline.programs import Failed
from rigger.offline.wanted import wanted_by
from rigger.operations.consent import Consent
from rigger.operations.repository import place_of_mirror
from rigger.operations.save import save
from rigger.repositories.bring import UNVERSIONED
from rigger.runs.reporter import Reporter, Silent
from rigger.trust.digests import NOT_SCRIPTS
from rigger.values import field, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rigger.bundles.format import Manifest
    from rigger.configuration.config import Config
    from rigger.environments.environment import Environment
    from rigger.environments.home import Home
    from rigger.offline.wanted import Wanted

KIND = "rigger-offline"  # in the manifest of an export, which has the format of a bundle


@frozen
class Exported:
    """A file with all that an environment needs."""

    path: str
    size: int  # bytes
    files: tuple[str, ...]  # that are in it
    earlier: tuple[str, ...]  # that an earlier export has

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": self.path,
            "size": self.size,
            "files": list(self.files),
            "earlier": list(self.earlier),
        }


@frozen
class ImportedFiles:
    """What an import gave: the mirror, the bundles in it, and its images with where each is now."""

    mirror: str
    files: int
    bundles: tuple[str, ...]
    images: Mapping[str, str] = field(
        default_factory=dict
    )  # image -> podman, a registry's name of it, or nothing
    signer: str = ""  # who signed the file; nothing where nobody did

    def as_dict(self) -> dict[str, Any]:
        images = [{"name": name, "place": place} for name, place in self.images.items()]
        return {
            "mirror": self.mirror,
            "files": self.files,
            "signer": self.signer,
            "bundles": list(self.bundles),
            "images": images,
        }


def export(
    environment: Environment,
    path: str = "",
    since: str = "",
    with_rigger: bool = True,
    reporter: Reporter | None = None,
    consent: Consent | None = None,
    sign_key: str | None = None,
) -> Exported:
    """Collect what the modules of an environment need, with modules, rigger and the bundle, in one file.

    `since` is an earlier export: what that has is left out. `sign_key` is an SSH key that signs it. Raises NotReady that names what cannot be had and which line
    of a manifest asks for it, BadUsage where the file cannot be written, Refused for an earlier export that is none.
    """
    reporter, consent = reporter or Silent(), consent or Consent()
    path = os.path.abspath(path or f"{environment.name}-{time.strftime('%Y%m%dT%H%M%S')}.offline")
    if not os.path.isdir(os.path.dirname(path)):
        raise BadUsage(
            f"There is no folder {os.path.dirname(path)}.", "Make it, or name another file with -f."
        )
    before = _files_of(_manifest(read.read_manifest(since), since)) if since else {}
    config = resolve(environment)
    wanted = wanted_by(config.modules)
    with saying_what_failed(path), folder_aside(os.path.dirname(path)) as aside:
        collect(wanted, aside, reporter.line)
        if with_rigger:
            os.makedirs(os.path.join(aside, "rigger"))
            rigger_itself(os.path.join(aside, "rigger"), reporter.line)
        _copy_modules(config, aside)
        os.makedirs(os.path.join(aside, "bundles"))
        save(
            environment, os.path.join(aside, "bundles", f"{environment.name}.rigger"), None, reporter, consent
        )
        files = mirror.files_of(aside)
        earlier = {name: digest for name, digest in files.items() if before.get(name) == digest}
        members = [Member(name, path=os.path.join(aside, name)) for name in files if name not in earlier]
        fields = {"kind": KIND, "environment": environment.name, "earlier": earlier}
        members.append(Member(bom.FILE, data=_bill(environment.name, files, wanted)))
        sign = seal.signer(sign_key) if sign_key else None
        packed = pack.pack(path, members, fields, sign=sign)
    return Exported(path, packed.size, tuple(sorted(m.name for m in members)), tuple(sorted(earlier)))


def _bill(name: str, files: Mapping[str, str], wanted: list[Wanted]) -> bytes:
    made = bom.bom(name, files, ((one.module, one.value) for one in wanted))
    return json.dumps(made, indent=1).encode() + b"\n"


def _copy_modules(config: Config, folder: str) -> None:
    for module in config.addons:
        name = module.module_name
        place = os.path.join(folder, "modules", name, module.version or UNVERSIONED)
        if not os.path.exists(place):
            shutil.copytree(module.folder, place, ignore=shutil.ignore_patterns(*NOT_SCRIPTS))


def _manifest(manifest: Manifest, path: str) -> Manifest:
    """Return the manifest of an export; raises Refused for another bundle."""
    earlier = manifest.fields.get("earlier")
    strange = [name for name in manifest.files if name != bom.FILE and name.split("/")[0] not in mirror.TOPS]
    if manifest.fields.get("kind") != KIND or not isinstance(earlier, dict) or strange:
        raise Refused(f'{path} is not what "rigger offline export" writes.', "Name the file that it wrote.")
    if not all(name.split("/")[0] in mirror.TOPS and ".." not in name.split("/") for name in earlier):
        raise Refused(f"{path} names files that have no place in it.", "Get it again from whoever made it.")
    return manifest


def _files_of(manifest: Manifest) -> dict[str, str]:
    return {**{n: f.sha256 for n, f in manifest.files.items()}, **manifest.fields["earlier"]}


def import_file(
    home: Home,
    path: str,
    registry: str = "",
    reporter: Reporter | None = None,
    verify_key: str | None = None,
) -> ImportedFiles:
    """Verify an export and serve what it has to modules, beside what earlier imports gave; all of it, or nothing.

    `registry` is one (HOST:PORT) that gets the images; without it podman does, where it is installed. Raises Refused for a
    file that is not as it was written, or not signed by `verify_key`, the file of an SSH public key, where one is given.
    """
    reporter = reporter or Silent()
    home.make()
    place = os.path.join(home.path, MIRROR)
    with saying_what_failed(place), in_turn(f"{place}.lock"), folder_aside(home.path) as aside:
        new = os.path.join(aside, MIRROR)
        check = seal.checker(verify_key)
        manifest = _manifest(read.extract(path, new, check_signature=check), path)
        files = {name: file.sha256 for name, file in manifest.files.items()}
        mirror.complete(new, place, files, manifest.fields["earlier"])
        mirror.write_indexes(new, place)
        into_place(new, place)
    place_of_mirror(home, os.path.join(place, "modules"), reporter)
    loaded = {
        image: _loaded(image, layout, registry, reporter) for image, layout in mirror.images(place).items()
    }
    bundles = sorted(name for name in files if name.startswith("bundles/"))
    found = tuple(os.path.join(place, name) for name in bundles)
    return ImportedFiles(place, len(files), found, loaded, manifest.signer)


def _loaded(image: str, layout: str, registry: str, reporter: Reporter) -> str:
    try:
        return mirror.load_image(image, layout, registry)
    except Failed as problem:
        reporter.warn(f"{image} is in {layout}, and could not be loaded: {problem}.")
        return ""
