"""A stand-in for the Terraform provider digitalocean/digitalocean, which cannot be downloaded where the tests run.

It is built on the PyPI package `tf`, has the attributes of the real provider's documentation that our .tf files use and
those that it works out itself, asks the real API's paths over real HTTP, and retries as the real one does: throttling,
errors of the server and lost connections alike, so that a lost answer to a POST makes a second thing.
"""

import http.client
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request

import tf.runner
from tf.iface import Provider, Resource
from tf.schema import Attribute, Block, NestedBlock, Schema
from tf.types import Bool, Number, Set, String, Unknown
from tf.utils import Diagnostics

POLL = 0.1
stopping = threading.Event()


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Api:
    def __init__(self):
        self.url = os.environ.get("DIGITALOCEAN_API_URL", "https://api.digitalocean.com").rstrip("/")
        self.retries = 4
        self.pause = float(os.environ.get("DIGITALOCEAN_HTTP_RETRY_WAIT_MIN", "1"))

    def __call__(self, method, path, body=None):
        for attempt in range(self.retries + 1):
            try:
                return self.once(method, path, body)
            except Refused as refusal:
                if refusal.code and refusal.code != 429 and refusal.code < 500 or attempt == self.retries:
                    raise
                time.sleep(getattr(refusal, "wait", self.pause * 2**attempt))

    def once(self, method, path, body):
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {os.environ.get('DIGITALOCEAN_TOKEN', '')}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as problem:
            with problem:
                text = json.loads(problem.read() or b"{}").get("message", "")
                refusal = Refused(problem.code, f"{method} {self.url}{path}: {problem.code} {text}")
                if problem.headers.get("Retry-After"):
                    refusal.wait = float(problem.headers["Retry-After"])
            raise refusal from None
        except (OSError, http.client.HTTPException) as problem:
            raise Refused(0, f'{method} "{self.url}{path}": {problem}') from None


def needed(name, kind=String, replace=False):
    return Attribute(name, kind(), required=True, requires_replace=replace)


def optional(name, kind=String, replace=False):
    return Attribute(
        name, kind if not isinstance(kind, type) else kind(), optional=True, requires_replace=replace
    )


def settled(name, kind=String, default=None, replace=False):
    """An attribute that the provider settles where the configuration does not."""
    more = {} if default is None else {"default": default}
    kind = kind if not isinstance(kind, type) else kind()
    return Attribute(name, kind, optional=True, computed=True, requires_replace=replace, **more)


def told(*names, kind=String):
    return [Attribute(name, kind if not isinstance(kind, type) else kind(), computed=True) for name in names]


class Nested(NestedBlock):
    """A block that may stand there several times: a set, or a list of at most one."""

    def __init__(self, name, attributes, single=False):
        self.type_name, self.block, self.single = name, Block(attributes=attributes), single

    def to_pb(self):
        from tf.gen import tfplugin_pb2 as pb

        modes = pb.Schema.NestedBlock.NestingMode
        return pb.Schema.NestedBlock(
            type_name=self.type_name,
            block=self.block.to_pb(),
            max_items=1 if self.single else 0,
            nesting=modes.LIST if self.single else modes.SET,
        )

    def encode(self, value):
        return [{a.name: a.type.encode(v.get(a.name)) for a in self.block.attributes} for v in value]

    def decode(self, value):
        return [{a.name: a.type.decode(v.get(a.name)) for a in self.block.attributes} for v in value]

    def semantically_equal(self, one, other):
        def plain(blocks):
            return sorted(
                json.dumps(
                    {k: sorted(map(str, v)) if isinstance(v, list) else str(v) for k, v in b.items()},
                    sort_keys=True,
                )
                for b in blocks
            )

        return plain(one) == plain(other)


