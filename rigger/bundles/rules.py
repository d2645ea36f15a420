"""What the manifest of a saved environment must say for it to be loaded."""

from __future__ import annotations

import base64
import os
import re

from rigger.bundles.contents import BACKUP_NAME, BACKUPS, CHECKOUT, SECRETS, TREES
from rigger.bundles.names import name_problem
from rigger.envfile.names import check_name, check_value
from rigger.environments.home import NAME
from rigger.environments.store import OUTPUTS, SECRET_OUTPUTS
from rigger.modules import contract
from rigger.ssh.connections import KNOWN_HOSTS
from rigger.trust.digests import NOT_SCRIPTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

ROLES = ("provider", "platform")


BACKUP = rf"{BACKUPS}/{BACKUP_NAME}"  # what `rigger save --with-backup` packs

AGAIN = "Get it again from whoever made it."


def fields_problem(fields: Mapping[str, object]) -> str | None:
    """Return which field of a manifest is not what rigger writes, None when all are."""
    audit = fields.get("audit")
    expected = {
        "name": _matches(fields.get("name"), NAME),
        "id": _matches(fields.get("id"), r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"),
        "prefix": _matches(fields.get("prefix"), r"[A-Z_][A-Z0-9_]{0,62}"),
        "serial": _is_count(fields.get("serial")),
        "audit": isinstance(audit, dict)
        and _is_count(audit.get("count"))
        and _matches(audit.get("head"), "[0-9a-f]{64}")
        and fields.get("serial") == audit["count"],
        "environment_dir": _is_folder(fields.get("environment_dir")),
        "backup": fields.get("backup", "") == "" or _matches(fields["backup"], BACKUP),
        "path_folders": _all(fields.get("path_folders"), _is_path_folder),
        "redacted": _all(fields.get("redacted"), lambda name: check_name(name) is None),
        "derived": _all(fields.get("derived", []), lambda name: check_name(name) is None),
        "left_out": _all(fields.get("left_out"), lambda name: member_problem(name, fields) is None),
        **{role: _matches(fields.get(role), contract.NAME) for role in ROLES},
        "addons": _are_addons(fields.get("addons", {})),
        **{name: _is_line(fields.get(name)) for name in ("created", "version", "commit")},
    }
    wrong = [name for name, good in expected.items() if not good]
    return f"its manifest has no usable {wrong[0]}" if wrong else None


def member_problem(name: str, fields: Mapping[str, object]) -> str | None:
    """Return why a file has no place in a bundle of an environment: nothing that rigger keeps for itself comes along."""
    parts = name.split("/")
    places = [[tree] for tree in TREES] + [["scripts", role, fields.get(role)] for role in ROLES]
    addons = fields.get("addons", {})
    places += [["scripts", "addon", name] for name in (addons if isinstance(addons, dict) else {})]
    inside = any(parts[: len(place)] == place and len(parts) > len(place) for place in places)
    plain = name in ("vars", "audit.jsonl", "inventory.json", KNOWN_HOSTS, SECRETS, CHECKOUT)
    plain = plain or name in (OUTPUTS, SECRET_OUTPUTS) or _matches(name, BACKUP)
    if name_problem(name) is None and (plain or inside and not NOT_SCRIPTS & {*parts}):
        return None
    return f"{name!r} has no place in it"


def is_sealed(sealed: Any) -> bool:
    """Return whether the encrypted part is of the form that `rigger save` gives it."""
    try:
        names = all(check_name(name) is None for name in sealed["secrets"])
        values = all(check_value(name, value) is None for name, value in sealed["secrets"].items())
        files = all(
            base64.b64decode(f["data"], validate=True) is not None and isinstance(f["mode"], int)
            for f in sealed["files"].values()
        )
        return names and values and files and len(bytes.fromhex(sealed["key"])) == 32
    except (TypeError, KeyError, AttributeError, ValueError):
        return False


def _are_addons(value: object) -> bool:
    """Return whether these are add-ons: the name that each has in the environment, and its own."""
    return isinstance(value, dict) and all(
        _matches(name, contract.NAME) and _matches(module, contract.NAME) for name, module in value.items()
    )


def _matches(value: object, pattern: str) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_line(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 200 and (value.isprintable() or not value)


def _is_folder(value: object) -> bool:
    return (
        isinstance(value, str) and value != "/" and os.path.isabs(value) and os.path.normpath(value) == value
    )


def _is_path_folder(name: str) -> bool:
    return name_problem(name) is None and os.pathsep not in name


def _all(values: object, good: Callable[[str], bool]) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) and good(value) for value in values)
