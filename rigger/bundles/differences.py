"""What a bundle changes in the environment that is here."""

from __future__ import annotations

from rigger.bundles.verify import log_difference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.bundles.load import Loaded


def differences(loaded: Loaded) -> list[str]:
    """Return, in sentences, what a bundle changes in the environment that is here."""
    if not loaded.update:
        return []
    current, bundled = loaded.target.vars(), loaded.opened.vars(loaded.target)
    lines = []
    for name in sorted({*current, *bundled}):
        if current.get(name) != bundled.get(name):
            lines.append(f"{name}: {current.get(name, '(unset)')} -> {bundled.get(name, '(unset)')}")
    return [*lines, log_difference(loaded.opened, loaded.target)]
