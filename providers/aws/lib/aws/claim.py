"""The claim on the machines, who changed them last and how far that record had got, in tags of the launch template.

That template is there as long as the stack, also without machines, and CloudFormation does not look at its tags again: they
are properties that it only writes, so that no drift is seen.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote

from aws.session import Aws
from aws.settings import TAG, Settings, tag_list

KEY = "rigger:claim-"
FIELDS = ("serial", "head", "version", "members", "who", "when", "command", "path")
# What tags may have: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
ALLOWED = " +-._:/@"
LONGEST = 256


def read(aws: Aws, settings: Settings) -> str:
    """Return the claim as a line of JSON, nothing where there is none."""
    template = _template(aws, settings)
    found = _tags(aws, "resource-id", template) if template else []
    tags = {tag["Key"]: _decoded(tag["Value"]) for tag in found}
    said: dict[str, Any] = {name: tags[KEY + name] for name in FIELDS if KEY + name in tags}
    if not said:
        return ""
    if str(said.get("serial", "")).isdigit():
        said["serial"] = int(said["serial"])
    said["members"] = [name for name in said.get("members", "").split("/") if name]
    return json.dumps({"id": settings.id, **said})


def leave(aws: Aws, settings: Settings, line: str) -> bool:
    """Write a claim down; return whether there is something to write it on."""
    template = _template(aws, settings)
    if not template:
        return False
    claim = json.loads(line)
    tags = {KEY + name: _encoded(str(claim[name])) for name in FIELDS if name != "members"}
    tags[KEY + "members"] = _members(claim["members"])
    aws.client("ec2").create_tags(Resources=[template], Tags=tag_list(tags))
    return True


def _template(aws: Aws, settings: Settings) -> str:
    """Return the id of the environment's launch template, nothing where there is none."""
    tagged = _tags(aws, "key", TAG)
    return next((tag["ResourceId"] for tag in tagged if tag["Value"] == settings.id), "")


def _tags(aws: Aws, name: str, value: str) -> list[dict[str, str]]:
    only = [{"Name": "resource-type", "Values": ["launch-template"]}, {"Name": name, "Values": [value]}]
    pages = aws.client("ec2").get_paginator("describe_tags").paginate(Filters=only)
    return [tag for page in pages for tag in page["Tags"]]


def _members(names: list[str]) -> str:
    """Return the names, or how many there are where a tag cannot hold them."""
    text = _encoded("/".join(names), cut=False)
    return text if len(text) <= LONGEST else f"{len(names)} nodes"


def _encoded(text: str, cut: bool = True) -> str:
    encoded = quote(text, safe=ALLOWED).replace("~", "%7E").replace("%", "=")
    return encoded[:LONGEST] if cut else encoded


def _decoded(text: str) -> str:
    return unquote(text.replace("=", "%"), errors="replace")
