"""Talks to DigitalOcean's API, version 2 (https://docs.digitalocean.com/reference/api/), with the standard library.

It is one file, because it runs with any Python and without rigger, as a program of questions does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import http.client
import ipaddress
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

DEFAULT_URL = "https://api.digitalocean.com"
ANSWER_TIMEOUT = 20.0  # seconds for one answer
PATIENCE = 600.0  # seconds that throttling is waited out, and that droplets get to change
TRIES = 3  # of a request that may be sent twice, where the API is out of order
PAGE = 200  # the most that the API gives at once
RELEASE = 60.0  # seconds that something gets until others let go of it
OFF_AFTER = 60.0  # seconds that a droplet gets to shut down by itself
CLAIM = ", made by rigger; claim "  # what stands before it in the description of the project
DESCRIPTION = 255  # characters that a project's may have
HEAD = 24  # hex digits of a hash
UPLOAD, NEW, NIP = "upload", "new", "nip.io"


class Problem(Exception):
    """A sentence for the person who watches."""


class Gone(Problem):
    """The API does not know what was asked for."""


pause = time.sleep


@dataclass(frozen=True)
class Api:
    """DigitalOcean's API; the token goes into headers alone."""

    url: str
    token: str

    @classmethod
    def of_environment(cls) -> Api:
        token = os.environ.get("DIGITALOCEAN_TOKEN", "")
        if not token:
            raise Problem("DIGITALOCEAN_TOKEN is not set")
        url = os.environ.get("DIGITALOCEAN_API_URL") or DEFAULT_URL
        return cls(url.rstrip("/"), token)

    def get(self, path: str) -> dict:
        return self._ask("GET", path)

    def post(self, path: str, body: Mapping) -> dict:
        return self._ask("POST", path, body)

    def patch(self, path: str, body: Mapping) -> dict:
        return self._ask("PATCH", path, body)

    def delete(self, path: str) -> None:
        """Remove something; what is gone already is no problem."""
        try:
            self._ask("DELETE", path)
        except Gone:
            pass

    def all(self, path: str, key: str) -> Iterator[dict]:
        """List everything, page by page."""
        path += f"{'&' if '?' in path else '?'}per_page={PAGE}"
        while path:
            found = self.get(path)
            yield from found.get(key) or []
            after = ((found.get("links") or {}).get("pages") or {}).get("next") or ""
            parts = urllib.parse.urlsplit(after)
            path = f"{parts.path}?{parts.query}" if after else ""

    def _ask(self, method: str, path: str, body: Mapping | None = None) -> dict:
        """Send a request; waits throttling out, and repeats what may be sent twice."""
        end = time.monotonic() + PATIENCE
        for attempt in range(1, 1_000):
            try:
                return self._once(method, path, body)
            except _Later as later:
                if time.monotonic() + later.pause > end or later.counts and attempt >= TRIES:
                    raise Problem(str(later)) from None
                if later.counts and method == "POST":
                    raise Problem(str(later)) from None
                pause(later.pause if not later.counts else 2 ** (attempt - 1))
        raise Problem("DigitalOcean's API keeps refusing")

    def _once(self, method: str, path: str, body: Mapping | None) -> dict:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise self._refusal(refusal) from None
        except (OSError, http.client.HTTPException) as problem:
            reason = getattr(problem, "reason", problem)
            raise _Later(f"{self.url} does not answer: {reason}", counts=True) from None
        except ValueError:
            raise Problem(f"{self.url} does not answer as DigitalOcean's API does") from None

    def _refusal(self, refusal: urllib.error.HTTPError) -> Exception:
        try:
            said = json.loads(refusal.read()).get("message", "")
        except (OSError, ValueError, AttributeError):
            said = ""
        text = f"DigitalOcean says {refusal.code}{f': {said}' if said else ''}"
        if refusal.code == 401:
            return Problem(f"DigitalOcean does not accept the token (401{f': {said}' if said else ''})")
        if refusal.code == 404:
            return Gone(text)
        if refusal.code == 429:
            wait = refusal.headers.get("Retry-After", "")
            return _Later(text, pause=float(wait) if wait.isdigit() else 5.0)
        return _Later(text, counts=True) if refusal.code >= 500 else Problem(text)


