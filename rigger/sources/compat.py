"""Which interface a platform's checkout speaks, and whether this rigger knows it."""

from __future__ import annotations

from rigger import versions
from rigger.errors import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rigger.modules.model import Module

KNOWN_INTERFACES = (1, 2)


def require_interface(platform: Module, version: str) -> None:
    """Raise Refused for a version of a platform that speaks no interface which this rigger knows."""
    if not platform.interfaces or not versions.numbers(version):  # a commit without a tag says nothing
        return
    spoken = [n for n, since in platform.interfaces.items() if not _before(version, since)]
    if spoken and max(spoken) in KNOWN_INTERFACES:
        return
    if spoken:
        knows = f"; rigger {platform.rigger} knows it" if platform.rigger else ""
        raise Refused(
            f"{platform.name} {version} speaks interface {max(spoken)}, which this rigger does not know{knows}.",
            "Install that rigger, or choose an older version.",
        )
    known = [n for n in sorted(platform.interfaces) if n in KNOWN_INTERFACES]
    speak = "; ".join(f"{platform.interfaces[n]} and later speak interface {n}" for n in known)
    raise Refused(
        f"{platform.name} {version} speaks no interface that this rigger knows{'; ' if speak else ''}{speak}.",
        "Choose another version.",
    )


def _before(version: str, other: str) -> bool:
    """Return whether a version is older; the candidates of a release speak what it speaks."""
    return versions.numbers(version) < versions.numbers(other)


def speaks(platform: Module, release: str) -> bool:
    try:
        require_interface(platform, release)
    except Refused:
        return False
    return True
