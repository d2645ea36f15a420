"""What the machines of an environment should be, and what rigger remembers about them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rigger.sdk import StepFailed, write_file

IMPORT, NEW, NONE = "import", "new", "none"
TAG = "rigger:environment-id"


@dataclass(frozen=True)
class Settings:
    """The answers that concern the machines, with the environment that they are for."""

    environment: str
    id: str
    account: str
    region: str
    nodes: int
    instance_type: str
    image: str
    disk: int  # GiB
    zones: tuple[str, ...]
    zone_count: int
    vpc: str
    subnets: tuple[str, ...]
    key_pair: str
    ssh_key: str
    user: str
    ssh_from: str
    platform_from: str
    dns_zone: str
    ports: tuple[int, ...]

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Settings:
        """Read the variables of a step."""
        vpc = values.get("VPC_ID", NEW)
        zone = values.get("DNS_ZONE", NONE)
        return cls(
            environment=values["RIGGER_ENVIRONMENT"],
            id=values["RIGGER_ENVIRONMENT_ID"],
            account=values.get("AWS_ACCOUNT_ID", ""),
            region=values["AWS_REGION"],
            nodes=int(values.get("NODES") or 3),
            instance_type=values.get("INSTANCE_TYPE", ""),
            image=values.get("IMAGE_ID", ""),
            disk=int(values.get("DISK_SIZE") or 20),
            zones=listed(values.get("AVAILABILITY_ZONES", "")),
            zone_count=int(values.get("ZONE_COUNT") or 1),
            vpc="" if vpc == NEW else vpc,
            subnets=listed(values.get("SUBNET_IDS", "")) if vpc != NEW else (),
            key_pair=values.get("KEY_PAIR", IMPORT),
            ssh_key=values.get("SSH_KEY", ""),
            user=values.get("SSH_USER") or "rigger",
            ssh_from=values.get("SSH_FROM") or "0.0.0.0/0",
            platform_from=values.get("PLATFORM_FROM", ""),
            dns_zone="" if zone == NONE else zone,
            ports=tuple(int(port) for port in values.get("RIGGER_PLATFORM_PORTS", "").split()),
        )

    @property
    def label(self) -> str:
        """The environment's name as host names and CloudFormation allow it."""
        return re.sub(r"[^A-Za-z0-9-]", "-", self.environment).strip("-") or "environment"

    @property
    def stack_tag(self) -> str:
        return f"{self.label}-{self.id}"

    @property
    def stack(self) -> str:
        return f"rigger-{self.stack_tag}"[:128]

    @property
    def domain(self) -> str:
        return f"{self.label.lower()}.{self.dns_zone}" if self.dns_zone else ""

    @property
    def tags(self) -> dict[str, str]:
        """What tells all that belongs to this environment from all else in the account."""
        return {"managed-by": "rigger", "rigger:environment": self.environment, TAG: self.id}


def listed(text: str) -> tuple[str, ...]:
    """Return the items of an answer to a checkbox question."""
    return tuple(item for item in re.split(r"[,\s]+", text) if item)


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as most calls want them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@dataclass
class State:
    """What stays from one step to the next: choices that AWS would answer differently on another day."""

    folder: str
    image: dict[str, Any] = field(default_factory=dict)  # asked for, id, root device
    zones: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)  # instance id -> the node's name
    suspended: bool = False
    drawn: dict[str, Any] = field(default_factory=dict)  # what the last template was drawn from

    @classmethod
    def read(cls, folder: str) -> State:
        """Read what the steps before left in a module's state; raises StepFailed where that cannot be understood."""
        path = os.path.join(folder, "kept.json")
        try:
            with open(path, "rb") as file:
                return cls(folder, **json.load(file))
        except FileNotFoundError:
            return cls(folder)
        except (OSError, ValueError, TypeError) as problem:
            raise StepFailed(f"{path} cannot be read: {problem}.", "Restore it from a bundle.") from None

    def write(self) -> None:
        """Write it for the next step."""
        data = {name: value for name, value in vars(self).items() if name != "folder"}
        self.write_file("kept.json", json.dumps(data, indent=1, sort_keys=True).encode() + b"\n")

    def write_file(self, name: str, data: bytes) -> None:
        """Replace a file of the module's state."""
        write_file(os.path.join(self.folder, name), data)

    def remove(self) -> None:
        """Forget what was about machines that are no more; the files stay for whoever wants to look at them."""
        fresh = State(self.folder)
        fresh.write()