class _Later(Exception):
    """An answer that may be another one later; `counts` where it must not be waited for without end."""

    def __init__(self, text: str, pause: float = 1.0, counts: bool = False):
        super().__init__(text)
        self.pause = pause
        self.counts = counts


# The questions


def check_token() -> None:
    account = Api.of_environment().get("/v2/account").get("account") or {}
    if account.get("status", "active") == "locked":
        raise Problem(f"the account is locked: {account.get('status_message') or 'ask DigitalOcean why'}")


def check_ssh_key() -> None:
    public_key()


def public_key() -> str:
    """Return the public half of SSH_KEY, as one line."""
    path = os.environ.get("SSH_KEY", "")
    try:
        with open(f"{path}.pub", encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError):
        argv = ["ssh-keygen", "-y", "-P", "", "-f", path]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            raise Problem(
                f"{path}.pub is not there, and {path} does not give it without a passphrase"
            ) from None
        text = done.stdout.decode("utf-8", "replace")
    fingerprint(text)
    return " ".join(text.split())


def fingerprint(text: str) -> str:
    """Return the MD5 fingerprint of a public key, by which DigitalOcean knows it."""
    try:
        blob = base64.b64decode(text.split()[1], validate=True)
    except (IndexError, binascii.Error, ValueError):
        raise Problem(f"the public half of {os.environ.get('SSH_KEY')} is not an SSH key") from None
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def list_keys() -> None:
    """Offer the key of the account that is SSH_KEY; or to upload it, where the account lacks it or rigger did so."""
    mine = fingerprint(public_key())
    keys = [key for key in Api.of_environment().all("/v2/account/keys", "ssh_keys")]
    there = next((key for key in keys if key.get("fingerprint") == mine), None)
    uploaded = there is not None and there["name"].startswith("rigger-")
    if there and not uploaded:
        _line(mine, f"in the account, as {there['name']}")
        return
    _line(
        UPLOAD, f"upload it{' (as was done)' if uploaded else ': the account lacks it'}; destroy removes it"
    )
    if uploaded:
        _line(mine, f"in the account, as {there['name']}: uploaded for one environment of yours")


def list_regions() -> None:
    for region in Api.of_environment().all("/v2/regions", "regions"):
        if region.get("available"):
            _line(region["slug"], region["name"])


def list_sizes() -> None:
    region = os.environ.get("REGION", "")
    sizes = Api.of_environment().all("/v2/sizes", "sizes")
    offered = [size for size in sizes if size.get("available") and region in size.get("regions", [])]
    for size in sorted(offered, key=lambda size: size["price_monthly"]):
        memory = f"{size['memory'] / 1024:g} GiB"
        _line(
            size["slug"],
            f"${size['price_monthly']:g} a month: {size['vcpus']} vCPU, {memory}, {size['disk']} GB of disk",
        )


def list_vpcs() -> None:
    region = os.environ.get("REGION", "")
    _line(NEW, "one of its own, removed with the cluster")
    for vpc in Api.of_environment().all("/v2/vpcs", "vpcs"):
        if vpc.get("region") == region and not vpc["name"].startswith("rigger-"):
            _line(
                vpc["id"], f"{vpc['name']} ({vpc['ip_range']}){', the default' if vpc.get('default') else ''}"
            )


def list_domains() -> None:
    _line(NIP, "none: a name made of the address, such as 203.0.113.7.nip.io, which nip.io answers for")
    for domain in Api.of_environment().all("/v2/domains", "domains"):
        _line(domain["name"], "a domain of the account")


def check_cidr(name: str) -> None:
    try:
        ipaddress.ip_network(os.environ.get(name, ""), strict=False)
    except ValueError as problem:
        raise Problem(str(problem)) from None


def _line(value: str, description: str) -> None:
    print(f"{value}\t{description}")


# What carries the environment's name


