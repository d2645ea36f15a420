"""What the modules of an environment need from a network: each thing with the module and the line that asks for it."""

from __future__ import annotations

import os

from rigger.modules import yaml as yaml_reader
from rigger.modules.contract import MANIFEST
from rigger.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rigger.modules.model import Module
    from rigger.modules.yaml import Field

FILE, DEBIAN, PYTHON, IMAGE = "file", "debian", "python", "image"


@frozen
class Wanted:
    """One thing that a module needs: a URL, the name of a package, a requirement of pip, or an image by its digest."""

    kind: str
    value: str
    module: str
    where: str  # the manifest and its line
    sha256: str = ""  # of a file

    def __str__(self) -> str:
        return f"{self.value}, which {self.module} needs ({self.where})"


def wanted_by(modules: Iterable[Module]) -> list[Wanted]:
    """Return what modules need, in the order of their manifests."""
    return [one for module in modules for one in _of(module)]


def _of(module: Module) -> Iterator[Wanted]:
    needs = module.requirements
    if not (needs.files or needs.packages or needs.python or needs.images):
        return
    path = os.path.join(module.folder, MANIFEST)
    at = yaml_reader.read(path).entries()["requirements"].entries()

    def one(kind: str, value: str, field: Field, sha256: str = "") -> Wanted:
        return Wanted(kind, value, module.name, f"{path}, line {field.line}", sha256)

    if needs.files:
        for file, field in zip(needs.files, at["files"].items(), strict=True):
            yield one(FILE, file.url, field, file.sha256)
    if needs.packages.get("debian"):
        for field in at["packages"].entries()["debian"].items():
            yield one(DEBIAN, field.text(), field)
    for kind, name in ((PYTHON, "python"), (IMAGE, "images")):
        for field in at[name].items() if name in at else ():
            yield one(kind, field.text(), field)
