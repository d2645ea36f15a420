"""Signed statements: made and checked here, and checked by in-toto's own library, which knows nothing of ours."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from google.protobuf import json_format
from in_toto.models.metadata import Envelope as InTotoEnvelope
from in_toto_attestation.v1.statement_pb2 import Statement as InTotoStatement
from securesystemslib.signer import SSlibKey

from rigger.attestations import envelope, statement
from rigger.attestations.statement import Resource
from rigger.errors import BadUsage, NotReady, Refused

SUBJECTS = [Resource("prod", {"sha256": "ab" * 32}), Resource("web", {"sha256": "cd" * 32}, uri="pkg:web")]
PREDICATE = {"verdict": "go", "figures": {"lost": 0}}
KINDS = ("ed25519", "ecdsa", "rsa")


def make_key(folder, name, kind="ed25519", passphrase="", form="RFC4716"):
    path = os.path.join(folder, name)
    bits = ["-b", "2048"] if kind == "rsa" else []
    said = ["ssh-keygen", "-q", "-t", kind, *bits, "-N", passphrase, "-m", form, "-C", name, "-f", path]
    subprocess.run(said, check=True)
    return path


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Private keys by name; the public ones lie beside them."""
    folder = str(tmp_path_factory.mktemp("keys"))
    made = {name: make_key(folder, name, name) for name in KINDS}
    made |= {"other": make_key(folder, "other"), "locked": make_key(folder, "locked", passphrase="a b c d")}
    pem = os.path.join(folder, "pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", pem], check=True)
    subprocess.run(["openssl", "pkey", "-in", pem, "-pubout", "-out", f"{pem}.pub"], check=True)
    return {**made, "pem": pem}


@pytest.fixture(scope="module")
def said():
    return statement.statement(SUBJECTS, "urn:rigger:verdict:v1", PREDICATE)


def in_toto_accepts(data, public):
    """Return what in-toto's own libraries read of a file; they raise where they do not accept it."""
    with open(public, "rb") as file:
        content = file.read()
    pem = b"-----BEGIN" in content
    load = serialization.load_pem_public_key if pem else serialization.load_ssh_public_key
    signed = InTotoEnvelope.from_dict(json.loads(data))
    key = SSlibKey.from_crypto(load(content))
    signed.verify_signature({**key.to_dict(), "keyid": key.keyid})
    read = json_format.Parse(signed.payload, InTotoStatement())
    assert read.type == "https://in-toto.io/Statement/v1" and signed.payload_type == envelope.PAYLOAD_TYPE
    return read


@pytest.mark.parametrize("kind", [*KINDS, "pem"])
def test_what_is_signed_is_accepted_here_and_by_in_toto(keys, said, kind):
    data = envelope.sign(said, keys[kind])
    verified = envelope.verify(data, [f"{keys[kind]}.pub"], "verdict.json")
    assert verified.statement == said and verified.others == 0
    read = in_toto_accepts(data, f"{keys[kind]}.pub")
    assert [(one.name, dict(one.digest)) for one in read.subject] == [
        ("prod", {"sha256": "ab" * 32}),
        ("web", {"sha256": "cd" * 32}),
    ]
    assert json_format.MessageToDict(read.predicate) == PREDICATE


def test_the_signer_is_named_as_ssh_keygen_does(keys, said):
    public = f"{keys['ed25519']}.pub"
    verified = envelope.verify(envelope.sign(said, keys["ed25519"]), [public], "verdict.json")
    shown = subprocess.run(["ssh-keygen", "-l", "-f", public], check=True, capture_output=True, text=True)
    assert verified.signers[0].fingerprint == shown.stdout.split()[1]


def test_the_signature_is_of_the_envelope_s_own_encoding(keys, said):
    """As DSSE has it: checked with nothing but a plain Ed25519."""
    written = json.loads(envelope.sign(said, keys["ed25519"]))
    payload = base64.b64decode(written["payload"])
    signed = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    with open(f"{keys['ed25519']}.pub", "rb") as file:
        public = serialization.load_ssh_public_key(file.read())
    public.verify(base64.b64decode(written["signatures"][0]["sig"]), signed)