class Thing(Resource):
    """A resource that is one collection of the API."""

    name = path = key = ""
    attributes: list = []
    blocks: list = []

    def __init__(self, provider):
        self.api = provider.api

    @classmethod
    def get_name(cls):
        return cls.name

    @classmethod
    def get_schema(cls):
        return Schema(attributes=[*told("id"), *cls.attributes], block_types=cls.blocks, version=1)

    def body(self, planned):
        return {}

    def fill(self, found, state):
        """Return what the API says as attributes."""
        return {}

    def where(self, state):
        return f"{self.path}/{state['id']}"

    def state(self, found, state):
        full = {a.name: None for a in self.get_schema().attributes}
        full |= {b.type_name: [] for b in self.blocks}
        return {**full, **state, "id": str(found.get("id") or found["name"]), **self.fill(found, state)}

    def create(self, context, planned):
        try:
            found = self.api("POST", self.path, self.body(planned))[self.key]
            return self.made(context, self.state(found, planned))
        except Refused as refusal:
            context.diagnostics.add_error(f"Error creating {self.name}", str(refusal))
            return None

    def made(self, context, state):
        return state

    def read(self, context, current):
        try:
            return self.state(self.api("GET", self.where(current))[self.key], current)
        except Refused as refusal:
            if refusal.code == 404:
                return None
            context.diagnostics.add_error(f"Error retrieving {self.name}", str(refusal))
            return current

    def update(self, context, current, planned):
        try:
            return self.change(current, planned)
        except Refused as refusal:
            context.diagnostics.add_error(f"Error updating {self.name}", str(refusal))
            return current

    def change(self, current, planned):
        return self.state(self.api("PUT", self.where(current), self.body(planned))[self.key], planned)

    def delete(self, context, current):
        end = time.monotonic() + 30
        while True:
            try:
                self.api("DELETE", self.where(current))
                return self.gone(current)
            except Refused as refusal:
                if refusal.code == 404:
                    return None
                if refusal.code in (403, 409) and time.monotonic() < end and not stopping.is_set():
                    time.sleep(POLL)  # something still holds on to it
                    continue
                context.diagnostics.add_error(f"Error deleting {self.name}", str(refusal))
                return current

    def gone(self, current):
        return None

    def import_(self, context, id):
        attributes = self.get_schema().attributes
        full = {a.name: [] if isinstance(a.type, Set) and a.computed else None for a in attributes}
        return {**full, **{b.type_name: [] for b in self.blocks}, "id": id}

    def upgrade(self, context, version, old):
        return old


