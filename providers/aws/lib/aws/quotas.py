"""What an account may have, what it has, and what the environment would add: told before anything is made.

Codes of quotas: https://docs.aws.amazon.com/general/latest/gr/ec2-service.html (on-demand instances, in vCPUs),
https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from aws.session import MORE_QUOTA, Aws, code, plainly, problems
from aws.settings import TAG, Settings

# By the letters that an instance type begins with; each family of accelerators and of much memory has its own.
STANDARD = "L-1216C47A"
VCPUS = {
    "g": "L-DB2E81BA",
    "vt": "L-DB2E81BA",
    "p": "L-417A185B",
    "inf": "L-1945791B",
    "trn": "L-2C3B7624",
    "f": "L-74FC7D96",
    "x": "L-7295265B",
    "dl": "L-6E869C2A",
    "hpc": "L-F7808C92",
    "u": "L-43DA4232",
}
NETWORKS, BALANCERS = "L-F678F1CE", "L-69A177A2"
COUNTED = ("pending", "running")  # a stopped instance counts for nothing


@dataclass(frozen=True)
class Quota:
    """One quota: what it limits, how much the environment would add, and how much others use of it."""

    what: str
    service: str
    code: str
    needed: int
    used: Callable[[], int]


@dataclass(frozen=True)
class Outlook:
    """Whether a quota suffices, in words; `suffices` is None where AWS did not say."""

    what: str
    suffices: bool | None
    detail: str
    remedy: str = ""


def outlooks(aws: Aws, settings: Settings, exists: bool) -> Iterator[Outlook]:
    """Yield what each quota that the environment touches says; `exists`: its stack is there, with network and balancer."""
    for quota in _touched(aws, settings, exists):
        try:
            yield _outlook(quota, _limit(aws, quota), quota.used())
        except problems() as problem:
            said = plainly(problem, settings.region)
            yield Outlook(quota.what, None, f"AWS does not tell: {said.message}")


def _touched(aws: Aws, settings: Settings, exists: bool) -> Iterator[Quota]:
    kind = settings.instance_type
    if kind:
        each = _vcpus(aws, {kind})[kind]
        family = quota_of(kind)
        name = f"vCPUs of machines such as {kind}"
        yield Quota(
            name, "ec2", family, each * settings.nodes, lambda: _vcpus_of_others(aws, settings, family)
        )
    if exists:
        return
    if not settings.vpc:
        yield Quota("networks (VPCs)", "vpc", NETWORKS, 1, lambda: _networks(aws))
    if settings.ports:
        yield Quota("network load balancers", "elasticloadbalancing", BALANCERS, 1, lambda: _balancers(aws))


def _outlook(quota: Quota, limit: int, used: int) -> Outlook:
    figures = f"{limit} allowed in this region, {used} used by others, {quota.needed} needed"
    suffices = used + quota.needed <= limit
    return Outlook(quota.what, suffices, figures, "" if suffices else MORE_QUOTA)


def quota_of(kind: str) -> str:
    """Return the code of the quota that an instance type counts against, such as t3.small or inf2.xlarge."""
    family = re.match(r"[a-z]+", kind)  # such as the g of g5g, the u of u-6tb1: what follows does not count
    return VCPUS.get(family[0] if family else "", STANDARD)


def _limit(aws: Aws, quota: Quota) -> int:
    """Return what the account may have: its own value, or that of every account where it never had one."""
    client = aws.client("service-quotas")
    what = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    try:
        return int(client.get_service_quota(**what)["Quota"]["Value"])
    except Exception as problem:
        if code(problem) != "NoSuchResourceException":
            raise
    return int(client.get_aws_default_service_quota(**what)["Quota"]["Value"])


def _vcpus(aws: Aws, kinds: set[str]) -> dict[str, int]:
    """Return how many vCPUs instances of some types have."""
    pages = aws.client("ec2").get_paginator("describe_instance_types").paginate(InstanceTypes=sorted(kinds))
    return {
        kind["InstanceType"]: kind["VCpuInfo"]["DefaultVCpus"]
        for page in pages
        for kind in page["InstanceTypes"]
    }


def _vcpus_of_others(aws: Aws, settings: Settings, family: str) -> int:
    """Return how many vCPUs of a quota are used by instances that are not the environment's own."""
    states = [{"Name": "instance-state-name", "Values": list(COUNTED)}]
    pages = aws.client("ec2").get_paginator("describe_instances").paginate(Filters=states)
    found = [i for page in pages for group in page["Reservations"] for i in group["Instances"]]
    kinds = [
        instance["InstanceType"]
        for instance in found
        if quota_of(instance["InstanceType"]) == family
        and instance.get("InstanceLifecycle") != "spot"  # which has quotas of its own
        and not _ours(instance, settings)
    ]
    each = _vcpus(aws, set(kinds)) if kinds else {}
    return sum(each[kind] for kind in kinds)


def _ours(instance: dict[str, Any], settings: Settings) -> bool:
    return {"Key": TAG, "Value": settings.id} in instance.get("Tags", ())


def _networks(aws: Aws) -> int:
    return sum(len(page["Vpcs"]) for page in aws.client("ec2").get_paginator("describe_vpcs").paginate())


def _balancers(aws: Aws) -> int:
    pages = aws.client("elbv2").get_paginator("describe_load_balancers").paginate()
    return sum(balancer["Type"] == "network" for page in pages for balancer in page["LoadBalancers"])
