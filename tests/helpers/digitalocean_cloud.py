"""A small DigitalOcean on 127.0.0.1: the API's own paths and answers over real HTTP, and faults on demand.

It stands in for https://api.digitalocean.com. The stand-in for the Terraform provider is in plugins/.
"""

import base64
import contextlib
import copy
import hashlib
import http.server
import itertools
import json
import os
import platform
import re
import socketserver
import stat
import sys
import threading
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field

TOKEN = "dop_v1_0123456789abcdef"
VERSION = "2.68.0"
CREATED = "2026-11-21T03:00:00Z"
REGIONS = {"nyc3": "New York 3", "fra1": "Frankfurt 1", "ams2": "Amsterdam 2"}
SIZES = {
    "s-1vcpu-1gb": (6, 1, 1024, 25),
    "s-1vcpu-2gb": (12, 1, 2048, 50),
    "s-2vcpu-4gb": (24, 2, 4096, 80),
    "s-4vcpu-8gb": (48, 4, 8192, 160),
    "s-9vcpu-1tb": (999, 9, 1048576, 900),
}


@dataclass
class Fault:
    """What goes wrong with the next `times` requests that match, after `after` of them went well."""

    method: str
    path: str  # a regular expression for the whole path, without the query
    kind: str  # an HTTP status, "lose" (done, but no answer), "hang"
    times: int = 1
    after: int = 0
    seconds: float = 0.0
    met: int = field(default=0)

    def strikes(self, method, path):
        if method != self.method or not re.fullmatch(self.path, path):
            return False
        self.met += 1
        return self.after < self.met <= self.after + self.times


class Refused(Exception):
    def __init__(self, code, id, message):
        super().__init__(message)
        self.code, self.answer = code, {"id": id, "message": message}


def not_found():
    return Refused(404, "not_found", "The resource you were accessing could not be found.")


def wrong(message):
    return Refused(422, "unprocessable_entity", message)


class Greeter(socketserver.BaseRequestHandler):
    """What a droplet that runs says first at its ssh port; there is nothing behind it."""

    def handle(self):
        self.request.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