class Droplet(Thing):
    name, path, key = "droplet", "/v2/droplets", "droplet"
    attributes = [
        needed("image", replace=True),
        needed("name"),
        needed("size"),
        settled("region", replace=True),
        settled("backups", Bool, False),
        settled("monitoring", Bool, False, replace=True),
        settled("ipv6", Bool, False),
        settled("vpc_uuid", replace=True),
        settled("private_networking", Bool),
        settled("resize_disk", Bool, True),
        settled("graceful_shutdown", Bool, False),
        settled("volume_ids", Set(String())),
        optional("ssh_keys", Set(String()), replace=True),
        optional("tags", Set(String())),
        optional("user_data", replace=True),
        optional("droplet_agent", Bool),
        *told("urn", "ipv6_address", "ipv4_address", "ipv4_address_private", "status", "created_at"),
        *told("locked", kind=Bool),
        *told("price_hourly", "price_monthly", "disk", "vcpus", "memory", kind=Number),
    ]

    def body(self, planned):
        return {
            "name": planned["name"],
            "region": planned["region"],
            "size": planned["size"],
            "image": planned["image"],
            "ssh_keys": planned["ssh_keys"] or [],
            "backups": planned["backups"],
            "ipv6": planned["ipv6"],
            "monitoring": planned["monitoring"],
            "tags": planned["tags"] or [],
            "user_data": planned["user_data"],
            "volumes": _known(planned["volume_ids"]) or [],
            "vpc_uuid": _known(planned["vpc_uuid"]),
        }

    def fill(self, found, state):
        public = [n["ip_address"] for n in found["networks"]["v4"] if n["type"] == "public"]
        private = [n["ip_address"] for n in found["networks"]["v4"] if n["type"] == "private"]
        return {
            "name": found["name"],
            "image": found["image"]["slug"] or str(found["image"]["id"]),
            "region": found["region"]["slug"],
            "size": found["size_slug"],
            "vpc_uuid": found["vpc_uuid"],
            "tags": found["tags"],
            "volume_ids": found["volume_ids"],
            "backups": "backups" in found["features"],
            "ipv6": "ipv6" in found["features"],
            "monitoring": "monitoring" in found["features"],
            "private_networking": True,
            "resize_disk": True if state.get("resize_disk") is None else state["resize_disk"],
            "graceful_shutdown": bool(_known(state.get("graceful_shutdown"))),
            "urn": f"do:droplet:{found['id']}",
            "ipv4_address": public[0] if public else "",
            "ipv4_address_private": private[0] if private else "",
            "ipv6_address": "",
            "status": found["status"],
            "created_at": found["created_at"],
            "locked": found["locked"],
            "price_hourly": found["size"]["price_hourly"],
            "price_monthly": found["size"]["price_monthly"],
            "disk": found["disk"],
            "vcpus": found["vcpus"],
            "memory": found["memory"],
        }

    def plan(self, context, current, planned):
        if "size" in context.changed_fields:
            planned.update(
                dict.fromkeys(("price_hourly", "price_monthly", "disk", "vcpus", "memory"), Unknown)
            )
        return planned

    def made(self, context, state):
        """Wait until the droplet runs; when Terraform is to stop, give back what there is, as the real one does."""
        while state["status"] != "active":
            if stopping.is_set():
                context.diagnostics.add_error(
                    f"Error waiting for droplet ({state['id']})", "context canceled"
                )
                return state
            time.sleep(POLL)
            state = self.state(self.api("GET", self.where(state))["droplet"], state)
        return state

    def change(self, current, planned):
        actions = f"{self.where(current)}/actions"
        if planned["name"] != current["name"]:
            self.api("POST", actions, {"type": "rename", "name": planned["name"]})
        if planned["size"] != current["size"]:
            self.api("POST", actions, {"type": "power_off"})
            self.api(
                "POST", actions, {"type": "resize", "size": planned["size"], "disk": planned["resize_disk"]}
            )
            self.api("POST", actions, {"type": "power_on"})
        resource = {"resources": [{"resource_id": current["id"], "resource_type": "droplet"}]}
        for tag in set(planned["tags"] or []) - set(current["tags"] or []):
            self.api("POST", f"/v2/tags/{tag}/resources", resource)
        for tag in set(current["tags"] or []) - set(planned["tags"] or []):
            self.api("DELETE", f"/v2/tags/{tag}/resources", resource)
        for volume in set(planned["volume_ids"]) - set(current["volume_ids"]):
            self.api("POST", f"/v2/volumes/{volume}/actions", {"type": "attach", "droplet_id": current["id"]})
        for volume in set(current["volume_ids"]) - set(planned["volume_ids"]):
            self.api("POST", f"/v2/volumes/{volume}/actions", {"type": "detach", "droplet_id": current["id"]})
        return self.state(self.api("GET", self.where(current))["droplet"], planned)

    def gone(self, current):
        while True:
            try:
                self.api("GET", self.where(current))
            except Refused as refusal:
                if refusal.code == 404:
                    return None
                raise
            time.sleep(POLL)


class Tag(Thing):
    name, path, key = "tag", "/v2/tags", "tag"
    attributes = [
        needed("name", replace=True),
        *told("total_resource_count", "droplets_count", "images_count", "volumes_count", kind=Number),
        *told("volume_snapshots_count", "databases_count", kind=Number),
    ]

    def body(self, planned):
        return {"name": planned["name"]}

    def fill(self, found, state):
        droplets, volumes = found["resources"]["droplets"]["count"], found["resources"]["volumes"]["count"]
        none = dict.fromkeys(("images_count", "volume_snapshots_count", "databases_count"), 0)
        total = {"total_resource_count": droplets + volumes}
        return {"name": found["name"], "droplets_count": droplets, "volumes_count": volumes, **none, **total}


