"""An application to keep an eye on: it writes numbered records to etcd and keeps a ledger of those acknowledged.
It is one file, because that is copied to a node and runs there by itself, with the Python that the node has.

Usage, on a node: python3 application.py VERB [ARGUMENT...], the verbs stand at the end; the file lies in the application's own folder, with

    config.json   its name, the random word in every value, where it listens, and the members at first
    ledger        a line `NUMBER TIME` for every acknowledged record, `start TIME` whenever the program started
    members       the cluster's members as they were last seen, one URL a line
    address       where it serves its state: /state (JSON) and /ledger
    tested        the last number that `test` has seen; no older than an hour, it lets the application write fast
    lock          held while the program runs; its number is in it
    log           what went wrong

Record N is the key /rigger-app/NAME/N, the number with twelve digits, and the value `N WORD`. It is written by a
transaction that creates the key if it is not there: however often a record is sent, and however late one of
the requests arrives, it is there once. Times are seconds since 1970.

It is one file, however long, because it is copied to a node by itself. It needs Python 3.7 and nothing else, and speaks JSON with etcd's own gateway:
https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/
"""

from __future__ import annotations

import base64
import fcntl
import http.client
import http.server
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = os.path.dirname(os.path.abspath(__file__))
FAST, SLOW = 0.1, 1.0  # seconds from one record to the next
FAST_FOR = 3600  # seconds after it was last looked at; a year of ten records a second would fill the cluster
MOST = 1000000  # records; etcd has room for 2 GB unless told otherwise
TIMEOUT = 1.0  # seconds for one answer to a record
LEARN_EVERY = 5.0  # seconds
PAGE = 2000  # records read at once
SILENCE = 5.0  # seconds without an acknowledged record, after which an application does not write


class Refused(Exception):
    """A member answered, but with an error."""


PROBLEMS = (OSError, http.client.HTTPException, ValueError, Refused)


def path(name: str) -> str:
    return os.path.join(FOLDER, name)


