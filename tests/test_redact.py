"""Masking: no form of a secret gets through, however its output is cut, and everything else does at once."""

from __future__ import annotations

import base64
import html
import itertools
import json
import random
import re
import shlex
import shutil
import subprocess
import urllib.parse
import xml.sax.saxutils

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rigger import text as texts
from rigger.envfile import quoting
from rigger.redact import Finder, Redactor
from rigger.redact.forms import MIN_LENGTH, forms_of

SECRET = 'p@ss w\'rd "é" $x/`y`\\~<&>+%!#'
KEY = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA+x/y\n  c2VjcmV0IGxpbmU=\n-----END KEY-----\n"


def in_pieces(redactor, data, cuts):
    """What a stream shows of data that comes cut at these places."""
    stream = redactor.stream()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    shown = [stream.feed(data[start:end]) for start, end in itertools.pairwise(edges)]
    return b"".join(shown) + stream.finish()


# --- the forms ---------------------------------------------------------------------------------------

FORMS = {
    "plain": lambda text: text,
    "URL": lambda text: urllib.parse.quote(text),
    "URL, nothing safe": lambda text: urllib.parse.quote(text, safe=""),
    "URL, form": lambda text: urllib.parse.quote_plus(text),
    "URL, lower case": lambda text: re.sub("%..", lambda code: code[0].lower(), urllib.parse.quote(text)),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON, / escaped": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "HTML": html.escape,
    "HTML, text only": lambda text: html.escape(text, quote=False),
    "XML": lambda text: xml.sax.saxutils.escape(text, {'"': "&quot;", "'": "&apos;"}),
    "JSON of Terraform": lambda text: (
        json.dumps(text, ensure_ascii=False)[1:-1]
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    ),
    "shell, single quotes": lambda text: text.replace("'", "'\\''"),
    "shell, shlex": lambda text: shlex.quote(text)[1:-1],
    "shell, vars file": lambda text: quoting.quote(text)[1:-1],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_becomes_the_mask(form):
    shown = form(SECRET)
    assert Redactor([SECRET]).text(f"before [{shown}] after {shown}") == "before [***] after ***"


COMMANDS = [
    ["bash", "-c", 'printf "%q\\n" "$SECRET"'],
    ["bash", "-c", 'set -x; : "$SECRET"'],
    ["bash", "-c", "export -p | grep SECRET"],
    ["bash", "-c", "set | grep ^SECRET"],
    ["dash", "-c", "export -p | grep SECRET"],
    ["dash", "-c", 'set -x; : "$SECRET"'],
    ["zsh", "-f", "-c", "print -r -- ${(q)SECRET}"],
    ["zsh", "-f", "-c", 'set -x; : "$SECRET"'],
    ["busybox", "sh", "-c", 'set -x; : "$SECRET"'],
    ["busybox", "sh", "-c", "export -p | grep SECRET"],
    ["sh", "-c", 'printf %s "$SECRET" | base64'],
    ["sh", "-c", 'printf "user:%s" "$SECRET" | base64'],
    ["sh", "-c", 'printf "xy%s more" "$SECRET" | base64 -w0 | tr +/ -_'],
]
PRINTED = [
    SECRET,
    "plain-token_1234",
    "#tag value",
    "~home",
    "tab\there 'and' \x01\x1b[0m\x7f",
    'Grüße "ß"',
    "a'b'c''d",
    "a=b c:~d",
]


# zsh has ways of its own to write control characters, which are not looked for.
@pytest.mark.parametrize(
    ("command", "secret"),
    [
        (command, secret)
        for command in COMMANDS
        for secret in PRINTED
        if command[0] != "zsh" or secret.isprintable()
    ],
)
def test_what_real_tools_print_is_masked(command, secret, tmp_path):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    surroundings = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "SECRET": secret}
    result = subprocess.run(command, env=surroundings, cwd=tmp_path, capture_output=True, check=False)
    printed = result.stdout + result.stderr
    assert printed.strip()
    shown = Redactor([secret]).bytes(printed)
    assert b"***" in shown
    rest = shown.replace(b"SECRET", b"").replace(b"declare", b"").replace(b"export", b"").replace(b"zsh", b"")
    # At most quotes and a name are left and, of base64, the characters that neighbours share.
    assert len(rest.replace(b"***", b"")) <= 25