class Key(Thing):
    name, path, key = "ssh_key", "/v2/account/keys", "ssh_key"
    attributes = [needed("name"), needed("public_key", replace=True), *told("fingerprint")]

    def body(self, planned):
        return {"name": planned["name"], "public_key": planned["public_key"]}

    def fill(self, found, state):
        return {name: found[name] for name in ("name", "public_key", "fingerprint")}


class Vpc(Thing):
    name, path, key = "vpc", "/v2/vpcs", "vpc"
    attributes = [
        needed("name"),
        needed("region", replace=True),
        optional("description"),
        settled("ip_range", replace=True),
        *told("urn", "created_at"),
        *told("default", kind=Bool),
    ]

    def body(self, planned):
        return {"name": planned["name"], "region": planned["region"], "ip_range": _known(planned["ip_range"])}

    def fill(self, found, state):
        plain = {name: found[name] for name in ("name", "region", "ip_range", "created_at", "default")}
        return {**plain, "urn": f"do:vpc:{found['id']}"}


class Firewall(Thing):
    name, path, key = "firewall", "/v2/firewalls", "firewall"
    attributes = [
        needed("name"),
        optional("tags", Set(String())),
        optional("droplet_ids", Set(Number())),
        *told("status", "created_at"),
    ]
    blocks = [
        Nested(
            f"{way}_rule",
            [
                needed("protocol"),
                optional("port_range"),
                *(
                    optional(f"{end}_{what}", Set(String()))
                    for what in ("addresses", "tags", "load_balancer_uids")
                ),
                optional(f"{end}_droplet_ids", Set(Number())),
            ],
        )
        for way, end in (("inbound", "source"), ("outbound", "destination"))
    ]

    def body(self, planned):
        return {
            "name": planned["name"],
            "tags": planned["tags"] or [],
            "droplet_ids": planned["droplet_ids"] or [],
            "inbound_rules": [self.rule(r, "source", "sources") for r in planned["inbound_rule"]],
            "outbound_rules": [self.rule(r, "destination", "destinations") for r in planned["outbound_rule"]],
        }

    def rule(self, block, end, ends):
        kinds = ("addresses", "tags", "load_balancer_uids", "droplet_ids")
        whom = {kind: block[f"{end}_{kind}"] for kind in kinds if block[f"{end}_{kind}"]}
        return {"protocol": block["protocol"], "ports": block["port_range"] or "0", ends: whom}

    def fill(self, found, state):
        known = {"name": found["name"], "tags": found["tags"], "droplet_ids": found["droplet_ids"] or None}
        for way, end, ends in (("inbound", "source", "sources"), ("outbound", "destination", "destinations")):
            before = state.get(f"{way}_rule") or []
            same = [_plain(self.rule(r, end, ends)) for r in before]
            if sorted(same) != sorted(map(_plain, found[f"{way}_rules"])):
                known[f"{way}_rule"] = [self.block(r, end, ends) for r in found[f"{way}_rules"]]
        return {**known, "status": found["status"], "created_at": found["created_at"]}

    def block(self, rule, end, ends):
        kinds = ("addresses", "tags", "load_balancer_uids", "droplet_ids")
        whom = {f"{end}_{kind}": rule[ends].get(kind) for kind in kinds}
        ports = None if rule["ports"] == "0" else rule["ports"]
        return {"protocol": rule["protocol"], "port_range": ports, **whom}