def content(name: str) -> str:
    """Return a file's text, nothing where there is no file."""
    try:
        with open(path(name), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def replace(name: str, text: str) -> None:
    with open(path(name + ".new"), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path(name + ".new"), path(name))


def config() -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(content("config.json"))
    return settings


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


def prefix(name: str) -> str:
    return f"/rigger-app/{name}/"


def key_of(name: str, number: int) -> str:
    return f"{prefix(name)}{number:012}"


def after(text: str) -> str:
    """Return the end of the range of all keys that begin with a text."""
    return text[:-1] + chr(ord(text[-1]) + 1)


class Cluster:
    """The members, of which one is asked until it fails."""

    def __init__(self, members: list[str], timeout: float):
        self.members = members
        self.timeout = timeout
        self.connection: http.client.HTTPConnection | None = None

    def ask(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one call, asked once; one of PROBLEMS is raised and the next member's turn comes."""
        try:
            if self.connection is None:
                member = urlsplit(self.members[0])
                self.connection = http.client.HTTPConnection(
                    member.hostname or "", member.port, timeout=self.timeout
                )
            self.connection.request("POST", call, json.dumps(body), {"Content-Type": "application/json"})
            response = self.connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read().decode())
            if response.status != 200:
                raise Refused(answer.get("message") or answer.get("error") or f"HTTP {response.status}")
            return answer
        except PROBLEMS:
            self.close()
            self.members = self.members[1:] + self.members[:1]
            raise

    def insist(self, call: str, body: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Return the answer to a call that may be repeated, from whichever member gives one."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.ask(call, body)
            except PROBLEMS as problem:
                if time.monotonic() > end:
                    raise Refused(f"no member answers: {problem}") from problem
                time.sleep(0.1)

    def learn(self) -> None:
        """Take the member list over, and stay with the member that is asked now."""
        members = []
        for member in self.ask("/v3/cluster/member/list", {}).get("members", []):
            for peer, client in zip(member.get("peerURLs", []), member.get("clientURLs", [])):  # noqa: B905
                # Among themselves, nodes use the addresses of the peers; clients may be told public ones.
                host = urlsplit(peer).netloc.rpartition(":")[0]
                members.append(f"http://{host}:{urlsplit(client).port}")
        if members and set(members) != set(self.members):
            current = self.members[0]
            members.sort(key=lambda member: member != current)
            if current not in members:
                self.close()
            self.members = members
            replace("members", "\n".join(members) + "\n")

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Ledger:
    """What the file of acknowledged records says; gaps are seconds from one record to the next."""

    def __init__(self, since: int = 0):
        """Read all whole lines of the file; gaps behind record SINCE are also looked at apart from the others."""
        self.since = since
        self.last = 0  # number
        self.numbers = 0  # how many lines there are for records
        self.longest: tuple[float, float | None] = (0.0, None)  # gap, and when it began
        self.longest_since = 0.0
        self.then: float | None = (
            None  # when the last record was acknowledged, or the program started after that
        )
        self.problem = ""
        self.size = 0
        if os.path.exists(path("ledger")):
            self.read()

    def read(self) -> None:
        with open(path("ledger"), "rb") as file:
            for row, line in enumerate(file, 1):
                # Without its end, it was never acknowledged.
                if not line.endswith(b"\n"):
                    break
                self.size += len(line)
                self.take(line, row)

    def take(self, line: bytes, row: int) -> None:
        try:
            what, instant = line.split()
            when = float(instant)
            if what == b"start":
                # While the program was away it missed nothing.
                self.then = when
                return
            number = int(what)
        except ValueError:
            self.problem = self.problem or f"line {row} of the ledger is damaged"
            return
        if number != self.last + 1:
            self.problem = self.problem or f"line {row} of the ledger is record {number} after {self.last}"
        self.look_at_gap(when)
        self.numbers += 1
        self.last, self.then = number, when

    def look_at_gap(self, until: float) -> None:
        if self.then is None:
            return
        self.longest = max(self.longest, (until - self.then, self.then), key=lambda gap: gap[0])
        if self.last >= self.since:
            self.longest_since = max(self.longest_since, until - self.then)


# Running


class Application:
    """The program while it runs."""

    def __init__(self) -> None:
        self.config = config()
        self.name: str = self.config["name"]
        self.cluster = Cluster(content("members").split() or self.config["members"], TIMEOUT)
        ledger = Ledger()
        self.number = ledger.last
        self.acknowledged = ledger.numbers
        # Clocks are set now and then; gaps must not depend on that.
        self.zero = time.time() - time.monotonic()
        self.since = self.last = self.now()
        self.longest, self.began = ledger.longest
        self.written = self.unknown = 0
        self.stopping: float | None = None  # when it ends at the latest
        self.learned = 0.0
        self.file = open(path("ledger"), "r+b" if os.path.exists(path("ledger")) else "w+b")
        self.file.truncate(ledger.size)
        self.file.seek(0, os.SEEK_END)
        self.synced = 0.0

    def now(self) -> float:
        return self.zero + time.monotonic()

    def run(self) -> None:
        """Write one record after the other until it is told to stop."""
        self.note("start")
        replace("address", self.serve() + "\n")
        following = time.monotonic()
        while not self.stopping and self.number < MOST:
            if not self.write(self.number + 1):
                break
            self.learn()
            following = max(following + self.pace(), time.monotonic())
            while not self.stopping and time.monotonic() < following:
                time.sleep(min(0.1, max(0.0, following - time.monotonic())))
        os.fsync(self.file.fileno())
        if self.number >= MOST:
            print(f"all {MOST} records that it may write are written; destroy and deploy it", file=sys.stderr)
        while not self.stopping:
            time.sleep(0.1)

    def pace(self) -> float:
        try:
            looked_at = os.stat(path("tested")).st_mtime
        except OSError:
            return SLOW
        return FAST if time.time() - looked_at < FAST_FOR else SLOW

    def write(self, number: int) -> bool:
        """Send a record until it is acknowledged; false when that did not come before the end."""
        key, value = key_of(self.name, number), f"{number} {self.config['word']}"
        body = {
            "compare": [{"key": encoded(key), "target": "VERSION", "result": "EQUAL", "version": "0"}],
            "success": [{"requestPut": {"key": encoded(key), "value": encoded(value)}}],
            "failure": [{"requestRange": {"key": encoded(key)}}],
        }
        for attempt in itertools.count(1):
            if self.stopping and self.now() > self.stopping:
                return False
            try:
                self.written += 1
                answer = self.cluster.ask("/v3/kv/txn", body)
            except ConnectionRefusedError:
                pass
            except PROBLEMS:
                self.unknown += 1
            else:
                break
            if attempt % len(self.cluster.members) == 0:
                time.sleep(0.02)
        if not answer.get("succeeded"):
            stored = decoded(answer["responses"][0]["response_range"]["kvs"][0]["value"])
            if stored != value:
                sys.exit(f"record {number} is there already, but somebody else's: {stored}")
        self.note(number)
        return True

    def note(self, what: int | str) -> None:
        """Add a line to the ledger. Once it is with the system, it outlives this program; the disk gets it in time."""
        now = self.now()
        self.file.write(f"{what} {now:.6f}\n".encode())
        self.file.flush()
        if now - self.synced > 1:
            os.fsync(self.file.fileno())
            self.synced = now
        if isinstance(what, int):
            if now - self.last > self.longest:
                self.longest, self.began = now - self.last, self.last
            self.number = what
            self.acknowledged += 1
            self.last = now

    def learn(self) -> None:
        if self.now() - self.learned > LEARN_EVERY:
            self.learned = self.now()
            try:
                self.cluster.learn()
            except PROBLEMS:
                pass  # It is asked again soon, and the members that are known may still do.

    def state(self) -> dict[str, Any]:
        waiting = self.now() - self.last
        return {
            "name": self.name,
            "word": self.config["word"],
            "written": self.written,
            "acknowledged": self.acknowledged,
            "unknown": self.unknown,
            "last": round(self.last, 3),
            "longest_gap_seconds": round(max(self.longest, waiting), 3),
            "gap_started": self.last if waiting > self.longest else self.began,
            "since": round(self.since, 3),
            "members": self.cluster.members,
        }

    def serve(self) -> str:
        """Serve /state and /ledger at the first free port; return the URL."""
        application, host = self, self.config["host"]

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/state":
                    self.give("application/json", json.dumps(application.state()).encode() + b"\n")
                elif self.path == "/ledger":
                    with open(path("ledger"), "rb") as file:
                        self.give("text/plain", file.read())
                else:
                    self.send_error(404, "There are /state and /ledger")

            def give(self, kind: str, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *words: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            allow_reuse_address = True

        for port in range(self.config["port"], self.config["port"] + 20):
            try:
                server = Server((host, port), Handler)
            except OSError as problem:
                refusal = problem
                continue
            threading.Thread(target=server.serve_forever, daemon=True).start()
            return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        raise refusal


def run() -> None:
    """Be the application."""
    lock = open(path("lock"), "a+")
    # Somebody who only looks whether it is held lets go of it at once.
    for _ in range(20):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            time.sleep(0.05)
    else:
        return
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    application = Application()

    def stop(*_: object) -> None:
        # What has been sent is waited for, so that it cannot arrive after all records were deleted.
        application.stopping = application.now() + 3

    signal.signal(signal.SIGTERM, stop)
    application.run()


def running() -> int | None:
    """Return the number of the process that holds the lock, None when there is none."""
    try:
        with open(path("lock")) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return int(lock.read() or 0)
    except FileNotFoundError:
        pass
    return None


# What is done to it


def deploy(name: str, host: str, port: str, *members: str) -> None:
    """Write its configuration down, unless it has one, and start it."""
    if not content("config.json"):
        # Records of an application that went with its node are nobody's any more.
        delete_records(name, list(members))
        settings = {"name": name, "word": os.urandom(8).hex(), "host": host, "port": int(port)}
        replace("config.json", json.dumps({**settings, "members": members}))
    replace("tested", f"{Ledger().last}\n")
    start()
    replace("tested", f"{Ledger().last}\n")
    print(f"writes, and serves its state at {content('address').strip()}/state")


def start() -> None:
    """Start it, and wait until it has written; exits when it does not."""
    if not running():
        if os.path.exists(path("address")):
            os.unlink(path("address"))
        with open(path("log"), "ab") as log:
            subprocess.Popen(
                [sys.executable, path("application.py"), "run"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    before, end = ledger_size(), time.monotonic() + 15
    while not content("address") or ledger_size() <= before or last_line().startswith(b"start"):
        if time.monotonic() > end:
            sys.exit(f"{config()['name']} does not write: {last_words()}")
        time.sleep(0.05)


def ledger_size() -> int:
    try:
        return os.stat(path("ledger")).st_size
    except FileNotFoundError:
        return 0


def last_line() -> bytes:
    with open(path("ledger"), "rb") as file:
        file.seek(max(0, ledger_size() - 100))
        return file.read().rpartition(b"\n")[0].rpartition(b"\n")[2]


def last_words() -> str:
    lines = content("log").split("\n")
    if running():
        try:
            Cluster(content("members").split() or config()["members"], TIMEOUT).insist(
                "/v3/kv/range", {"key": encoded("/rigger-app/"), "limit": "1"}, 2
            )
        except Refused as problem:
            return str(problem)
    return next((line for line in reversed(lines) if line.strip()), "it gave no reason")


def stop() -> None:
    """End it, at the latest with force."""
    end_with(signal.SIGTERM)
    kill()


def kill() -> None:
    """End it at once."""
    end_with(signal.SIGKILL)
    if running() is not None:
        sys.exit(f"process {running()} does not end")


def end_with(number: int) -> None:
    """Send a signal, and wait for the end for at most five seconds."""
    end, sent = time.monotonic() + 5, False
    while time.monotonic() < end:
        pid = running()
        if pid is None:
            return
        if pid and not sent:
            sent = True
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        time.sleep(0.02)


def remove() -> None:
    """End it, and delete its records and files; the files stay as long as the records cannot be deleted."""
    stop()
    if content("config.json"):
        try:
            delete_records(config()["name"], content("members").split() or config()["members"])
        except Refused as problem:
            sys.exit(f"its records could not be deleted, {problem}")
    shutil.rmtree(FOLDER)


def delete_records(name: str, members: list[str]) -> None:
    whole = {"key": encoded(prefix(name)), "range_end": encoded(after(prefix(name)))}
    Cluster(members, 10.0).insist("/v3/kv/deleterange", whole, 20)


def test() -> None:
    """Compare ledger and cluster; print a line `figure NAME VALUE` for every figure, `problem WORDS` for the rest."""
    settings = config()
    writes = await_next_record()
    ledger = Ledger(int(content("tested") or 0))
    if not writes:
        ledger.look_at_gap(time.time())
    problems = [ledger.problem] if ledger.problem else []
    if not writes:
        problems.append(f"it does not {'write' if running() else 'run'} any more: {last_words()}")
    figures: dict[str, object] = {"acknowledged": ledger.numbers}
    try:
        cluster = Cluster(content("members").split() or settings["members"], 5.0)
        counts = compare(
            ledger.last, settings["word"], prefix(settings["name"]), records(cluster, settings["name"])
        )
    except Refused as problem:
        problems.append(f"its records cannot be read, {problem}")
    else:
        figures.update(counts)
        problems += [f"{count} records are {word}" for word, count in counts.items() if count]
    figures["longest_gap_seconds"] = f"{ledger.longest_since:.3f}"
    figures["longest_gap_ever_seconds"] = f"{ledger.longest[0]:.3f}"
    replace("tested", f"{ledger.last}\n")
    for name, value in figures.items():
        print("figure", name, value)
    for sentence in problems:
        print("problem", " ".join(sentence.split()))


def await_next_record() -> bool:
    """Return whether a record is acknowledged soon."""
    before, end = ledger_size(), time.monotonic() + SILENCE
    while running() and ledger_size() <= before:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return running() is not None


def records(cluster: Cluster, name: str) -> Iterator[tuple[int | None, str, int, int]]:
    """Yield number or None, value, version and create revision of all keys of an application, in the keys' order."""
    start, end = prefix(name), after(prefix(name))
    while True:
        body = {"key": encoded(start), "range_end": encoded(end), "limit": str(PAGE)}
        answer = cluster.insist("/v3/kv/range", body, 10)
        for pair in answer.get("kvs", []):
            key = decoded(pair["key"])
            word = key[len(prefix(name)) :]
            number = int(word) if len(word) == 12 and word.isdigit() else None
            yield (
                number,
                decoded(pair.get("value", "")),
                int(pair["version"]),
                int(pair["create_revision"]),
            )
        if not answer.get("more"):
            return
        start = key + "\0"


def compare(
    last: int, word: str, start: str, records: Iterable[tuple[int | None, str, int, int]]
) -> dict[str, int]:
    """Return how many of the records up to number LAST are lost, duplicated and so on among those that there are."""
    counts = {"lost": 0, "duplicated": 0, "altered": 0, "out_of_order": 0, "unexpected": 0}
    expected, revision = 1, 0
    for number, value, version, created in records:
        if number is None or number < expected:
            counts["unexpected"] += 1
            continue
        if number <= last:
            counts["lost"] += number - expected
        elif number != expected:
            # The one record that may be under way when a ledger is read follows the last; so do later ones.
            counts["lost"] += max(0, last + 1 - expected)
            counts["unexpected"] += number > max(expected, last + 1)
        expected = number + 1
        if value != f"{number} {word}":
            counts["altered"] += 1
        elif version != 1:
            counts["duplicated"] += 1
        if created <= revision:
            counts["out_of_order"] += 1
        revision = max(revision, created)
    counts["lost"] += max(0, last + 1 - expected)
    return counts


VERBS: dict[str, Callable[..., None]] = {
    "run": run,
    "deploy": deploy,
    "stop": stop,
    "kill": kill,
    "remove": remove,
    "test": test,
}

if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