def test_a_second_person_signs_the_same(keys, said):
    once = envelope.sign(said, keys["ed25519"])
    twice = envelope.sign_too(once, keys["other"], "verdict.json")
    publics = [f"{keys[name]}.pub" for name in ("ed25519", "other")]
    verified = envelope.verify(twice, publics, "verdict.json")
    assert [one.file for one in verified.signers] == publics and verified.statement == said
    assert envelope.verify(twice, publics[:1], "verdict.json").others == 1
    for public in publics:
        in_toto_accepts(twice, public)
    with pytest.raises(BadUsage, match="has signed verdict.json already"):
        envelope.sign_too(twice, keys["other"], "verdict.json")
    with pytest.raises(Refused, match="is not signed with the key in .*other.pub"):
        envelope.verify(once, publics, "verdict.json")
    with pytest.raises(BadUsage, match="twice"):
        envelope.verify(twice, publics[:1] * 2, "verdict.json")


def test_keys_that_cannot_be_used_are_named(keys, said, tmp_path):
    nothing = tmp_path / "nothing"
    nothing.write_text("no key\n")
    data = envelope.sign(said, keys["ed25519"])
    for call, kind, words in (
        (lambda: envelope.sign(said, keys["locked"]), NotReady, "it has a passphrase"),
        (lambda: envelope.sign(said, str(nothing)), BadUsage, "is no private key"),
        (lambda: envelope.sign(said, f"{keys['ed25519']}.pub"), BadUsage, "is no private key"),
        (lambda: envelope.sign(said, str(tmp_path / "gone")), BadUsage, "Cannot read the key .*gone"),
        (lambda: envelope.verify(data, [str(nothing)], "verdict.json"), BadUsage, "is no public key"),
        (lambda: envelope.verify(data, [keys["ed25519"]], "verdict.json"), BadUsage, "is no public key"),
        (lambda: envelope.verify(data, [], "verdict.json"), BadUsage, "No key was given"),
        (
            lambda: envelope.verify(data, [f"{keys['other']}.pub"], "x.json"),
            Refused,
            "x.json is not signed with",
        ),
    ):
        with pytest.raises(kind, match=words):
            call()