class LoadBalancer(Thing):
    name, path, key = "loadbalancer", "/v2/load_balancers", "load_balancer"
    attributes = [
        needed("name"),
        settled("region", replace=True),
        settled("size"),
        settled("size_unit", Number),
        settled("algorithm"),
        settled("droplet_ids", Set(Number())),
        settled("vpc_uuid", replace=True),
        settled("redirect_http_to_https", Bool, False),
        settled("enable_proxy_protocol", Bool, False),
        settled("enable_backend_keepalive", Bool, False),
        optional("droplet_tag"),
        *told("urn", "ip", "status"),
    ]
    blocks = [
        Nested(
            "forwarding_rule",
            [
                needed("entry_protocol"),
                needed("entry_port", Number),
                needed("target_protocol"),
                needed("target_port", Number),
                optional("certificate_name"),
                optional("tls_passthrough", Bool),
            ],
        ),
        Nested(
            "healthcheck",
            [
                needed("protocol"),
                optional("port", Number),
                optional("path"),
                *(optional(f"{name}_seconds", Number) for name in ("check_interval", "response_timeout")),
                *(optional(f"{name}_threshold", Number) for name in ("healthy", "unhealthy")),
            ],
            single=True,
        ),
    ]

    def body(self, planned):
        names = ("entry_protocol", "entry_port", "target_protocol", "target_port")
        return {
            "name": planned["name"],
            "region": planned["region"],
            "tag": planned["droplet_tag"],
            "vpc_uuid": planned["vpc_uuid"],
            "forwarding_rules": [{n: rule[n] for n in names} for rule in planned["forwarding_rule"]],
            "health_check": {n: planned["healthcheck"][0][n] for n in ("protocol", "port")},
        }

    def made(self, context, state):
        while state["status"] != "active":
            if stopping.is_set():
                context.diagnostics.add_error(
                    f"Error waiting for load balancer ({state['id']})", "context canceled"
                )
                return state
            time.sleep(POLL)
            state = self.state(self.api("GET", self.where(state))["load_balancer"], state)
        return state

    def fill(self, found, state):
        plain = {
            name: found[name]
            for name in ("name", "vpc_uuid", "ip", "status", "algorithm", "size", "size_unit")
        }
        flags = ("redirect_http_to_https", "enable_proxy_protocol", "enable_backend_keepalive")
        return {
            **plain,
            **{name: bool(_known(state.get(name))) for name in flags},
            "region": found["region"]["slug"],
            "droplet_tag": found["tag"],
            "droplet_ids": found["droplet_ids"],
            "urn": f"do:loadbalancer:{found['id']}",
        }


class Volume(Thing):
    name, path, key = "volume", "/v2/volumes", "volume"
    attributes = [
        needed("name", replace=True),
        needed("region", replace=True),
        needed("size", Number),
        optional("description"),
        optional("snapshot_id"),
        optional("initial_filesystem_type", replace=True),
        optional("initial_filesystem_label", replace=True),
        optional("tags", Set(String())),
        *told("urn", "filesystem_type", "filesystem_label"),
        *told("droplet_ids", kind=Set(Number())),
    ]

    def body(self, planned):
        return {
            "name": planned["name"],
            "region": planned["region"],
            "size_gigabytes": planned["size"],
            "filesystem_type": planned["initial_filesystem_type"],
            "tags": planned["tags"] or [],
        }

    def fill(self, found, state):
        return {
            "name": found["name"],
            "region": found["region"]["slug"],
            "size": found["size_gigabytes"],
            "tags": found["tags"],
            "droplet_ids": found["droplet_ids"],
            "urn": f"do:volume:{found['id']}",
            "filesystem_type": found["filesystem_type"],
            "filesystem_label": "",
        }

    def change(self, current, planned):
        self.api(
            "POST", f"{self.where(current)}/actions", {"type": "resize", "size_gigabytes": planned["size"]}
        )
        return self.state(self.api("GET", self.where(current))["volume"], planned)