@dataclass(frozen=True)
class Thing:
    """Something that carries the environment's name, and the address that Terraform has for it."""

    kind: str
    id: str
    name: str
    address: str
    path: str
    import_id: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.id})" if self.name != self.id else f"{self.kind} {self.id}"


def our_name() -> str:
    id = os.environ.get("RIGGER_ENVIRONMENT_ID", "")
    if not re.fullmatch(r"[0-9a-zA-Z]{4,}", id):
        raise Problem("RIGGER_ENVIRONMENT_ID is not set: this works only in a script that rigger runs")
    return f"rigger-{id}"


def things(api: Api) -> Iterator[Thing]:
    """List all that carries the environment's name; droplets first, and what holds others last."""
    name = our_name()
    for droplet in _ours(api, "/v2/droplets", "droplets", name):
        address = _numbered("digitalocean_droplet.node", droplet["name"])
        yield _thing("droplet", droplet, address, "/v2/droplets")
    for balancer in _named(api, "/v2/load_balancers", "load_balancers", name):
        yield _thing("load balancer", balancer, "digitalocean_loadbalancer.front[0]", "/v2/load_balancers")
    for volume in _ours(api, "/v2/volumes", "volumes", name):
        address = _numbered("digitalocean_volume.data", volume["name"])
        yield _thing("volume", volume, address, "/v2/volumes")
    for firewall in _named(api, "/v2/firewalls", "firewalls", name):
        yield _thing("firewall", firewall, "digitalocean_firewall.mine", "/v2/firewalls")
    for project in _named(api, "/v2/projects", "projects", name):
        yield _thing("project", project, "digitalocean_project.mine", "/v2/projects")
    for key in _named(api, "/v2/account/keys", "ssh_keys", name):
        yield _thing("SSH key", key, "digitalocean_ssh_key.mine[0]", "/v2/account/keys")
    yield from records(api)
    for vpc in _named(api, "/v2/vpcs", "vpcs", name):
        yield _thing("VPC", vpc, "digitalocean_vpc.mine[0]", "/v2/vpcs")
    for tag in _named(api, "/v2/tags", "tags", name):
        yield Thing("tag", tag["name"], tag["name"], "digitalocean_tag.mine", "/v2/tags", tag["name"])


def _ours(api: Api, path: str, key: str, name: str) -> Iterator[dict]:
    """List what has the tag or the name: a tag that is removed leaves everything that had it."""
    for found in api.all(path, key):
        if name in (found.get("tags") or []) or found["name"].startswith(f"{name}-"):
            yield found


def _named(api: Api, path: str, key: str, name: str) -> Iterator[dict]:
    return (found for found in api.all(path, key) if found["name"] == name)


def _thing(kind: str, found: Mapping, address: str, path: str) -> Thing:
    return Thing(kind, str(found["id"]), found["name"], address, path, str(found["id"]))


def _numbered(resource: str, name: str) -> str:
    """Return the address of one of many by the number that its name ends in; without a number, that of all of them."""
    number = re.search(r"-([1-9][0-9]*)$", name)
    return f"{resource}[{int(number[1]) - 1}]" if number else resource


def records(api: Api) -> Iterator[Thing]:
    """List the DNS records of the cluster's names."""
    zone, host = os.environ.get("DNS_ZONE", NIP), _host()
    if zone in (NIP, ""):
        return
    try:
        found = list(api.all(f"/v2/domains/{zone}/records?type=A", "domain_records"))
    except Gone:
        return
    for resource, name in (("name", host), ("wildcard", f"*.{host}")):
        for record in found:
            if record["type"] == "A" and record["name"] == name:
                shown, id = f"{name}.{zone}", str(record["id"])
                path = f"/v2/domains/{zone}/records"
                yield Thing("DNS record", id, shown, f"digitalocean_record.{resource}", path, f"{zone},{id}")


def _host() -> str:
    return re.sub("[^a-z0-9]+", "-", os.environ.get("RIGGER_ENVIRONMENT", "").lower()).strip("-")


