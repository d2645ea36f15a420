"""rigger attest, rigger verify, rigger approve: what a run did is proved to somebody who was not there."""

import base64
import json
import os
import random
import shutil
import subprocess

import pytest
import zstandard
from cryptography.hazmat.primitives import serialization
from google.protobuf import json_format
from helpers.second_machine import forge
from helpers.shop import Shop
from in_toto.models.metadata import Envelope as InTotoEnvelope
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage
from securesystemslib.signer import SSlibKey

from rigger.attestations import envelope
from rigger.audit.head import FIRST, Head
from rigger.audit.lines import OWN_MEMBERS, render
from rigger.environments.home import Home
from rigger.errors import RiggerError
from rigger.operations.verify import verify

SECRET = "hunter2"
DIGEST = "ab" * 32


def make_key(folder, name):
    path = os.path.join(str(folder), name)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)
    return path


@pytest.fixture
def proved(provisioned, tmp_path):
    """Return an environment with a secret, whose last run is proved by a signed statement, and a bundle of it."""
    provisioned.key, provisioned.second = make_key(tmp_path, "anna"), make_key(tmp_path, "ben")
    provisioned.rigger("config", "set", f"TOKEN={SECRET}", "NODES=3")
    provisioned.rigger("provision", "--reason", "more room")
    provisioned.statement = provisioned.file("proof.json")
    said = provisioned.rigger(
        "attest", "--sign", provisioned.key, "-f", provisioned.statement, "-o", "json"
    ).out
    provisioned.attested = json.loads(said)
    provisioned.bundle = str(tmp_path / "wood.rigger")
    provisioned.rigger("save", "-f", provisioned.bundle)
    return provisioned


def payload(path):
    with open(path) as file:
        return json.loads(base64.b64decode(json.load(file)["payload"]))


def in_toto_accepts(path, public):
    """Let in-toto's own libraries check the signature, the statement and the provenance; return the statement."""
    with open(path) as file:
        signed = InTotoEnvelope.from_dict(json.load(file))
    with open(public, "rb") as file:
        key = SSlibKey.from_crypto(serialization.load_ssh_public_key(file.read()))
    signed.verify_signature({**key.to_dict(), "keyid": key.keyid})
    message = json_format.Parse(signed.payload, StatementMessage())
    Statement.copy_from_pb(message).validate()
    said = json.loads(signed.payload)["predicate"]
    provenance = json_format.ParseDict(said, Provenance(), ignore_unknown_fields=True)
    for one in provenance.build_definition.resolved_dependencies:
        ResourceDescriptor.copy_from_pb(one).validate()
    assert provenance.build_definition.build_type and provenance.run_details.builder.id
    return message, provenance


def test_in_toto_accepts_it_and_reads_what_ran(proved):
    message, provenance = in_toto_accepts(proved.statement, f"{proved.key}.pub")
    assert message.predicate_type == "https://slsa.dev/provenance/v1"
    [head] = message.subject
    record = proved.records()[int(head.annotations["record"]) - 1]
    assert dict(head.digest) == {"sha256": record["hash"]} and record["event"] == "run-finished"
    asked = json_format.MessageToDict(provenance.build_definition.external_parameters)
    assert asked["command"] == "provision" and asked["values"]["NODES"] == "3"
    materials = {one.name: dict(one.digest) for one in provenance.build_definition.resolved_dependencies}
    assert {"provider/soil", "platform/tree", "provider/soil/create"} <= {*materials}
    assert provenance.run_details.metadata.invocation_id == proved.attested["run"]
    logs = [one.name for one in provenance.run_details.byproducts]
    assert logs and all(os.path.isfile(proved.file(name)) for name in logs)


def test_a_secret_is_there_as_a_digest_that_nobody_can_guess(proved):
    said = payload(proved.statement)["predicate"]["buildDefinition"]["externalParameters"]
    assert SECRET not in json.dumps(said) and "TOKEN" not in said["values"]
    import hashlib
    import hmac

    plain = hashlib.sha256(SECRET.encode()).hexdigest()
    with open(proved.file("key"), "rb") as file:
        keyed = hmac.new(file.read(), SECRET.encode(), "sha256").hexdigest()
    assert (
        said["secrets"]["TOKEN"] == f"hmac-sha256:{keyed[:16]}" and plain[:16] not in said["secrets"]["TOKEN"]
    )


def test_whoever_has_the_bundle_and_the_key_can_check_it(proved, tmp_path):
    there = {"RIGGER_HOME": str(tmp_path / "nothing-here")}
    words = ("verify", proved.statement, "--key", f"{proved.key}.pub", "--bundle", proved.bundle)
    said = proved.rigger(*words, env=there).out
    assert "signed by SHA256:" in said and f"what the audit log of {proved.bundle} says" in said
    report = json.loads(proved.rigger(*words, "-o", "json", env=there).out)
    assert report["run"] == proved.attested["run"] and len(report["signers"]) == 1 and report["others"] == 0
    here = proved.rigger("verify", proved.statement, "--key", f"{proved.key}.pub").out
    assert "what the audit log of wood says" in here
    nothing = proved.rigger("verify", proved.statement, "--key", f"{proved.key}.pub", env=there, code=2).err
    assert "--bundle" in nothing
    other = proved.rigger(*words[:3], f"{proved.second}.pub", *words[4:], code=9).err
    assert "is not signed with the key in" in other
    assert "No key was given" in proved.rigger("verify", proved.statement, code=2).err
    assert "rigger bundle verify" in proved.rigger("verify", proved.bundle, "--key", proved.key, code=2).err