class Project(Thing):
    name, path, key = "project", "/v2/projects", "project"
    attributes = [
        needed("name"),
        optional("description"),
        settled("purpose"),
        optional("environment"),
        settled("resources", Set(String())),
        settled("is_default", Bool, False),
        *told("owner_uuid", "created_at", "updated_at"),
        *told("owner_id", kind=Number),
    ]

    def body(self, planned):
        return {name: planned[name] for name in ("name", "description", "purpose", "environment")}

    def made(self, context, state):
        return self.assign(state, [], _known(state["resources"]) or [])

    def change(self, current, planned):
        changed = super().change(current, {**planned, "updated_at": None})
        return self.assign(changed, current["resources"], planned["resources"])

    def assign(self, state, before, after):
        """Put resources in; what is not to be there any more goes to the default project."""
        if set(before) - set(after):
            self.api(
                "POST", "/v2/projects/default/resources", {"resources": sorted(set(before) - set(after))}
            )
        if after:
            self.api("POST", f"{self.where(state)}/resources", {"resources": sorted(after)})
        return {**state, "resources": after}

    def read(self, context, current):
        state = super().read(context, current)
        if state is None:
            return None
        return {**state, "resources": self.held(current)}

    def held(self, state):
        """Return the URNs of a project's resources, of all pages."""
        path, held = f"{self.where(state)}/resources", []
        while path:
            found = self.api("GET", path)
            held += [resource["urn"] for resource in found["resources"]]
            path = found["links"]["pages"].get("next", "").removeprefix(self.api.url)
        return held

    def fill(self, found, state):
        names = ("name", "description", "purpose", "environment", "is_default")
        told = ("owner_uuid", "owner_id", "created_at", "updated_at")
        return {name: found[name] for name in (*names, *told)}

    def delete(self, context, current):
        held = self.held(current)
        if held:
            self.api("POST", "/v2/projects/default/resources", {"resources": held})
        return super().delete(context, current)


class Record(Thing):
    name, key = "record", "domain_record"
    attributes = [
        needed("domain", replace=True),
        needed("type", replace=True),
        needed("name"),
        needed("value"),
        settled("ttl", Number),
        *told("fqdn"),
    ]

    def where(self, state):
        return f"/v2/domains/{state['domain']}/records/{state['id']}"

    def create(self, context, planned):
        self.path = f"/v2/domains/{planned['domain']}/records"
        return super().create(context, planned)

    def body(self, planned):
        return {
            "type": planned["type"],
            "name": planned["name"],
            "data": planned["value"],
            "ttl": _known(planned["ttl"]),
        }

    def fill(self, found, state):
        full = f"{found['name']}.{state['domain']}"
        return {
            "type": found["type"],
            "name": found["name"],
            "value": found["data"],
            "ttl": found["ttl"],
            "fqdn": full,
        }


def _known(value):
    """Return a value, None for one that is not known yet."""
    return None if value is Unknown else value


def _plain(rule):
    return json.dumps(
        {
            k: {n: sorted(map(str, v)) for n, v in w.items()} if isinstance(w, dict) else w
            for k, w in rule.items()
        },
        sort_keys=True,
    )


class DigitalOcean(Provider):
    def __init__(self):
        self.api = Api()

    def get_model_prefix(self):
        return "digitalocean_"

    def get_provider_schema(self, diags: Diagnostics):
        names = [optional("token"), optional("api_endpoint"), optional("http_retry_max", Number)]
        return Schema(attributes=names, version=0)

    def full_name(self):
        return "registry.terraform.io/digitalocean/digitalocean"

    def validate_config(self, diags, config):
        pass

    def configure_provider(self, diags, config):
        if config.get("http_retry_max") is not None:
            self.api.retries = int(config["http_retry_max"])

    def get_data_sources(self):
        return []

    def get_resources(self):
        return [Droplet, Tag, Key, Vpc, Firewall, LoadBalancer, Volume, Project, Record]


class Gentle(tf.runner._ShutdownInterceptor):
    """Stops as providers written in Go do: what is under way ends first, and is told that it should."""

    def intercept_service(self, continuation, details):
        if details.method == "/tfplugin6.Provider/StopProvider":
            stopping.set()
            return continuation(details)
        return super().intercept_service(continuation, details)


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Terraform alone decides, as with go-plugin
    tf.runner._ShutdownInterceptor = Gentle
    tf.runner.run_provider(DigitalOcean())