class Cloud:
    """An account with a default network and project in it; `leftovers` is what was added to that."""

    def __init__(self, addresses=None, page=2):
        self.lock = threading.RLock()
        self.page = page  # the API gives more at once; so every list has pages here
        self.addresses = addresses or (lambda number: f"127.0.9.{number}")
        self.boot = 0.0  # seconds until a new droplet runs
        self.going = 0.0  # seconds that a deleted droplet is still there
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self.created: list[str] = []
        self.counter = itertools.count(1001)
        self.project_resources: dict[str, set] = {}
        self.records: dict[str, dict] = {"example.net": {}}
        self.things: dict[str, dict] = {
            kind: {}
            for kind in (
                "droplets",
                "vpcs",
                "firewalls",
                "load_balancers",
                "volumes",
                "projects",
                "keys",
                "tags",
            )
        }
        for region in REGIONS:
            self._vpc(
                {"name": f"default-{region}", "region": region, "ip_range": "10.108.0.0/20"}, default=True
            )
        self._project(
            {"name": "first-project", "description": "", "purpose": "", "environment": "Production"}, True
        )
        self.beginning = self.snapshot()
        self.sshd = socketserver.ThreadingTCPServer(("", 0), Greeter)  # at each of the addresses
        self.ssh_port = self.sshd.server_address[1]
        threading.Thread(target=self.sshd.serve_forever, args=(0.05,), daemon=True).start()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sshd.shutdown()
        self.sshd.server_close()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def snapshot(self):
        with self.lock:
            kinds = {
                kind: sorted(found["name"] for found in all.values()) for kind, all in self.things.items()
            }
            return {
                **kinds,
                "records": sorted(r["name"] for zone in self.records.values() for r in zone.values()),
            }

    def leftovers(self):
        """Return what is there and was not in the beginning."""
        end = time.monotonic() + self.going + 2
        while True:
            now = self.snapshot()
            left = {
                kind: [name for name in names if name not in self.beginning[kind]]
                for kind, names in now.items()
            }
            left = {kind: names for kind, names in left.items() if names}
            if not left or time.monotonic() > end:
                return left
            time.sleep(0.05)

    def droplets(self):
        with self.lock:
            return sorted(droplet["name"] for droplet in self.things["droplets"].values())

    def droplet(self, ending):
        return next(d for d in self.things["droplets"].values() if d["name"].endswith(ending))

    def fail(self, method, path, kind, **more):
        self.faults.append(Fault(method, path, str(kind), **more))

    def posts(self, path):
        return [asked for asked in self.asked if asked == ("POST", path)]

    # The API

    def answer(self, method, path, query, body):
        parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
        if parts[0] != "v2":
            raise not_found()
        with self.lock:
            self._settle()
            return getattr(self, f"_{parts[1].replace('-', '_')}", self._nowhere)(
                method, parts[2:], query, body
            )

    def _nowhere(self, method, rest, query, body):
        raise not_found()

    def _settle(self):
        now = time.monotonic()
        for droplet in list(self.things["droplets"].values()):
            if droplet["_gone"] and droplet["_gone"] <= now:
                self._drop(droplet)
            elif droplet["status"] == "new" and droplet["_ready"] <= now:
                droplet["status"], droplet["locked"] = "active", False

    def _account(self, method, rest, query, body):
        if rest[:1] == ["keys"]:
            return self._keys(method, rest[1:], query, body)
        return {
            "account": {"email": "ada@example.net", "status": "active", "droplet_limit": 25, "uuid": "a1"}
        }

    def _keys(self, method, rest, query, body):
        if method == "POST":
            digest = hashlib.md5(base64.b64decode(body["public_key"].split()[1])).hexdigest()
            fingerprint = ":".join(digest[i : i + 2] for i in range(0, 32, 2))
            if any(key["fingerprint"] == fingerprint for key in self.things["keys"].values()):
                raise wrong("SSH Key is already in use on your account")
            number = next(self.counter)
            key = {"id": number, "fingerprint": fingerprint, **body}
            self.things["keys"][str(number)] = key
            return {"ssh_key": key}
        return self._plain("keys", "ssh_keys", "ssh_key", method, rest, query)

    def _regions(self, method, rest, query, body):
        all = [
            {"slug": s, "name": n, "available": s != "ams2", "sizes": list(SIZES)} for s, n in REGIONS.items()
        ]
        return self._listed("regions", all, query, "regions")

    def _sizes(self, method, rest, query, body):
        all = [
            {
                "slug": slug,
                "price_monthly": float(price),
                "price_hourly": round(price / 672, 5),
                "vcpus": vcpus,
                "memory": memory,
                "disk": disk,
                "available": slug != "s-9vcpu-1tb",
                "regions": ["fra1"] if slug == "s-2vcpu-4gb" else list(REGIONS),
            }
            for slug, (price, vcpus, memory, disk) in SIZES.items()
        ]
        return self._listed("sizes", all, query, "sizes")

    def _droplets(self, method, rest, query, body):
        droplets = self.things["droplets"]
        if method == "POST" and rest == ["actions"]:
            chosen = [d for d in droplets.values() if query.get("tag_name") in d["tags"]]
            return {"actions": [self._act(droplet, body) for droplet in chosen]}
        if method == "POST" and not rest:
            return {"droplet": _shown(self._new_droplet(body))}
        if method == "POST" and rest[1:] == ["actions"]:
            return {"action": self._act(self._one("droplets", rest[0]), body)}
        if method == "DELETE" and rest:
            droplet = self._one("droplets", rest[0])
            droplet["_gone"] = time.monotonic() + self.going
            self._settle()
            return {}
        if not rest:
            tag = query.get("tag_name")
            found = [_shown(d) for d in droplets.values() if tag is None or tag in d["tags"]]
            return self._listed("droplets", found, query, "droplets")
        return {"droplet": _shown(self._one("droplets", rest[0]))}

    def _new_droplet(self, body):
        if not re.fullmatch(r"[a-zA-Z0-9.-]+", body["name"]):
            raise wrong("Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)")
        if body["size"] not in SIZES or body["region"] not in REGIONS:
            raise wrong("You specified an invalid size or region for Droplet creation.")
        known = {key["fingerprint"] for key in self.things["keys"].values()}
        if not set(body["ssh_keys"]) <= known:
            raise wrong("ssh_keys are invalid")
        self._one("vpcs", body["vpc_uuid"])
        number, slug = next(self.counter), body["size"]
        price, vcpus, memory, disk = SIZES[slug]
        taken = {d["_number"] for d in self.things["droplets"].values()}
        wanted = int((re.search(r"-([0-9]+)$", body["name"]) or [0, 1])[1])
        place = next(n for n in (wanted, *range(1, 100)) if n not in taken)
        address = self.addresses(place)
        droplet = {
            "id": number,
            "name": body["name"],
            "size_slug": slug,
            "size": {"slug": slug, "price_monthly": float(price), "price_hourly": round(price / 672, 5)},
            "vcpus": vcpus,
            "memory": memory,
            "disk": disk,
            "locked": True,
            "status": "new",
            "created_at": CREATED,
            "features": ["monitoring"] if body.get("monitoring") else [],
            "region": {"slug": body["region"]},
            "image": {"id": 7, "slug": body["image"]},
            "tags": list(body["tags"]),
            "volume_ids": list(body.get("volumes") or []),
            "vpc_uuid": body["vpc_uuid"],
            "networks": {
                "v4": [{"ip_address": address, "type": "public"}, {"ip_address": address, "type": "private"}],
            },
            "_ready": time.monotonic() + self.boot,
            "_gone": 0.0,
            "_number": place,
            "_user_data": body.get("user_data"),
        }
        for volume in droplet["volume_ids"]:
            self._one("volumes", volume)["droplet_ids"].append(number)
        for tag in body["tags"]:
            self.things["tags"].setdefault(tag, {"name": tag})
        self.things["droplets"][str(number)] = droplet
        self.created.append(body["name"])
        self._settle()
        return droplet

    def _act(self, droplet, body):
        kind = body["type"]
        if kind in ("power_off", "shutdown", "power_on"):
            droplet["status"] = "active" if kind == "power_on" else "off"
        elif kind == "rename":
            droplet["name"] = body["name"]
        elif kind == "resize":
            price, vcpus, memory, disk = SIZES[body["size"]]
            droplet.update(size_slug=body["size"], vcpus=vcpus, memory=memory, disk=disk)
            droplet["size"] = {"slug": body["size"], "price_monthly": float(price), "price_hourly": 0.0}
        return {"id": next(self.counter), "status": "completed", "type": kind, "resource_id": droplet["id"]}

    def _drop(self, droplet):
        del self.things["droplets"][str(droplet["id"])]
        for volume in self.things["volumes"].values():
            volume["droplet_ids"] = [id for id in volume["droplet_ids"] if id != droplet["id"]]
        for resources in self.project_resources.values():
            resources.discard(f"do:droplet:{droplet['id']}")

    def _vpcs(self, method, rest, query, body):
        if method == "POST":
            return {"vpc": self._vpc(body)}
        if method == "DELETE" and any(d["vpc_uuid"] == rest[0] for d in self.things["droplets"].values()):
            raise Refused(409, "conflict", "Can not delete VPC with members")
        if method == "DELETE" and any(
            b["vpc_uuid"] == rest[0] for b in self.things["load_balancers"].values()
        ):
            raise Refused(409, "conflict", "Can not delete VPC with members")
        return self._plain("vpcs", "vpcs", "vpc", method, rest, query, body)

    def _vpc(self, body, default=False):
        if any(vpc["name"] == body["name"] for vpc in self.things["vpcs"].values()):
            raise wrong("A VPC with this name already exists")
        range = body.get("ip_range") or f"10.{200 + len(self.things['vpcs'])}.0.0/20"
        vpc = {"id": str(uuid.uuid4()), **body, "ip_range": range, "default": default, "created_at": CREATED}
        self.things["vpcs"][vpc["id"]] = vpc
        return vpc

    def _firewalls(self, method, rest, query, body):
        if method == "POST":
            if any(one["name"] == body["name"] for one in self.things["firewalls"].values()):
                raise wrong("duplicate name")
            wall = {"id": str(uuid.uuid4()), "status": "succeeded", "created_at": CREATED, **body}
            self.things["firewalls"][wall["id"]] = wall
            return {"firewall": wall}
        return self._plain("firewalls", "firewalls", "firewall", method, rest, query, body)

    def _load_balancers(self, method, rest, query, body):
        all = self.things["load_balancers"]
        for balancer in all.values():
            members = [d["id"] for d in self.things["droplets"].values() if balancer["tag"] in d["tags"]]
            balancer.update(droplet_ids=members, status="active", ip="127.0.9.200")
        if method == "POST":
            balancer = {
                "id": str(uuid.uuid4()),
                "size": "lb-small",
                "size_unit": 1,
                "algorithm": "round_robin",
            }
            balancer.update(body, status="new", ip="", droplet_ids=[], region={"slug": body["region"]})
            all[balancer["id"]] = balancer
            return {"load_balancer": copy.deepcopy(balancer)}
        if method == "PUT":
            body = {**body, "region": {"slug": body["region"]}}
        return self._plain("load_balancers", "load_balancers", "load_balancer", method, rest, query, body)

    def _volumes(self, method, rest, query, body):
        if method == "POST" and rest:
            volume = self._one("volumes", rest[0])
            if body["type"] == "resize":
                volume["size_gigabytes"] = body["size_gigabytes"]
            droplet = self.things["droplets"].get(str(body.get("droplet_id")))
            if body["type"] == "attach":
                volume["droplet_ids"] = [droplet["id"]]
                droplet["volume_ids"].append(volume["id"])
            if body["type"] == "detach":
                volume["droplet_ids"] = []
                droplet["volume_ids"].remove(volume["id"])
            return {"action": {"status": "completed"}}
        if method == "POST":
            if any(volume["name"] == body["name"] for volume in self.things["volumes"].values()):
                raise Refused(409, "conflict", "a volume with that name already exists")
            volume = {"id": str(uuid.uuid4()), "droplet_ids": [], **body, "region": {"slug": body["region"]}}
            self.things["volumes"][volume["id"]] = volume
            return {"volume": volume}
        if method == "DELETE" and self._one("volumes", rest[0])["droplet_ids"]:
            raise Refused(409, "conflict", "volume is attached")
        return self._plain("volumes", "volumes", "volume", method, rest, query, body)

    def _projects(self, method, rest, query, body):
        if rest[:1] == ["default"]:
            rest = [next(id for id, one in self.things["projects"].items() if one["is_default"]), *rest[1:]]
        if rest[1:] == ["resources"]:
            id = self._one("projects", rest[0])["id"]
            if method == "POST":
                for resources in self.project_resources.values():
                    resources.difference_update(body["resources"])
                self.project_resources.setdefault(id, set()).update(body["resources"])
            held = [{"urn": urn, "status": "ok"} for urn in sorted(self.project_resources.get(id, ()))]
            return self._listed("resources", held, query, f"projects/{id}/resources")
        if method == "DELETE" and self.project_resources.get(rest[0]):
            raise Refused(412, "precondition_failed", "cannot delete a project with resources")
        if method == "POST":
            return {"project": self._project(body, False)}
        return self._plain("projects", "projects", "project", method, rest, query, body)

    def _project(self, body, default):
        if any(project["name"] == body["name"] for project in self.things["projects"].values()):
            raise Refused(409, "conflict", "name is already in use")
        project = {"id": str(uuid.uuid4()), "owner_uuid": "a1", "owner_id": 1, "is_default": default, **body}
        project.update(created_at=CREATED, updated_at=CREATED)
        self.things["projects"][project["id"]] = project
        return project

    def _tags(self, method, rest, query, body):
        if rest[1:] == ["resources"]:
            for resource in body["resources"]:
                tags = self._one("droplets", resource["resource_id"])["tags"]
                tags.append(rest[0]) if method == "POST" else tags.remove(rest[0])
            return {}
        if method == "POST":
            self.things["tags"].setdefault(body["name"], {"name": body["name"]})
            rest = [body["name"]]
        for name, tag in self.things["tags"].items():
            counts = {
                kind: {"count": sum(name in one["tags"] for one in self.things[kind].values())}
                for kind in ("droplets", "volumes")
            }
            tag["resources"] = counts
        if method == "DELETE":
            for droplet in self.things["droplets"].values():
                droplet["tags"] = [tag for tag in droplet["tags"] if tag != rest[0]]
        return self._plain("tags", "tags", "tag", "GET" if method == "POST" else method, rest, query)

    def _domains(self, method, rest, query, body):
        if not rest:
            return self._listed(
                "domains", [{"name": name, "ttl": 1800} for name in self.records], query, "domains"
            )
        if rest[0] not in self.records:
            raise not_found()
        records = self.records[rest[0]]
        if method == "POST":
            number = next(self.counter)
            records[str(number)] = {"id": number, **body}
            return {"domain_record": records[str(number)]}
        if len(rest) == 2:
            return self._listed("domain_records", list(records.values()), query, f"domains/{rest[0]}/records")
        if rest[2] not in records:
            raise not_found()
        if method == "DELETE":
            del records[rest[2]]
            return {}
        if method == "PUT":
            records[rest[2]].update(body)
        return {"domain_record": records[rest[2]]}

    def _plain(self, kind, many, one, method, rest, query, body=None):
        path = {"keys": "account/keys"}.get(kind, kind)
        if not rest:
            return self._listed(many, [copy.deepcopy(t) for t in self.things[kind].values()], query, path)
        found = self._one(kind, rest[0])
        if method == "DELETE":
            del self.things[kind][rest[0]]
            for resources in self.project_resources.values():
                resources -= {urn for urn in resources if urn.endswith(f":{rest[0]}")}
            return {}
        if method in ("PUT", "PATCH"):
            found.update(body)
        return {one: copy.deepcopy(found)}

    def _one(self, kind, id):
        if str(id) not in self.things[kind]:
            raise not_found()
        return self.things[kind][str(id)]

    def _listed(self, key, all, query, path):
        size, number = min(int(query.get("per_page", 20)), self.page), int(query.get("page", 1))
        asked = {**query, "page": number + 1}
        more = number * size < len(all)
        pages = {"next": f"{self.url}/v2/{path}?{urllib.parse.urlencode(asked)}"} if more else {}
        return {
            key: all[(number - 1) * size : number * size],
            "links": {"pages": pages},
            "meta": {"total": len(all)},
        }

    # HTTP

    def _fault(self, method, path):
        with self.lock:
            self.asked.append((method, path))
            return next(iter([fault for fault in self.faults if fault.strikes(method, path)]), None)

    def _handler(cloud):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"null")
                parts = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(parts.query))
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    return self.say(401, {"id": "Unauthorized", "message": "Unable to authenticate you"})
                fault = cloud._fault(self.command, parts.path)
                if fault and fault.kind.isdigit():
                    more = {"Retry-After": "1"} if fault.kind == "429" else {}
                    return self.say(int(fault.kind), {"id": "x", "message": "as a test wants it"}, more)
                if fault and fault.kind == "hang":
                    time.sleep(fault.seconds)
                try:
                    code, answer = 200, cloud.answer(self.command, parts.path, query, body)
                except Refused as refusal:
                    code, answer = refusal.code, refusal.answer
                if fault and fault.kind == "lose":
                    self.close_connection = True
                    return None
                return self.say(204 if self.command == "DELETE" and code == 200 else code, answer)

            def say(self, code, answer, more=None):
                body = b"" if code == 204 else json.dumps(answer).encode()
                with contextlib.suppress(OSError):
                    self.send_response(code)
                    for name, value in {"Content-Type": "application/json", **(more or {})}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_request  # noqa: N815

            def log_message(self, *arguments):
                pass

        return Handler


def _shown(droplet):
    return copy.deepcopy({name: value for name, value in droplet.items() if not name.startswith("_")})


def install_plugin(folder, name="digitalocean", source="digitalocean/digitalocean", version=VERSION):
    """Lay a stand-in plugin out as a mirror, and return the Terraform CLI configuration that knows it alone."""
    machine = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    target = f"{platform.system().lower()}_{machine}"
    place = os.path.join(folder, "mirror", "registry.terraform.io", source, version, target)
    os.makedirs(place, exist_ok=True)
    program = os.path.join(place, f"terraform-provider-{source.split('/')[1]}_v{version}")
    plugins = os.path.join(os.path.dirname(os.path.abspath(__file__)), "plugins")
    with open(program, "w") as file:
        file.write(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {plugins!r})\n")
        file.write(f"from {name}_stand_in import main\nmain()\n")
    os.chmod(program, stat.S_IRWXU)
    path = os.path.join(folder, f"{name}.tfrc")
    with open(path, "w") as file:
        mirror = json.dumps(os.path.join(folder, "mirror"))
        file.write(f"provider_installation {{\n  filesystem_mirror {{\n    path = {mirror}\n  }}\n}}\n")
    return path
