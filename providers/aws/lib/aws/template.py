"""The template of the stack, and the user-data of its machines."""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Mapping
from typing import Any

from aws import answers
from aws.keys import public_half
from aws.session import Aws, code
from aws.settings import Settings, State
from rigger.sdk import StepFailed, render

OWN_NETWORK = "10.71.0.0/16"
SUBNET_BITS = 20
# Bytes before base64: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
USER_DATA_LIMIT = 16384
# Bytes: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
TEMPLATE_LIMIT = 51200
# Amazon Linux 2023: https://docs.aws.amazon.com/linux/al2023/ug/ec2.html
NEWEST_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{}"
ROOT_DEVICE = "/dev/xvda"


def write_template(
    aws: Aws, settings: Settings, state: State, key_pair: str, values: Mapping[str, str], nodes: int
) -> str:
    """Return the stack's template for a number of machines, after asking AWS what it has to know; keep a copy."""
    folder = values["RIGGER_MODULE_DIR"]
    user_data = _user_data(settings, folder, values)
    network = _network(aws, settings, state)
    image = _image(aws, settings, state)
    figures = {
        **network,
        "environment": settings.environment,
        "id": settings.id,
        "label": settings.stack_tag,
        "stack": settings.stack,
        "tags": settings.tags,
        "nodes": nodes,
        "instance_type": settings.instance_type,
        "image": image["id"],
        "root_device": image["root_device"],
        "disk": settings.disk,
        "key_pair": key_pair,
        "ssh_from": settings.ssh_from,
        "platform_from": settings.platform_from,
        "ports": settings.ports,
        "dns_zone": settings.dns_zone,
        "domain": settings.domain,
        "user_data": base64.b64encode(user_data).decode(),
    }
    text = render(os.path.join(folder, "stack.yml.j2"), figures, "stack.yml.j2")
    if len(text.encode()) > TEMPLATE_LIMIT:
        raise StepFailed(
            f"The template has more than {TEMPLATE_LIMIT} bytes.",
            "Choose fewer zones or a smaller user-data.",
        )
    state.write_file("stack.yml", text.encode())
    state.write_file("user-data", user_data)
    state.write()
    return text


def _network(aws: Aws, settings: Settings, state: State) -> dict[str, Any]:
    """Return the network that was chosen, or what the environment's own one is made of."""
    given = {"vpc": settings.vpc, "subnets": settings.subnets}
    if settings.vpc:
        return {**given, "zones": [], "cidr": _cidr(aws, settings.vpc), "subnet_cidrs": []}
    parts = ipaddress.ip_network(OWN_NETWORK).subnets(new_prefix=SUBNET_BITS)
    return {
        **given,
        "zones": _zones(aws, settings, state),
        "cidr": OWN_NETWORK,
        "subnet_cidrs": [str(part) for part in parts],
    }


def _user_data(settings: Settings, folder: str, values: Mapping[str, str]) -> bytes:
    """Return what cloud-init reads: rigger's part, and the platform's `user-data.j2` where it has one."""
    mine = render(
        os.path.join(folder, "user-data.yml.j2"),
        {"user": settings.user, "public_key": public_half(settings.ssh_key)},
        "user-data.yml.j2",
    )
    path = os.path.join(values.get("RIGGER_PLATFORM_DIR") or folder, "user-data.j2")
    if not os.path.isfile(path):
        return mine.encode()
    theirs = render(path, values)
    data = _multipart(mine, theirs)
    if len(data) > USER_DATA_LIMIT:
        raise StepFailed(
            f"The user-data has {len(data)} bytes; AWS takes {USER_DATA_LIMIT}.", f"Shorten what {path} adds."
        )
    return data


def _multipart(*parts: str) -> bytes:
    """Return several user-data as one; cloud-init takes each by its first line.

    https://cloudinit.readthedocs.io/en/latest/explanation/format.html
    """
    from email.mime.multipart import MIMEMultipart
    from email.mime.text import MIMEText

    whole = MIMEMultipart(
        boundary="=-rigger-user-data-="
    )  # the same every time: else machines would be replaced
    for part in parts:
        kind = "x-shellscript" if part.startswith("#!") else "cloud-config"
        text = MIMEText(part, kind, "us-ascii" if part.isascii() else "utf-8")
        text.add_header("Merge-Type", "list(append)+dict(no_replace,recurse_list)+str()")
        whole.attach(text)
    return whole.as_bytes()


def _cidr(aws: Aws, vpc: str) -> str:
    return str(aws.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlock"])


def _zones(aws: Aws, settings: Settings, state: State) -> list[str]:
    """Return the zones of the own network; once chosen they stay, because machines stand in them."""
    if settings.zones:
        return list(settings.zones)
    if not state.zones:
        zones = answers.zones(aws, settings.instance_type)
        if not zones:
            raise StepFailed(
                f"{settings.region} does not offer {settings.instance_type}.",
                'Choose another instance type: "rigger config set INSTANCE_TYPE=...".',
            )
        state.zones = zones[: settings.zone_count]
    return state.zones


def _image(aws: Aws, settings: Settings, state: State) -> dict[str, Any]:
    """Return the image of the machines; the newest is looked up once, because another one replaces machines."""
    kind = settings.image or _architecture(aws, settings.instance_type)
    if state.image.get("for") != kind:
        number = settings.image or _newest(aws, kind)
        state.image = {
            "for": kind,
            "id": number,
            "root_device": _root_device(aws, number, bool(settings.image)),
        }
    return state.image


def _architecture(aws: Aws, instance_type: str) -> str:
    types = aws.client("ec2").describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"]
    return "arm64" if "arm64" in types[0]["ProcessorInfo"]["SupportedArchitectures"] else "x86_64"


def _newest(aws: Aws, architecture: str) -> str:
    answer = aws.client("ssm").get_parameter(Name=NEWEST_IMAGE.format(architecture))
    return str(answer["Parameter"]["Value"])


def _root_device(aws: Aws, image: str, own: bool) -> str:
    if not own:
        return ROOT_DEVICE
    try:
        images = aws.client("ec2").describe_images(ImageIds=[image])["Images"]
    except Exception as problem:
        if not code(problem).startswith("InvalidAMIID"):
            raise
        images = []
    if not images:
        raise StepFailed(f"There is no image {image} in {aws.home_region()}.", "Choose another: IMAGE_ID.")
    return images[0].get("RootDeviceName") or ROOT_DEVICE
