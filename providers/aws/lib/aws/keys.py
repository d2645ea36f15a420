"""SSH keys: the public half of the one that was chosen, and EC2's key pairs."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from aws.session import Aws, code
from aws.settings import IMPORT, TAG, Settings, tag_list
from rigger.sdk import StepFailed, capture


def public_half(path: str) -> str:
    """Return the public key of a private key's file, `TYPE BASE64`; raises StepFailed where there is none."""
    path = os.path.expanduser(path)
    first = _first_line(path)
    if first.startswith(("ssh-", "ecdsa-")):
        raise StepFailed(f"{path} is the public half of a key.", "Name the file of the private half.")
    if os.path.isfile(f"{path}.pub"):
        return " ".join(_first_line(f"{path}.pub").split()[:2])
    shown = capture(["ssh-keygen", "-y", "-P", "", "-f", path])
    if shown.exit_code:
        raise StepFailed(
            f"{path} does not show its public half: it is no SSH key, or has a passphrase.",
            f"Write it beside it: ssh-keygen -y -f {path} >{path}.pub",
        )
    return " ".join(shown.output.decode(errors="replace").split()[:2])


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readline(16384).strip()
    except OSError as problem:
        raise StepFailed(f"{path} cannot be read: {problem.strerror}.", "Choose another SSH key.") from None


def pairs(aws: Aws, **wanted: Any) -> list[dict[str, Any]]:
    """Return EC2's key pairs with their public halves."""
    return list(aws.client("ec2").describe_key_pairs(IncludePublicKey=True, **wanted)["KeyPairs"])


def same_half(pair: dict[str, Any], public: str) -> bool:
    """Return whether a key pair of EC2 has this public half."""
    return str(pair.get("PublicKey", "")).split()[1:2] == public.split()[1:2]


def require_private_half(aws: Aws, name: str, path: str) -> None:
    """Raise StepFailed unless the chosen file is the private half of an existing key pair."""
    named = [pair for pair in pairs(aws) if pair["KeyName"] == name]
    if not named:
        raise StepFailed(f"There is no key pair {name} in {aws.region}.", 'Choose another, or "import".')
    if not same_half(named[0], public_half(path)):
        raise StepFailed(
            f"{path} is not the private half of the key pair {name}.",
            f"Choose the file that is (SSH_KEY), or {IMPORT}.",
        )


def ensure(aws: Aws, settings: Settings) -> str:
    """Return the name of the key pair of the machines, imported if that was chosen and has not been done."""
    if settings.key_pair != IMPORT:
        require_private_half(aws, settings.key_pair, settings.ssh_key)
        return settings.key_pair
    public = public_half(settings.ssh_key)
    name = f"{settings.stack}-{hashlib.sha256(public.encode()).hexdigest()[:8]}"
    if any(pair["KeyName"] == name for pair in imported(aws, settings)):
        return name
    try:
        aws.client("ec2").import_key_pair(
            KeyName=name,
            PublicKeyMaterial=public.encode(),
            TagSpecifications=[{"ResourceType": "key-pair", "Tags": tag_list(settings.tags)}],
        )
    except Exception as problem:  # an answer that was lost on its way is no reason to import it twice
        if code(problem) != "InvalidKeyPair.Duplicate" or not imported(aws, settings):
            raise
    return name


def imported(aws: Aws, settings: Settings) -> list[dict[str, Any]]:
    """Return the key pairs that rigger imported for this environment."""
    return pairs(aws, Filters=[{"Name": f"tag:{TAG}", "Values": [settings.id]}])


def remove_imported(aws: Aws, settings: Settings, but: str = "") -> None:
    """Remove the key pairs that rigger imported for this environment."""
    for pair in imported(aws, settings):
        if pair["KeyName"] != but:
            aws.client("ec2").delete_key_pair(KeyName=pair["KeyName"])
