"""What projects, labels, environments and services may be called: what SSM parameters take in their paths.

https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
"""

from __future__ import annotations

import re

NAME = r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,128}"
RULE = "letters, digits, _ . and -, at most 128"
URI = r"[A-Za-z0-9][!-~]{0,1023}"
EVERY = "RELEASE_IMAGES"  # the question that has the images of all services, as JSON


def is_name(text: str) -> bool:
    """Return whether something may be called so; a date or a number is a name like any other."""
    return re.fullmatch(NAME, text) is not None


def is_uri(text: str) -> bool:
    """Return whether a text can be an image: one word, at most 1024 characters."""
    return re.fullmatch(URI, text) is not None


def variable(service: str) -> str:
    """Return the name of the variable that has a service's image: `bag-register` has IMAGE_BAG_REGISTER."""
    return "IMAGE_" + re.sub("[^A-Z0-9_]", "_", service.upper())


def tag_of(uri: str) -> str:
    """Return the tag of an image, nothing where it has none: of `host:5000/api:1.2@sha256:...` that is `1.2`."""
    name = uri.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]


def short(uri: str) -> str:
    """Return what tells one image of a service from another, for a person: its tag, or the beginning of its digest."""
    digest = uri.partition("@")[2]
    tag = re.sub(r"([0-9a-f]{12})[0-9a-f]{28}", r"\1", tag_of(uri))
    beginning = digest.partition(":")[2][:12]
    if tag and beginning:
        return f"{tag} ({beginning})"
    return tag or beginning or uri.rpartition("/")[2]


def commit_of(uri: str) -> str:
    """Return the git commit that an image's tag names, in 7 to 40 digits: `ref.1b8f...`, `main-1b8f...` or only that."""
    found = re.search(r"(?:^|[^0-9a-zA-Z])([0-9a-f]{7,40})$", tag_of(uri))
    # Seven and more digits without a letter are a number or a date, rather.
    return found[1] if found and not found[1].isdigit() else ""