def known_of(state: Mapping) -> tuple[set[tuple[str, str]], set[str]]:
    """Return what a state knows: resource types with ids, and addresses."""
    ids, addresses = set(), set()
    for resource in state.get("resources") or []:
        for instance in resource.get("instances") or []:
            key = instance.get("index_key")
            index = "" if key is None else f"[{key}]"
            addresses.add(f"{resource['type']}.{resource['name']}{index}")
            ids.add((resource["type"], str((instance.get("attributes") or {}).get("id"))))
    return ids, addresses


def unknown(api: Api) -> tuple[list[Thing], set[str]]:
    """Return what carries our name and is not in the state on standard input, and the addresses of that state."""
    text = sys.stdin.read()
    try:
        state = json.loads(text)
    except ValueError:
        print(text, end="")
        raise Problem("Terraform's state could not be read, so it is not known what belongs to it") from None
    ids, addresses = known_of(state)
    return [t for t in things(api) if (t.address.partition(".")[0], t.id) not in ids], addresses


def look(when: str = "") -> int:
    """Name what Terraform does not know of; exit 1 where there is anything."""
    found, addresses = unknown(Api.of_environment())
    for thing in found:
        print(f"error: {thing} carries this environment's name, and Terraform does not know of it.")
        for step in _ways_out(thing, addresses):
            print(f"  {step}")
    if found:
        nothing = "Nothing was made. " if when == "before" else ""
        print(
            f'error: {nothing}Take each of them in or away as said above; "rigger destroy" removes all of it.'
        )
        return 1
    if when == "before":
        _claim_zone()
    return 0


def _ways_out(thing: Thing, addresses: set[str]) -> Iterator[str]:
    of_many = thing.address.startswith(("digitalocean_droplet", "digitalocean_volume"))
    nameless = of_many and not thing.address.endswith("]")
    if not nameless and thing.address not in addresses and thing.kind != "DNS record":
        yield f"To keep it: rigger terraform import '{thing.address}' {thing.import_id}"
    yield f"To be rid of it: remove {thing.kind} {thing.id} in DigitalOcean's control panel"


def sweep() -> int:
    """Remove what carries our name and Terraform does not know of, so that it can remove the rest."""
    api = Api.of_environment()
    found, _ = unknown(api)
    if not _zone_is_ours():
        found = [thing for thing in found if thing.kind != "DNS record"]
    for thing in found:
        print(f"{thing}, which Terraform does not know of, is removed.")
        remove(api, thing)
    return 0


def remove(api: Api, thing: Thing) -> None:
    """Remove something; what others hold on to is tried again until they let go."""
    path = f"{thing.path}/{urllib.parse.quote(thing.id)}"
    end = time.monotonic() + RELEASE
    while True:
        try:
            if thing.kind == "project":
                _empty_project(api, path)
            return api.delete(path)
        except Problem as problem:
            if not re.search("says (409|412|422)", str(problem)) or time.monotonic() > end:
                print(f"warning: {thing} stays for now: {problem}.")
                return
            time.sleep(2)


def _empty_project(api: Api, path: str) -> None:
    """Give what is in a project to the account's default one: no other project can be removed."""
    held = [resource["urn"] for resource in api.all(f"{path}/resources", "resources")]
    if held:
        api.post("/v2/projects/default/resources", {"resources": held})


def leftovers() -> int:
    """Report what still carries our name after everything was removed."""
    for thing in things(Api.of_environment()):
        if thing.kind != "DNS record" or _zone_is_ours():
            subprocess.run(["rigger-leftover", str(thing)], check=True)
    return 0


# A record of a cluster's name may be there before the cluster is, and somebody's. Only after `create` has seen that there
# is none, such records can be told to be ours.


def _claim_zone() -> None:
    zone = os.environ.get("DNS_ZONE", NIP)
    if zone != NIP and not _zone_is_ours():
        with open(_zones_file(), "a", encoding="utf-8") as file:
            file.write(f"{zone}\n")


