"""What labels mean, as SSM parameters: `/{project}/images/{label}/{service}`, which Terraform reads as they are.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html has the limits.
"""

from __future__ import annotations

import contextlib
import time

from rigger.errors import BadUsage, NotReady, RiggerError
from rigger.releases.names import RULE, is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from rigger.releases.aws_reach import Aws

LONGEST = 4096  # bytes of a value
LONGEST_NOTE = 1024  # characters of a description
READ_BACK = 10  # looks, a second between two, until SSM says what was written


class Labels:
    """The labels of one project."""

    def __init__(self, aws: Aws, project: str):
        self._aws, self._top = aws, f"/{project}/images"
        if project.lower().startswith(("aws", "ssm")):
            raise BadUsage(
                f"SSM takes no parameter whose name begins with aws or ssm, as those of project {project} would.",
                "Give the project another id.",
            )

    def labels(self) -> list[str]:
        """Return the labels that mean something, sorted."""
        return sorted({label for label, _, _ in self._under(self._top)})

    def images(self, label: str) -> dict[str, str]:
        """Return what a label means; {} where it means nothing."""
        _require_name(label)
        return {service: uri for _, service, uri in sorted(self._under(f"{self._top}/{label}"))}

    def write(self, label: str, images: Mapping[str, str | None], note: str) -> None:
        """Write what differs, and look until SSM says it; where that fails, what it was is put back as far as that can be."""
        _require_name(label)
        for service, uri in images.items():
            _require_name(service)
            if uri is not None and len(uri.encode()) > LONGEST:
                raise BadUsage(
                    f"The image of {service} has {len(uri.encode())} bytes, and SSM takes {LONGEST}.",
                    "Give it a shorter URI.",
                )
        before = self.images(label)
        differing = {service: uri for service, uri in images.items() if before.get(service) != uri}
        try:
            self._write(label, differing, note)
            self._read_back(label, differing)
        except BaseException:
            with contextlib.suppress(RiggerError):
                self._write(label, {service: before.get(service) for service in differing}, note)
            raise

    def _write(self, label: str, images: Mapping[str, str | None], note: str) -> None:
        for service, uri in sorted(images.items()):
            if uri is not None:
                name = f"{self._top}/{label}/{service}"
                said: dict[str, Any] = {"Description": note[:LONGEST_NOTE]} if note else {}
                self._aws.call(
                    "ssm", "put_parameter", Name=name, Value=uri, Type="String", Overwrite=True, **said
                )
        gone = [f"{self._top}/{label}/{service}" for service, uri in sorted(images.items()) if uri is None]
        for start in range(0, len(gone), 10):  # so many in a call
            self._aws.call("ssm", "delete_parameters", Names=gone[start : start + 10])

    def _read_back(self, label: str, images: Mapping[str, str | None]) -> None:
        for look in range(READ_BACK if images else 0):
            if look:
                time.sleep(1)
            found = self.images(label)
            wrong = [service for service, uri in images.items() if found.get(service) != uri]
            if not wrong:
                return
        if images:
            raise NotReady(
                f"SSM does not say what was written to {self._top}/{label}/{wrong[0]}.",
                "Somebody else writes there, perhaps. Run the same command again.",
            )

    def _under(self, path: str) -> Iterator[tuple[str, str, str]]:
        """Yield label, service and image of each parameter below a path."""
        for page in self._aws.pages("ssm", "get_parameters_by_path", Path=path, Recursive=True):
            for one in page["Parameters"]:
                words = one["Name"].removeprefix(f"{self._top}/").split("/")
                if len(words) == 2:
                    yield words[0], words[1], one["Value"]


def _require_name(name: str) -> None:
    if not is_name(name):
        raise BadUsage(f"{name!r} cannot be part of a parameter's name in SSM: {RULE}.", "Use another one.")