@pytest.mark.slow
def test_a_second_person_signs_what_was_done(proved, tmp_path):
    proved.rigger("attest", "--sign", proved.key)
    head = "{count}:{hash}".format(**proved.attested["head"])
    said = proved.rigger("approve", head, "--sign", proved.second).out
    assert "2 signatures" in said
    file = proved.file("attestations", f"{proved.attested['run']}.json")
    both = ("--key", f"{proved.key}.pub", "--key", f"{proved.second}.pub")
    assert proved.rigger("verify", file, *both).out.count("signed by") == 2
    assert "not checked: 1" in proved.rigger("verify", file, *both[:2]).out
    for key in (proved.key, proved.second):
        in_toto_accepts(file, f"{key}.pub")
    assert "has signed" in proved.rigger("approve", head, "--sign", proved.second, code=2).err
    assert "--sign KEY" in proved.rigger("approve", head, code=2).err
    unknown = f"3:{'ab' * 32}"
    assert (
        "rigger attest RUN --sign KEY"
        in proved.rigger("approve", unknown, "--sign", proved.second, code=2).err
    )
    bundle = str(tmp_path / "signed.rigger")
    proved.rigger("save", "-f", bundle)  # both signatures travel
    there = {"RIGGER_HOME": str(tmp_path / "elsewhere"), "RIGGER_TOKEN": SECRET}
    proved.rigger("configure", "--file", bundle, "--no-input", "--trust", env=there)
    file = os.path.join(there["RIGGER_HOME"], "environments", "wood", "attestations", os.path.basename(file))
    assert proved.rigger("verify", file, *both, env=there).out.count("signed by") == 2


@pytest.mark.slow
def test_a_bare_statement_says_that_nobody_signed_it(provisioned):
    said = provisioned.rigger("attest", "1").out
    assert "rigger attest 1 --sign KEY" in said
    run = os.listdir(provisioned.file("attestations"))[0]
    file = provisioned.file("attestations", run)
    seen = provisioned.rigger("verify", file)
    assert "not signed: anybody may have made it" in seen.err + seen.out
    head = "{count}:{hash}".format(**json.loads(provisioned.rigger("attest", "-o", "json").out)["head"])
    key = make_key(os.path.dirname(provisioned.path), "key")
    assert "Nobody has signed" in provisioned.rigger("approve", head, "--sign", key, code=2).err
    assert "is not signed" in provisioned.rigger("verify", file, "--key", f"{key}.pub", code=9).err


@pytest.mark.slow
def test_a_statement_about_something_else_is_only_checked_for_its_signatures(proved, tmp_path):
    file, key = str(tmp_path / "other.json"), f"{proved.key}.pub"
    said = {**payload(proved.statement), "predicateType": "https://example.com/v1"}
    with open(file, "wb") as out:
        out.write(envelope.sign(said, proved.key))
    assert "is not compared with anything" in proved.rigger("verify", file, "--key", key).out
    refused = proved.rigger("verify", file, "--key", key, "--bundle", proved.bundle, code=9).err
    assert "there is nothing to compare" in refused


@pytest.mark.slow
def test_the_same_run_has_the_same_statement_later(proved):
    proved.rigger("check")
    later = proved.file("later.json")
    proved.rigger("attest", str(proved.attested["number"]), "--sign", proved.key, "-f", later)
    assert payload(later) == payload(proved.statement)


def test_runs_that_cannot_be_proved(cluster, tmp_path):
    assert "has not run anything yet" in cluster.rigger("attest", code=2).err
    cluster.rigger("provision")
    assert "There is no run 'nothing'" in cluster.rigger("attest", "nothing", code=2).err
    assert "There is no folder" in cluster.rigger("attest", "-f", str(tmp_path / "no" / "x"), code=2).err


@pytest.mark.slow
def test_images_of_a_release_are_subjects(rigger, modules, tmp_path):
    shop = Shop(rigger, modules)
    rigger("image", "set", "latest", f"api=127.0.0.1:9/api:1@sha256:{DIGEST}")
    shop.deploy("stage")
    file = str(tmp_path / "proof.json")
    rigger("attest", "provision", "--sign", make_key(tmp_path, "key"), "-f", file)
    subjects = payload(file)["subject"]
    images = {one["name"]: one["digest"] for one in subjects[1:]}
    assert images == {"127.0.0.1:9/api:1": {"sha256": DIGEST}}
    assert subjects[1]["uri"] == f"oci://127.0.0.1:9/api:1@sha256:{DIGEST}"