def test_long_base64_that_a_tool_breaks_into_lines_is_masked():
    secret = "".join(random.Random(1).choices("abcdefghijk+/=", k=500))
    for encoded in (base64.encodebytes(secret.encode()), wrapped(base64.b64encode(secret.encode()), 64)):
        assert set(Redactor([secret]).bytes(encoded)) == set(b"*\n")


def wrapped(data, width):
    return b"\n".join(data[start : start + width] for start in range(0, len(data), width))


def test_each_line_of_a_secret_is_masked_also_alone_and_indented():
    redactor = Redactor([KEY])
    assert redactor.text(KEY) == "***"
    shown = redactor.text("read MIIEpAIBAAKCAQEA+x/y\r\n      c2VjcmV0IGxpbmU=\n")
    assert shown == "read ***\r\n      ***\n"


@pytest.mark.parametrize("line", ["true", "Conf", "Config", "8080", "http", "key:", "Map"])
def test_a_short_line_of_a_secret_masks_no_word_of_other_output(line):
    redactor = Redactor([f"first line of it\n{line}\n  {line}\nthe last line"])
    said = f"a {line}Map of {line}; and\n  {line}\n"
    assert redactor.text(said) == said
    assert redactor.text(f"<first line of it\n{line}\n  {line}\nthe last line>") == "<***>"


@pytest.mark.parametrize("length", range(57, 70))
def test_the_last_line_of_broken_base64_masks_no_word_of_other_output(length):
    secret = "k%" * length
    last = [
        base64.b64encode(secret.encode())[start : start + width][-width:]
        for width in (64, 76)
        for start in range(0, 4 * -(-2 * length // 3), width)
    ]
    for text in (line.decode() for line in last if len(line) < 8):
        assert Redactor([secret]).text(f"some {text} here") == f"some {text} here"


def test_short_passwords_one_a_line_are_masked():
    redactor = Redactor(["hunter2\ncorrect-horse\ns3cret"])
    assert redactor.text("hunter2, correct-horse and s3cret") == "***, *** and ***"


def test_a_secret_read_from_a_file_is_masked_without_its_last_newline():
    assert Redactor(["hunter2\n"]).text("it is hunter2.") == "it is ***."
    assert Redactor(["hunter2\n"]).text(base64.b64encode(b"hunter2").decode()) == "***"


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_a_very_short_secret_is_left_alone(secret):
    assert len(secret) < MIN_LENGTH
    assert Redactor([secret]).text("abc abc") == "abc abc"


def test_bytes_that_are_not_utf8_are_masked_and_kept():
    secret = texts.decode(b"\xff\xfe\xc3x")
    assert Redactor([secret]).bytes(b"\x80 \xff\xfe\xc3x \xc3") == b"\x80 *** \xc3"
    assert Redactor([secret]).text(f"\udc80 {secret}") == "\udc80 ***"


def test_half_a_character_in_a_text_or_a_secret_does_no_harm():
    assert "***" in Redactor(["hunter2", "\ud800abcd"]).text("\ud800 hunter2")


# --- several secrets -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secrets", "text", "shown"),
    [
        (["hunter2", "hunter2-long"], "hunter2-long hunter2", "*** ***"),
        (["hunter2-long", "hunter2"], "hunter2-lon", "***-lon"),
        (["abcdef", "defghi"], "abcdefghi", "***"),
        (["abcdef", "bcde"], "abcdef", "***"),
        (["abcdef", "ghijkl"], "abcdefghijkl abcdef.ghijkl", "*** ***.***"),
        (["aaaa"], "aaaaaaa b aaa", "*** b aaa"),
        (["abcabcd"], "abcabcabcd", "abc***"),
    ],
)
def test_overlapping_secrets_leave_nothing(secrets, text, shown):
    redactor = Redactor(secrets)
    assert redactor.text(text) == shown
    assert in_pieces(redactor, text.encode(), range(len(text))).decode() == shown


def test_a_secret_that_is_added_counts_for_open_streams_and_for_what_they_hold():
    redactor = Redactor(["hunter2"])
    stream = redactor.stream()
    assert stream.feed(b"swordfish hunt") == b"swordfish "
    redactor.add("hunting")
    redactor.add("swordfish")
    assert stream.feed(b"ing swordfish ") == b"*** *** "


def test_a_first_secret_can_be_added_to_an_open_stream():
    redactor = Redactor()
    stream = redactor.stream()
    assert stream.feed(b"hunter2 ") == b"hunter2 "
    redactor.add("hunter2")
    assert stream.feed(b"hunter2 ") == b"*** "


# --- streams -------------------------------------------------------------------------------------------


def test_ordinary_output_is_shown_at_once():
    stream = Redactor([SECRET, KEY, "hunter2"]).stream()
    for line in (b"first\n", b"no newline", b"\n", b"x", b"\xff"):
        assert stream.feed(line) == line
    assert stream.finish() == b""


def test_only_what_may_begin_a_secret_is_held_back():
    stream = Redactor(["hunter2"]).stream()
    assert stream.feed(b"to hunt") == b"to "
    assert stream.feed(b"s for hun") == b"hunts for "
    assert stream.feed(b"ter2!") == b"***!"
    assert stream.feed(b"hunter") == b""
    assert stream.finish() == b"hunter"


def test_a_finished_secret_is_masked_at_once_although_a_longer_one_may_follow():
    stream = Redactor(["hunter2", "hunter2-and-more"]).stream()
    assert stream.feed(b"hunter2") == b"***"
    assert stream.feed(b"-and") == b""
    assert stream.feed(b"-mo") == b""
    assert stream.feed(b"re.") == b"."
    assert stream.feed(b"hunter2-and") + stream.feed(b"-less") == b"***-and-less"


@pytest.mark.slow
def test_a_secret_of_100_kb_is_one_mask_and_little_of_it_is_ever_held():
    secret = "".join(random.Random(2).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=100_000))
    data = f"<{secret}> <{secret}{secret}>".encode()
    redactor = Redactor([secret])
    assert redactor.bytes(data) == b"<***> <***>"
    assert in_pieces(redactor, data, range(0, len(data), 997)) == b"<***> <***>"
    stream = redactor.stream()
    assert stream.feed(secret[:50_000].encode()) == b"***"
    assert len(stream.feed(b"!") + stream.finish()) < 1000
    assert re.fullmatch(rb"..\*\*\*.?=*", redactor.bytes(base64.b64encode(b"." + secret.encode())))


