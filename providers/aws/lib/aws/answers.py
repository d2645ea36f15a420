"""The programs behind the questions: choices that AWS knows, and whether an answer can be used."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from typing import Any

from aws import keys
from aws.keys import public_half, require_private_half, same_half
from aws.session import ANYWHERE, ENVIRONMENT, TYPED, Aws
from aws.settings import IMPORT, NEW, NONE, listed
from rigger.sdk import StepFailed

# What stands first in the list; a region may offer hundreds.
COMMON_TYPES = (
    "t3.small t3.medium t3.large m7i.large m6i.large m6i.xlarge c6i.large r6i.large t4g.small m7g.large"
)

Lines = Iterator[tuple[str, str]]


def list_credentials(values: Mapping[str, str]) -> Lines:
    """List where credentials can come from on this machine."""
    shell = os.environ.get("AWS_ACCESS_KEY_ID") or os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    if shell:
        yield ENVIRONMENT, "those of this shell (AWS_ACCESS_KEY_ID ...); not stored"
    import botocore.session

    for profile in botocore.session.Session(profile=None).available_profiles:
        yield profile, "a profile of ~/.aws; not stored"
    # The first one is what counts where nobody is asked: a key is typed by who gives one.
    last = [(TYPED, "an access key, typed in")]
    if not shell:
        usual = (ENVIRONMENT, "whatever the AWS tools find on this machine, such as its role")
        last.insert(1 if os.environ.get("RIGGER_AWS_KEY_ID") else 0, usual)
    yield from last


def check_credentials(values: Mapping[str, str]) -> None:
    """See that AWS accepts the credentials, unless they are to be typed first."""
    if values.get("AWS_CREDENTIALS") != TYPED:
        _anywhere(values).identity()


def check_typed(values: Mapping[str, str]) -> None:
    """See that AWS accepts an access key; one that belongs to a session is complete with its token only."""
    if not values.get("AWS_KEY_ID", "").startswith("ASIA") or values.get("AWS_KEY_TOKEN"):
        _anywhere(values).identity()


def list_account(values: Mapping[str, str]) -> Lines:
    """Say which account the credentials belong to."""
    yield _anywhere(values).identity()


def _anywhere(values: Mapping[str, str]) -> Aws:
    """Return clients for what may be asked before a region was chosen."""
    return Aws({**values, "AWS_REGION": ""})


def list_regions(values: Mapping[str, str]) -> Lines:
    """List the regions: the usual one first, those that are switched off last."""
    aws = _anywhere(values)
    regions = aws.client("ec2").describe_regions(AllRegions=True)["Regions"]
    usual = aws.home_region()
    usable = {region["RegionName"]: region["OptInStatus"] != "not-opted-in" for region in regions}
    for name in sorted(usable, key=lambda name: (not usable[name], name != usual, name)):
        yield name, "" if usable[name] else "switched off in this account"


def check_region(values: Mapping[str, str]) -> None:
    """See that a region answers with these credentials."""
    region = values["AWS_REGION"]
    if any(name == region and note for name, note in list_regions({**values, "AWS_REGION": ANYWHERE})):
        raise StepFailed(
            f"{region} is switched off in this account.",
            "Switch it on in the AWS console, or choose another.",
        )
    Aws(values).client("ec2").describe_availability_zones()


def list_instance_types(values: Mapping[str, str]) -> Lines:
    """List the instance types that the region offers, the common ones first."""
    offered = {offer["InstanceType"] for offer in offers(Aws(values))}
    common = [name for name in COMMON_TYPES.split() if name in offered]
    for name in [*common, *sorted(offered - {*common})]:
        yield name, "common" if name in common else ""


def offers(aws: Aws, instance_type: str = "") -> list[dict[str, Any]]:
    """Return what the region offers: instance types, or the zones that have one of them."""
    where = {"LocationType": "availability-zone"} if instance_type else {}
    only = {"Filters": [{"Name": "instance-type", "Values": [instance_type]}]} if instance_type else {}
    pages = aws.client("ec2").get_paginator("describe_instance_type_offerings").paginate(**where, **only)
    return [offer for page in pages for offer in page["InstanceTypeOfferings"]]


def zones(aws: Aws, instance_type: str) -> list[str]:
    """Return the availability zones that have an instance type."""
    return sorted(offer["Location"] for offer in offers(aws, instance_type))


def list_zones(values: Mapping[str, str]) -> Lines:
    """List the availability zones that have the chosen instance type."""
    for name in zones(Aws(values), values["INSTANCE_TYPE"]):
        yield name, ""


def list_key_pairs(values: Mapping[str, str]) -> Lines:
    """List the key pairs of the region: the one of the chosen SSH key first, where there is one."""
    public = public_half(values["SSH_KEY"])
    # What rigger imported for another environment goes with that.
    pairs = [pair for pair in keys.pairs(Aws(values)) if not _tag(pair, "managed-by")]
    for pair in pairs:
        if same_half(pair, public):
            yield pair["KeyName"], f"the same key as {values['SSH_KEY']}"
    yield IMPORT, f"import the public half of {values['SSH_KEY']}"
    for pair in pairs:
        if not same_half(pair, public):
            yield pair["KeyName"], "another key"


def check_key_pair(values: Mapping[str, str]) -> None:
    """See that the private half of the key pair is here."""
    if values["KEY_PAIR"] != IMPORT:
        require_private_half(Aws(values), values["KEY_PAIR"], values["SSH_KEY"])


def check_ssh_key(values: Mapping[str, str]) -> None:
    """See that the SSH key has a public half."""
    public_half(values["SSH_KEY"])


def list_vpcs(values: Mapping[str, str]) -> Lines:
    """List the networks of the region."""
    yield NEW, "a network for this environment alone"
    for vpc in Aws(values).client("ec2").describe_vpcs()["Vpcs"]:
        yield vpc["VpcId"], f"{vpc['CidrBlock']} {_tag(vpc)}".strip()


def list_subnets(values: Mapping[str, str]) -> Lines:
    """List the subnets of the chosen network."""
    only = [{"Name": "vpc-id", "Values": [values["VPC_ID"]]}]
    for subnet in Aws(values).client("ec2").describe_subnets(Filters=only)["Subnets"]:
        public = "" if subnet.get("MapPublicIpOnLaunch") else "; no public addresses"
        yield (
            subnet["SubnetId"],
            f"{subnet['AvailabilityZone']} {subnet['CidrBlock']}{public} {_tag(subnet)}".strip(),
        )


def check_subnets(values: Mapping[str, str]) -> None:
    """See that there is a subnet, and not two in one zone, which a load balancer refuses."""
    wanted = listed(values["SUBNET_IDS"])
    subnets = Aws(values).client("ec2").describe_subnets(SubnetIds=list(wanted))["Subnets"]
    zones = [subnet["AvailabilityZone"] for subnet in subnets]
    if len(set(zones)) != len(zones):
        raise StepFailed("Two of the subnets are in one availability zone.", "Choose one a zone.")


def list_dns_zones(values: Mapping[str, str]) -> Lines:
    """List the public zones of Route 53."""
    yield NONE, "no names; the load balancer's own will do"
    pages = Aws(values).client("route53").get_paginator("list_hosted_zones").paginate()
    for zone in (zone for page in pages for zone in page["HostedZones"]):
        if not zone.get("Config", {}).get("PrivateZone"):
            yield zone["Name"].rstrip("."), zone["Id"].rpartition("/")[2]


def check_cidr(values: Mapping[str, str], name: str) -> None:
    """See that an answer is a range of IPv4 addresses."""
    try:
        ipaddress.IPv4Network(values[name])
    except ValueError:
        raise StepFailed(
            f"{values[name]!r} is not a range of IPv4 addresses.", "Write 203.0.113.7/32 or 10.0.0.0/8."
        ) from None


def _tag(thing: dict[str, Any], key: str = "Name") -> str:
    return next((tag["Value"] for tag in thing.get("Tags", ()) if tag["Key"] == key), "")