def test_without_what_signs_the_message_says_how_to_get_it(keys, said, monkeypatch):
    data = envelope.sign(said, keys["ed25519"])
    for name in [name for name in sys.modules if name.partition(".")[0] == "securesystemslib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "securesystemslib", None)
    for call in (
        lambda: envelope.sign(said, keys["ed25519"]),
        lambda: envelope.verify(data, ["x"], "x.json"),
    ):
        with pytest.raises(NotReady) as problem:
            call()
        assert "pip install 'rigger[attest]'" in problem.value.next_step
    assert envelope.statement_in(data, "x.json") == (said, 1)  # it is read without


def test_a_statement_is_about_something_that_has_a_digest():
    for subjects in ([], [Resource("prod", {})]):
        with pytest.raises(ValueError, match="digest"):
            statement.statement(subjects, "urn:rigger:verdict:v1", PREDICATE)


def test_a_bare_statement_is_read_too(keys, said):
    assert envelope.statement_in(statement.content(said), "x") == (said, 0)
    assert envelope.statement_in(envelope.sign(said, keys["ed25519"]), "x") == (said, 1)


# --- mutations


def of_bytes(data, chance):
    """Change one byte of the file, take one out or put one in."""
    place = chance.randrange(len(data) - 1)  # but for its newline
    how = chance.choice("change drop add".split())
    if how == "drop":
        return data[:place] + data[place + 1 :]
    byte = bytes([chance.choice([one for one in range(33, 127) if one != data[place]])])
    return data[:place] + byte + data[place + (how == "change") :]


def of_envelope(data, chance):
    """Change a member of the envelope, as whoever knows its form would."""
    made = json.loads(data)
    signature = made["signatures"][0]
    other = base64.b64encode(chance.randbytes(64)).decode()
    chance.choice(
        [
            lambda: made.update(payloadType=chance.choice(["application/json", "", "text/plain"])),
            lambda: made.update(signatures=[]),
            lambda: made.update(signatures=[signature, signature]),
            lambda: made.update({f"more{chance.random()}": 1}),
            lambda: made.pop(chance.choice([*made])),
            lambda: signature.update(sig=other),
            lambda: signature.update(keyid=chance.randbytes(32).hex()),
            lambda: signature.update({"cert": "x"}),
            lambda: signature.pop(chance.choice([*signature])),
            lambda: signature.update(sig=signature["sig"].rstrip("=")),
            lambda: made.update(payload=made["payload"] + "\n"),
            lambda: made.update(payload=base64.urlsafe_b64encode(chance.randbytes(90)).decode()),
        ]
    )()
    return json.dumps(made, separators=(",", ":")).encode() + b"\n"


def of_statement(data, chance):
    """Change what the statement says, and leave its signature."""
    made = json.loads(data)
    inner = json.loads(base64.b64decode(made["payload"]))
    chance.choice(
        [
            lambda: inner["subject"][0]["digest"].update(sha256=chance.randbytes(32).hex()),
            lambda: inner["subject"].pop(),
            lambda: inner["subject"].append({"name": "more", "digest": {"sha256": "ef" * 32}}),
            lambda: inner["subject"][0].update(name="stage"),
            lambda: inner["predicate"].update(verdict="no-go"),
            lambda: inner["predicate"]["figures"].update(lost=chance.randrange(1, 99)),
            lambda: inner.update(predicateType="urn:rigger:run:v1"),
            lambda: inner.update(_type="https://in-toto.io/Statement/v0.1"),
            lambda: inner["predicate"].update({chance.randbytes(4).hex(): True}),
        ]
    )()
    made["payload"] = base64.b64encode(statement.content(inner)).decode()
    return json.dumps(made, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize("mutate", [of_bytes, of_envelope, of_statement])
def test_a_mutation_is_found(keys, said, mutate):
    data, public, chance = envelope.sign(said, keys["ed25519"]), f"{keys['ed25519']}.pub", random.Random(17)
    found = 0
    for _ in range(400):
        changed = mutate(data, chance)
        with pytest.raises(Refused):
            assert not envelope.verify(changed, [public], "x.json"), changed
        found += 1
    assert found == 400


def test_what_no_signature_covers_is_refused(keys, said):
    """Another way to write the same bytes, and a member that stands twice, of which programs take one or the other."""
    data, public = envelope.sign(said, keys["ed25519"]), f"{keys['ed25519']}.pub"
    signature = json.loads(data)["signatures"][0]["sig"]
    assert signature.endswith("==")  # behind which four bits of the last digit say nothing
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = signature[:-3] + digits[digits.index(signature[-3]) ^ 1] + "=="
    assert base64.b64decode(other) == base64.b64decode(signature)
    for changed in (
        data.replace(signature.encode(), other.encode()),
        data.replace(b'{"payload":', b'{"payload":"e30=","payload":'),
        data.replace(b'"keyid":', b'"keyid":"x","keyid":'),
    ):
        assert changed != data
        with pytest.raises(Refused):
            envelope.verify(changed, [public], "x.json")


def test_a_signature_of_another_statement_does_not_fit(keys, said):
    other = statement.statement(SUBJECTS[:1], "urn:rigger:verdict:v1", PREDICATE)
    one, two = (json.loads(envelope.sign(each, keys["ed25519"])) for each in (said, other))
    swapped = json.dumps({**one, "signatures": two["signatures"]}).encode()
    with pytest.raises(Refused, match="is not what was signed with the key in"):
        envelope.verify(swapped, [f"{keys['ed25519']}.pub"], "x.json")


def test_what_is_no_statement_is_refused_though_it_is_signed(keys):
    for inner in (b"[]", b"{}", b'{"a":1,"a":1}', b'{"a":NaN}', statement.content({"_type": "x"})):
        signed = envelope.sign_bytes(inner, keys["ed25519"])
        with pytest.raises(Refused):
            envelope.verify(signed, [f"{keys['ed25519']}.pub"], "x.json")