# --- any secret, any text, any cut -----------------------------------------------------------------------

# The mask's own character is left out: next to a mask, a secret such as "**x" could seem to be in the output.
CHARACTERS = st.characters(exclude_characters="*\0", exclude_categories=["Cs"])
SECRETS = st.one_of(
    st.text(CHARACTERS, min_size=4, max_size=12),
    st.text(st.sampled_from("ab'\"\\ $%+/\n&é"), min_size=4, max_size=12),
    st.text(st.sampled_from("ab"), min_size=300, max_size=700),
).filter(lambda secret: len(secret.encode()) >= MIN_LENGTH)
ENCODINGS = [
    *FORMS.values(),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
]


def without_last_quoted(form, secret):
    """The form, or the secret itself where a form needs quotes around what `FORMS` takes them from."""
    return secret if form is FORMS["shell, shlex"] and shlex.quote(secret) == secret else form(secret)


@st.composite
def outputs(draw):
    """Secrets, an output that has them planted in it, the planted forms, and where the output is cut."""
    secrets = draw(st.lists(SECRETS, min_size=1, max_size=4))
    planted = []
    parts = []
    for _ in range(draw(st.integers(0, 6))):
        secret = draw(st.sampled_from(secrets))
        form = without_last_quoted(draw(st.sampled_from(ENCODINGS)), secret)
        planted.append(form)
        almost = st.sampled_from([secret[:3], secret[:-1], secret[1:]])
        parts += [draw(st.one_of(st.text(CHARACTERS, max_size=6), almost)), form]
    data = "".join(parts).encode()
    cuts = draw(st.one_of(st.lists(st.integers(0, 2000), max_size=8), st.just(range(len(data)))))
    return secrets, data, planted, cuts


