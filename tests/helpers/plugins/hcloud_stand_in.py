"""A stand-in for the Terraform provider hetznercloud/hcloud, which cannot be downloaded where the tests run.

It has the attributes of the real provider's documentation that our .tf file uses and those that it works out itself. Its
cloud is the JSON file $HCLOUD_STAND_IN; it wants HCLOUD_TOKEN, as the real one does.
"""

import fcntl
import json
import os
import signal

import tf.runner
from digitalocean_stand_in import Gentle, Nested, needed, optional, settled, told
from tf.iface import Provider, Resource
from tf.schema import Schema
from tf.types import Bool, List, Map, Number, Set, String, Unknown

LABELS = optional("labels", Map(String()))


class Store:
    """The cloud: id -> what somebody made."""

    def __enter__(self):
        self.file = open(os.environ["HCLOUD_STAND_IN"], "a+")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.file.seek(0)
        self.things = json.loads(self.file.read() or "{}")
        return self.things

    def __exit__(self, *exc):
        self.file.seek(0)
        self.file.truncate()
        json.dump(self.things, self.file)
        self.file.close()


class Thing(Resource):
    name = ""
    attributes: list = []
    blocks: list = []

    def __init__(self, provider):
        pass

    @classmethod
    def get_name(cls):
        return cls.name

    @classmethod
    def get_schema(cls):
        return Schema(attributes=[*told("id"), *cls.attributes], block_types=cls.blocks, version=1)

    def worked_out(self, id):
        return {}

    def create(self, context, planned):
        with Store() as things:
            id = str(1 + max([1000, *map(int, things)]))
            plain = {name: None if value is Unknown else value for name, value in planned.items()}
            things[id] = {**plain, **self.worked_out(id), "id": id, "_type": self.name}
            return {name: value for name, value in things[id].items() if name != "_type"}

    def read(self, context, current):
        with Store() as things:
            found = things.get(current["id"])
        return found and {name: value for name, value in found.items() if name != "_type"}

    def update(self, context, current, planned):
        with Store() as things:
            things[current["id"]].update(planned)
        return planned

    def delete(self, context, current):
        with Store() as things:
            things.pop(current["id"], None)

    def upgrade(self, context, version, old):
        return old


class Key(Thing):
    name = "ssh_key"
    attributes = [needed("name"), needed("public_key", replace=True), LABELS, *told("fingerprint")]

    def worked_out(self, id):
        return {"fingerprint": "b7:2f:30:a0:2f:6c:58:6c:21:04:58:61:ba:06:3b:2f"}


class Network(Thing):
    name = "network"
    attributes = [
        needed("name"),
        needed("ip_range", replace=True),
        LABELS,
        settled("delete_protection", Bool, False),
    ]


class Subnet(Thing):
    name = "network_subnet"
    attributes = [
        needed("network_id", Number, replace=True),
        needed("type", replace=True),
        needed("network_zone", replace=True),
        needed("ip_range", replace=True),
        optional("vswitch_id", Number),
        *told("gateway"),
    ]

    def worked_out(self, id):
        return {"gateway": "10.0.0.1"}


class Firewall(Thing):
    name = "firewall"
    attributes = [optional("name"), LABELS]
    blocks = [
        Nested(
            "rule",
            [
                needed("direction"),
                needed("protocol"),
                optional("port"),
                optional("source_ips", Set(String())),
                optional("destination_ips", Set(String())),
                optional("description"),
            ],
        )
    ]


class Server(Thing):
    name = "server"
    attributes = [
        needed("name"),
        needed("server_type"),
        optional("image", replace=True),
        settled("location", replace=True),
        settled("datacenter", replace=True),
        optional("user_data", replace=True),
        optional("ssh_keys", List(String()), replace=True),
        settled("firewall_ids", Set(Number())),
        settled("backups", Bool, False),
        settled("keep_disk", Bool, False),
        LABELS,
        *told("ipv4_address", "ipv6_address", "ipv6_network", "status", "backup_window"),
        *told("primary_disk_size", kind=Number),
    ]
    blocks = [
        Nested(
            "network",
            [
                optional("subnet_id"),
                optional("network_id", Number),
                optional("ip"),
                optional("alias_ips", Set(String())),
            ],
        )
    ]

    def worked_out(self, id):
        return {
            "ipv4_address": f"127.0.8.{int(id) % 1000}",
            "ipv6_address": "2001:db8::1",
            "ipv6_network": "2001:db8::/64",
            "status": "running",
            "backup_window": "",
            "primary_disk_size": 40,
            "datacenter": "fsn1-dc14",
        }


class Hcloud(Provider):
    def get_model_prefix(self):
        return "hcloud_"

    def get_provider_schema(self, diags):
        return Schema(attributes=[optional("token"), optional("endpoint")], version=0)

    def full_name(self):
        return "registry.terraform.io/hetznercloud/hcloud"

    def validate_config(self, diags, config):
        pass

    def configure_provider(self, diags, config):
        if not (config.get("token") or os.environ.get("HCLOUD_TOKEN")):
            diags.add_error("Missing Hetzner Cloud API token", "Set HCLOUD_TOKEN.")

    def get_data_sources(self):
        return []

    def get_resources(self):
        return [Key, Network, Subnet, Firewall, Server]


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Terraform alone decides, as with go-plugin
    tf.runner._ShutdownInterceptor = Gentle
    tf.runner.run_provider(Hcloud())