# --- mutations


def another(value, chance):
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.randrange(1, 9)
    if isinstance(value, str):
        return value + chance.choice("xyz") if chance.random() < 0.5 or not value else value[:-1]
    return None


def leaves(value, path=()):
    """Yield the path of every scalar in a value of JSON."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from leaves(inner, (*path, key))
    if not isinstance(value, dict | list):
        yield path


def with_another(value, path, chance):
    *before, last = path
    inner = value
    for key in before:
        inner = inner[key]
    how = chance.choice(("change", "change", "drop"))
    if how == "drop":
        del inner[last]
    else:
        inner[last] = another(inner[last], chance)
    return value


def of_statement_signed_again(proved, chance, folder):
    """Let whoever has the key sign another statement: only the log can tell."""
    said = payload(proved.statement)
    changed = with_another(said, chance.choice([*leaves(said)]), chance)
    path = os.path.join(folder, "proof.json")
    with open(path, "wb") as file:
        file.write(envelope.sign(changed, proved.key))
    return path, proved.bundle


def of_signed_file(proved, chance, folder):
    """Change one byte of the signed statement."""
    path = os.path.join(folder, "proof.json")
    with open(proved.statement, "rb") as file:
        data = bytearray(file.read())
    place = chance.randrange(len(data) - 1)
    data[place] = chance.choice([byte for byte in range(33, 127) if byte != data[place]])
    with open(path, "wb") as file:
        file.write(data)
    return path, proved.bundle


def of_bundle(proved, chance, folder):
    """Change one bit of the bundle, and with it what it holds: a few in what zstd writes make no difference to that."""
    path = os.path.join(folder, "wood.rigger")
    with open(proved.bundle, "rb") as file:
        whole = file.read()
    data = bytearray(whole)
    while held(data) == held(whole):
        data = bytearray(whole)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    with open(path, "wb") as file:
        file.write(data)
    return proved.statement, path


def held(bundle):
    """Return the archive in a bundle; None where it cannot be unpacked."""
    try:
        return zstandard.ZstdDecompressor().decompressobj().decompress(bytes(bundle))
    except zstandard.ZstdError:
        return None


def of_log_made_whole(proved, chance, folder):
    """Tell another story in the bundle's log, and make log and bundle whole again: no other part of them can tell."""
    path = os.path.join(folder, "wood.rigger")
    count = proved.attested["head"]["count"]
    records = [dict(record) for record in proved.records()]
    record = chance.choice(records[:count])
    fields = {name: value for name, value in record.items() if name not in OWN_MEMBERS}
    told = [leaf for leaf in leaves(fields) if isinstance(leaf[-1], str) and leaf]
    own = {name: record[name] for name in OWN_MEMBERS}
    changed = with_another(fields, chance.choice(told), chance) if told else {"more": "x"}
    record.clear()
    record |= own | changed
    head, lines = Head(0, FIRST), []
    for one in records:
        own = {name: value for name, value in one.items() if name not in OWN_MEMBERS}
        made, line = render(head, one["event"], one["run"], own, one["time"])
        head = Head(made["seq"], made["hash"])
        lines.append(line)
    audit = {"audit": {"count": head.count, "head": head.hash}}
    forge(proved.bundle, path, audit, {"audit.jsonl": b"".join(lines)})
    return proved.statement, path


def of_scripts_made_whole(proved, chance, folder):
    """Bring other scripts in the bundle than those that ran."""
    path = os.path.join(folder, "wood.rigger")
    role, name = chance.choice((("provider", "soil"), ("platform", "tree")))
    script = f"#!/bin/sh\necho {chance.random()}\n".encode()
    forge(proved.bundle, path, {}, {f"scripts/{role}/{name}/check": script})
    return proved.statement, path


MUTATIONS = (of_statement_signed_again, of_signed_file, of_bundle, of_log_made_whole, of_scripts_made_whole)


@pytest.mark.parametrize("times", [6, pytest.param(200, marks=pytest.mark.slow)])
def test_every_mutation_is_found(proved, tmp_path, times):
    """Of the statement, of its envelope, of the bundle: five kinds, and each of them is refused, or said to differ."""
    home, chance, found = Home(str(tmp_path / "home")), random.Random(17), {}
    good = verify(home, proved.statement, (f"{proved.key}.pub",), proved.bundle)
    assert good.fits == proved.bundle and not good.differs
    for mutate in MUTATIONS:
        for number in range(times):
            folder = tmp_path / f"{mutate.__name__}-{number}"
            folder.mkdir()
            statement, bundle = mutate(proved, chance, str(folder))
            try:
                verify(home, statement, (f"{proved.key}.pub",), bundle)
            except RiggerError as problem:
                assert problem.exit_code in (8, 9), problem
                found[mutate.__name__] = found.get(mutate.__name__, 0) + 1
            else:
                pytest.fail(f"{mutate.__name__} {number} was not found")
            shutil.rmtree(folder)
    assert found == {mutate.__name__: times for mutate in MUTATIONS}