@pytest.mark.slow
@settings(max_examples=400, deadline=None, database=None)
@given(outputs())
@example((["abcdef", "defghijk"], b"abcdefghijk", ["abcdef", "defghijk"], range(20)))
def test_nothing_gets_through_and_cuts_make_no_difference(output):
    secrets, data, planted, cuts = output
    redactor = Redactor(secrets)
    shown = redactor.bytes(data)
    assert in_pieces(redactor, data, cuts) == shown
    for form in [*planted, *secrets]:
        if len(form.encode()) >= MIN_LENGTH:
            assert form.encode() not in shown


@pytest.mark.slow
@settings(max_examples=300, deadline=None, database=None)
@given(secret=SECRETS, before=st.binary(max_size=7), after=st.binary(max_size=7), safe=st.booleans())
def test_what_only_the_secret_decides_in_base64_is_masked(secret, before, after, safe):
    encode = base64.urlsafe_b64encode if safe else base64.b64encode
    encoded = encode(before + secret.encode() + after)
    start, end = -(-8 * len(before) // 6), 8 * (len(before) + len(secret.encode())) // 6
    shown = Redactor([secret]).bytes(encoded)
    assert encoded[start:end] not in shown
    assert b"***" in shown


@settings(max_examples=200, deadline=None, database=None)
@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300)))
def test_output_without_a_secret_is_left_as_it_is(data, cuts):
    redactor = Redactor(["this is not in random bytes", KEY])
    assert in_pieces(redactor, data, cuts) == data


def reference(forms, data):
    """The same masking by a simple search."""
    hidden = bytearray(len(data))
    for form in forms:
        at = data.find(form)
        while at >= 0:
            hidden[at : at + len(form)] = b"\1" * len(form)
            at = data.find(form, at + 1)
    pairs = itertools.groupby(zip(hidden, data, strict=True), lambda pair: pair[0])
    return b"".join(b"***" if hides else bytes(byte for _, byte in group) for hides, group in pairs)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, database=None)
@given(
    secrets=st.lists(st.text(st.sampled_from("abc"), min_size=4, max_size=14), min_size=1, max_size=6),
    data=st.text(st.sampled_from("abc."), max_size=80),
    cuts=st.lists(st.integers(0, 80)),
)
def test_the_masks_are_where_a_simple_search_puts_them(secrets, data, cuts):
    redactor = Redactor(secrets)
    assert in_pieces(redactor, data.encode(), cuts) == reference({s.encode() for s in secrets}, data.encode())


PLANTED = ("Zb8-tops3cretQ", "kQ7-Wv2zXjY")


