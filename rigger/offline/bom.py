"""The bill of materials of an export: CycloneDX 1.6, JSON (ECMA-424)."""

from __future__ import annotations

import os
import re
import time
import uuid

from rigger import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

FILE = "bom.json"
TYPES = {"debian": "library", "python": "library", "rigger": "application"}


def bom(environment: str, files: Mapping[str, str], wanted: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the bill of some files, path -> SHA-256 in hex; `wanted` are pairs of a module and what it needs."""
    needs = [{"name": f"rigger:needed-by:{module}", "value": value} for module, value in wanted]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "tools": {"components": [{"type": "application", "name": "rigger", "version": __version__}]},
            "component": {"type": "application", "name": environment, "bom-ref": "environment"},
            **({"properties": needs} if needs else {}),
        },
        "components": [_component(path, sha256) for path, sha256 in sorted(files.items())],
    }


def _component(path: str, sha256: str) -> dict[str, Any]:
    top, base = path.partition("/")[0], os.path.basename(path)
    component = {
        "type": TYPES.get(top, "file"),
        "bom-ref": path,
        "name": base,
        "hashes": [{"alg": "SHA-256", "content": sha256}],
    }
    name, version, purl = _package(top, base)
    if name:
        component |= {"name": name, "version": version, "purl": purl}
    return component


def _package(top: str, base: str) -> tuple[str, str, str]:
    """Return name, version and package URL of a Debian package or a wheel, as their file names have them."""
    if top == "debian" and (found := re.fullmatch(r"([^_]+)_([^_]+)_([^_]+)\.deb", base)):
        name, version, architecture = found[1], found[2].replace("%3a", ":"), found[3]
        written = version.replace(":", "%3A").replace("+", "%2B")
        return name, version, f"pkg:deb/debian/{name}@{written}?arch={architecture}"
    if top in ("python", "rigger") and (found := re.fullmatch(r"([^-]+)-([^-]+)-.+\.whl", base)):
        name = re.sub("[-_.]+", "-", found[1]).lower()
        return name, found[2], f"pkg:pypi/{name}@{found[2].replace('+', '%2B')}"
    return "", "", ""
