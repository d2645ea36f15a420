"""A module's manifest: each is decoded once, and once more where a byte of it changed, or the code that decodes it."""

from __future__ import annotations

import os
from contextlib import suppress

from rigger.errors import Refused
from rigger.files import STALE, TEMPORARY, sweep
from rigger.kept import keep, recall
from rigger.later import later
from rigger.modules import content
from rigger.modules.contract import MANIFEST
from rigger.modules.model import Module
from rigger.sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.modules import decode
else:
    decode = later("rigger.modules.decode")  # which takes YAML and all fields along

ROOMS = ("envfile", "modules", "questions")  # whose code makes a module of a manifest


def load(folder: str, cache: str | None = None) -> Module:
    """Return the module in a folder; raises Refused with file, line and field.

    `cache` is a folder for what was decoded: to decode takes longer than all else that a command does before its first
    step. The manifest itself is read every time, and only the module of these very bytes is taken from there.
    """
    path = os.path.join(folder, MANIFEST)
    data = content.read(path)
    if cache is None:
        return decode.decode(data, path)
    place = os.path.join(cache, f"{sha256(os.fsencode(path)).hexdigest()}.json")
    of = {"manifest": path, "content": sha256(data).hexdigest()}
    known, module = recall(place, ROOMS) or ({}, None)
    if isinstance(module, Module) and of.items() <= known.items():
        return module
    module = decode.decode(data, path)
    if os.path.isdir(os.path.dirname(cache)):  # no home is made for the sake of a cache
        with suppress(OSError):
            os.makedirs(cache, mode=0o700, exist_ok=True)
            sweep(cache, TEMPORARY, STALE)
            keep(place, of, module, ROOMS)
    return module


def role_and_name(folder: str, cache: str | None = None) -> tuple[str, str]:
    """Return the role and the name that a manifest says, whatever else is wrong with it; empty where it has none.

    Raises Refused where that cannot be read.
    """
    try:
        module = load(folder, cache)
    except Refused:
        path = os.path.join(folder, MANIFEST)
        return decode.role_and_name(content.read(path), path)
    return module.role, module.name