@settings(max_examples=60, deadline=None, database=None)
@given(
    words=st.lists(st.sampled_from([*PLANTED, "Z", "b8", "the quick brown fox\n", "9" * 50]), min_size=1),
    first=st.sampled_from(["Z", "Zb8-tops3cret ", "a ", "2026-11-27T10:00:00Z info applied index 7\n", "\0"]),
    cuts=st.lists(st.integers(0, 12000)),
)
def test_whatever_the_search_learns_from_the_first_block_all_is_masked(words, first, cuts):
    """A long beginning tells which bytes are seldom; what comes after it may be quite different."""
    text = "".join(words)
    data = (first * (6000 // len(first)) + text + "." * 600 + text).encode()
    assert in_pieces(Redactor(PLANTED), data, cuts) == reference({s.encode() for s in PLANTED}, data)


LOG = b"2026-11-27T10:00:%02dZ info etcdserver: applied index %d term 7 for /registry/pods/default/web-%d\n"
STREAMS = {
    "a log": lambda chance: LOG % (chance.randrange(60), chance.getrandbits(30), chance.randrange(999)),
    "hex digits": lambda chance: chance.randbytes(chance.randrange(200)).hex().encode(),
    "base64": lambda chance: base64.b64encode(chance.randbytes(chance.randrange(200))),
    "any bytes": lambda chance: chance.randbytes(chance.randrange(200)),
    "one byte": lambda chance: bytes([chance.choice(b"Q8b\0")]) * chance.randrange(400),
    "words": lambda chance: b" ".join(chance.choices([b"hunter", b"of", b"the", b"west"], k=20)),
}
TOKEN = "kQ7-Wv2zXjY_Zb8Hr4mN0pLs6tGd3fCa"  # has bytes that are seldom in most data
DIGITS = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.mark.parametrize("size", [700, 65_536])
@pytest.mark.parametrize(
    "secrets", [[TOKEN, DIGITS], [TOKEN, "hunter of the west", "eeee0000eeee"]], ids=["rows", "words"]
)
def test_all_is_masked_in_data_of_every_kind_that_follow_one_another(size, secrets):
    """What is searched teaches the search how to look, and is of another kind the next moment."""
    chance = random.Random(size)
    redactor = Redactor(secrets)
    forms = sorted(set().union(*(forms_of(secret.encode()) for secret in secrets)))
    for _ in range(12):
        make = STREAMS[chance.choice(sorted(STREAMS))]
        parts = [make(chance) for _ in range(chance.randrange(1, 300))]
        for _ in range(20):
            form, at = chance.choice(forms), chance.randrange(len(parts) + 1)
            parts.insert(
                at, chance.choice([form, form[:-1], form[1:], form[: len(form) // 2] + form, form + form])
            )
        data = b"".join(parts)
        assert in_pieces(redactor, data, range(0, len(data), size)) == reference(forms, data)


# --- looking for secrets without masking them --------------------------------------------------------------


def found(secrets, data):
    return [bytes(data[start:end]) for start, end in Finder(secrets).find(data)]


@pytest.mark.parametrize(
    "form",
    [
        lambda text: text.encode().hex(),
        lambda text: text.encode().hex().upper(),
        lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
        lambda text: base64.b64encode(f"n{text}".encode("utf-16-be")).decode(),
    ],
)
def test_what_is_encoded_otherwise_is_masked(form):
    assert len(Redactor([SECRET]).text(form(SECRET))) <= 3 + 8  # what the neighbours in base64 decide
    assert "***" in Redactor([SECRET]).text(form(SECRET))
    assert list(Finder([SECRET], thorough=True).find(form(SECRET).encode()))


@pytest.mark.parametrize("before", range(9))
def test_base64_of_base64_is_masked_where_that_is_wanted(before):
    twice = base64.b64encode(base64.b64encode(b"u" * before + SECRET.encode()))
    assert b"***" in Redactor([SECRET], thorough=True).bytes(twice)
    assert list(Finder([SECRET], thorough=True).find(twice))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_is_found(form):
    data = f"before [{form(SECRET)}] after".encode()
    assert found(["something-else", SECRET], data) == [form(SECRET).encode()]


@pytest.mark.slow
@settings(max_examples=400, deadline=None, database=None)
@given(outputs())
def test_what_is_planted_is_found(output):
    secrets, data, planted, _ = output
    if any(len(secret.strip().encode()) < MIN_LENGTH for secret in secrets):
        return  # hardly more than spaces betrays nothing
    places = list(Finder(secrets).find(bytearray(data)))
    for form in map(str.encode, planted):
        start = data.find(form)
        assert any(first < start + len(form) and start < last for first, last in places)


@settings(max_examples=300, deadline=None, database=None)
@given(data=st.binary(max_size=300))
def test_nothing_is_found_where_nothing_is(data):
    assert found(["this is not in random bytes", KEY], data) == []
    assert found([], data) == found(["abc", ""], data) == []


@pytest.mark.parametrize("at", [0, 1, *range(262_130, 262_146), 600_000 - 12])
def test_a_secret_is_found_wherever_it_is_in_much_data(at):
    data = bytearray(b"x" * 600_000)
    data[at : at + 12] = b"hunter2-long"
    assert list(Finder(["hunter2-long"]).find(data)) == [(at, at + 12)]


def test_the_frame_of_a_key_and_lines_of_words_betray_nothing():
    document = '{\n  "type": "service_account",\n  "id": "b64ZkPq8L2xT0aVbN4w"\n}'
    assert found([KEY, document], b'-----BEGIN KEY-----\n"type": "service_account",\n}\nLQo=') == []
    assert found([KEY], b"see MIIEpAIBAAKCAQEA+x/y there") == [b"MIIEpAIBAAKCAQEA+x/y"]


def test_one_piece_of_a_long_secret_is_enough():
    secret = "".join(random.Random(4).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=5000))
    finder = Finder([secret])
    assert finder.reach <= 256
    assert list(finder.find(secret[700:1300].encode()))
    assert list(finder.find(base64.b64encode(b"xy" + secret.encode())[700:1300]))
