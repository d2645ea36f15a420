"""moto's server over real HTTP, and a proxy in front of it that lists calls and breaks the one that a test names.

moto runs no instances. `ssh` in these tests reads a configuration that leads every address of the stack to one real
sshd on loopback, and every other name nowhere.
"""

import contextlib
import getpass
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REGION = "eu-central-1"
SECRET = "wJalrXUtnFEMIexampleSECRETkey"
KINDS = ("throttled", "broken", "cut before", "cut after", "lost", "killed")

# The names that the calls of Route 53 have; others say theirs in the request.
REST = {("GET", "/2013-04-01/hostedzone"): "ListHostedZones"}


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """moto's server, brought nearer to AWS by aws_server.py."""

    def __init__(self, log: str):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        with open(log, "wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, os.path.join(ROOT, "tests", "helpers", "aws_server.py"), str(self.port)],
                stdout=file,
                stderr=file,
            )
        end = time.monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < end, open(log).read()
            time.sleep(0.05)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def tell(self, what: str, body: str = "") -> None:
        """Use one of the server's own addresses: /test/fail, /moto-api/reset."""
        request = urllib.request.Request(f"{self.url}/{what}", body.encode(), method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    def client(self, service, region=REGION):
        """Return a client that speaks to moto past the proxy."""
        import boto3

        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="AKIATESTONLY",
            aws_secret_access_key="unused",
        )

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Proxy:
    """Passes calls on to a server, lists them, and breaks one of them in the way that a test names."""

    def __init__(self, server: Server):
        self.server = server
        self.calls: list[str] = []  # service:Operation
        self.heads: list[str] = []
        self.break_at: int | str = 0  # the number of the call, counted from 1, or its name; 0: none
        self.how = ""
        self.broken = 0  # how many calls were
        self.answer = None  # (call, status, code, message): an error that is answered in place of the server
        self.victim = None
        self.lock = threading.Lock()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def reset(self) -> None:
        self.calls.clear()
        self.break_at, self.how, self.broken, self.answer, self.victim = 0, "", 0, None, None

    def _handler(proxy):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                call = call_of(self.command, self.path, self.headers, body)
                with proxy.lock:
                    proxy.calls.append(call)
                    hit = not proxy.broken and proxy.break_at in (len(proxy.calls), call)
                    proxy.broken += hit
                how = proxy.how if hit else ""
                if how == "killed" and proxy.victim:
                    proxy.victim.send_signal(signal.SIGKILL)
                if proxy.answer and proxy.answer[0] == call:
                    _, status, code, message = proxy.answer
                    return self.give(status, error(code, message, self.headers))
                if how == "throttled":
                    return self.give(400, error("Throttling", "Rate exceeded", self.headers))
                if how == "broken":
                    return self.give(503, b"")
                if how == "cut before":
                    return self.cut()
                answer = self.ask(body)
                if how in ("cut after", "lost"):
                    return self.cut()
                self.give(answer.status, answer.read(), answer.getheader("Content-Type"))

            do_GET = do_PUT = do_DELETE = do_POST

            def ask(self, body):
                connection = http.client.HTTPConnection("127.0.0.1", proxy.server.port, timeout=60)
                kept = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "expect")}
                connection.request(self.command, self.path, body, kept)
                return connection.getresponse()

            def cut(self):
                self.close_connection = True
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

            def give(self, status, body, kind="text/xml"):
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Type", kind or "text/xml")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

        return Handler


def call_of(method: str, path: str, headers, body: bytes) -> str:
    """Return which operation of which service a request is, as IAM names them."""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("Authorization", ""))
    service = scope[1] if scope else "?"
    names = {"monitoring": "cloudwatch", "tagging": "tag"}
    target = headers.get("X-Amz-Target", "")
    action = re.search(rb"(?:^|&)Action=(\w+)", body)
    if target:
        operation = target.rpartition(".")[2]
    elif action:
        operation = action[1].decode()
    else:
        operation = REST.get((method, path.partition("?")[0].rstrip("/")), f"{method} {path}")
    return f"{names.get(service, service)}:{operation}"


def error(code: str, message: str, headers=None) -> bytes:
    """Return an error in the words of the caller's protocol: JSON where it speaks that, else XML."""
    if headers is not None and "json" in headers.get("Content-Type", ""):
        return json.dumps({"__type": code, "message": message}).encode()
    if headers is not None and "/ec2/" in headers.get("Authorization", ""):
        return f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>".encode()
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>".encode()


class Sshd:
    """One real sshd on loopback that stands for every machine of a stack."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.key = self.path("key")
        self.port = free_port()
        self.home = self.path("home")
        self.new_machines()
        for name in ("key", "host"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(name)], check=True)
        shutil.copy(f"{self.key}.pub", self.path("authorized"))
        with open(self.path("sshd_config"), "w") as file:
            file.write(
                f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.path('host')}\nPidFile none\nUsePAM no\n"
                f"AuthorizedKeysFile {self.path('authorized')}\nStrictModes no\nPermitRootLogin yes\n"
                "PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 100\n"
                f"SetEnv HOME={self.home}\n"
            )
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        self.process = subprocess.Popen(
            [sshd, "-D", "-e", "-f", self.path("sshd_config")], stderr=open(self.path("log"), "wb")
        )

    def path(self, name):
        return os.path.join(self.folder, name)

    def new_machines(self) -> None:
        """Have nothing on the machines: what one test left, such as who was there last, is not the next one's."""
        shutil.rmtree(self.home, ignore_errors=True)
        os.makedirs(self.home)

    def configure(self, home) -> None:
        """Lead every address that moto makes up to this sshd, and all other names nowhere."""
        os.makedirs(os.path.join(home, ".ssh"), mode=0o700, exist_ok=True)
        with open(os.path.join(home, ".ssh", "config"), "w") as file:
            file.write(
                f"Host 10.* 54.* 172.31.*\n  HostName 127.0.0.1\n  Port {self.port}\n  User {getpass.getuser()}\n"
                "  ProxyCommand none\n"
                "Host *\n  ProxyCommand false\n"
            )

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def account(server: Server) -> dict:
    """Return everything that is in an account and could cost something or be in the way."""
    ec2, groups = server.client("ec2"), server.client("autoscaling")
    running = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    reservations = ec2.describe_instances(Filters=running)["Reservations"]
    balancers = server.client("elbv2")
    stacks = server.client("cloudformation").describe_stacks()["Stacks"]
    return {
        "instances": sorted(i["InstanceId"] for r in reservations for i in r["Instances"]),
        "networks": sorted(v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"]),
        "subnets": sorted(s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]),
        "gateways": sorted(
            g["InternetGatewayId"] for g in ec2.describe_internet_gateways()["InternetGateways"]
        ),
        "firewalls": sorted(g["GroupId"] for g in ec2.describe_security_groups()["SecurityGroups"]),
        "tables": sorted(t["RouteTableId"] for t in ec2.describe_route_tables()["RouteTables"]),
        "templates": sorted(
            t["LaunchTemplateId"] for t in ec2.describe_launch_templates()["LaunchTemplates"]
        ),
        "keys": sorted(k["KeyName"] for k in ec2.describe_key_pairs()["KeyPairs"]),
        "groups": [
            g["AutoScalingGroupName"] for g in groups.describe_auto_scaling_groups()["AutoScalingGroups"]
        ],
        "balancers": [b["LoadBalancerName"] for b in balancers.describe_load_balancers()["LoadBalancers"]],
        "targets": [t["TargetGroupName"] for t in balancers.describe_target_groups()["TargetGroups"]],
        "stacks": [s["StackName"] for s in stacks],
    }