def _zone_is_ours() -> bool:
    try:
        with open(_zones_file(), encoding="utf-8") as file:
            return os.environ.get("DNS_ZONE", NIP) in file.read().split()
    except OSError:
        return False


def _zones_file() -> str:
    return os.path.join(os.environ["RIGGER_STATE_DIR"], "zones")


# Power


def running() -> int:
    """Name the droplets that are off; exit 1 where there is one."""
    off = [d["name"] for d in _droplets(Api.of_environment()) if d["status"] != "active"]
    for name in off:
        print(f"error: droplet {name} is off.")
    return 1 if off else 0


def suspend() -> int:
    """Shut the droplets down, and turn off those that do not listen."""
    api = Api.of_environment()
    if not _turn(api, "off", "shutdown", OFF_AFTER) and not _turn(api, "off", "power_off", PATIENCE):
        raise Problem("some droplets do not turn off")
    print(f"{len(_droplets(api))} droplets are off, with their disks, addresses and volumes as they were.")
    print(
        "They cost what they cost before, and so do volumes and the load balancer: DigitalOcean bills what exists."
    )
    print('Only "rigger destroy" ends that.')
    return 0


def resume() -> int:
    api = Api.of_environment()
    if not _turn(api, "active", "power_on", PATIENCE):
        raise Problem("some droplets do not turn on")
    print(f"{len(_droplets(api))} droplets are on.")
    return 0


def _turn(api: Api, status: str, action: str, seconds: float) -> bool:
    """Act on the droplets that are not as they should be; return whether they are, in the end."""
    for droplet in _droplets(api):
        if droplet["status"] != status:
            api.post(f"/v2/droplets/{droplet['id']}/actions", {"type": action})
    end = time.monotonic() + seconds
    while any(droplet["status"] != status for droplet in _droplets(api)):
        if time.monotonic() > end:
            return False
        time.sleep(2)
    return True


# The claim: who changed the cluster last, in the description of its project


def claim(word: str, line: str = "") -> int:
    """Print the claim (read), or write it down where there is a project (leave)."""
    api = Api.of_environment()
    project = next(_named(api, "/v2/projects", "projects", our_name()), None)
    if project and word == "read":
        found = (project.get("description") or "").partition(CLAIM)[2]
        if found:
            print(f"claim {found}")
    elif project:
        api.patch(f"/v2/projects/{project['id']}", {"description": _described(json.loads(line))})
        print("taken")
    return 0


def _described(claim: Mapping) -> str:
    """Return a project's description with as much of a claim as it can hold: how far the record had got in any case."""
    kept = {name: claim[name] for name in ("serial", "version", "members", "when", "command", "who")}
    kept["head"] = claim["head"][:HEAD]
    name = os.environ.get("RIGGER_ENVIRONMENT", "")[:40]
    for shorter in (
        {},
        {"members": [f"{len(claim['members'])} nodes"]},
        {"command": ""},
        {"who": ""},
        {"version": ""},
    ):
        kept.update(shorter)
        text = f"{name}{CLAIM}{json.dumps(kept, separators=(',', ':'))}"
        if len(text) <= DESCRIPTION:
            break
    return text


def _droplets(api: Api) -> list[dict]:
    return list(api.all(f"/v2/droplets?tag_name={our_name()}", "droplets"))


def print_public_key() -> None:
    print(public_key())


COMMANDS: dict[str, Callable] = {
    "check-token": check_token,
    "check-ssh-key": check_ssh_key,
    "check-cidr": check_cidr,
    "list-keys": list_keys,
    "list-regions": list_regions,
    "list-sizes": list_sizes,
    "list-vpcs": list_vpcs,
    "list-domains": list_domains,
    "look": look,
    "sweep": sweep,
    "leftovers": leftovers,
    "running": running,
    "claim": claim,
    "suspend": suspend,
    "resume": resume,
    "public-key": print_public_key,
}


def main(words: list[str]) -> int:
    try:
        return COMMANDS[words[0]](*words[1:]) or 0
    except Problem as problem:
        asked = words[0].startswith(("check-", "list-"))
        print(problem if asked else f"error: {problem}.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
