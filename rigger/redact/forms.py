"""The forms in which a secret appears in what programs print and write."""

from __future__ import annotations

import json
import re

from rigger import text as texts
from rigger.envfile import quoting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# In bytes. Anything shorter turns up in ordinary output too often to be masked.
MIN_LENGTH = 4

# In bytes. How long a line of a secret, or of its base64, has to be to betray it.
_TELLING_LINE = 16

# In bytes. How long a line of a secret of several lines has to be to be masked by itself, and one that has letters and
# digits.
_OWN_LINE = 8
_MIXED_LINE = 6

# In bytes. Shorter ones of what is encoded otherwise turn up by chance.
_LEAST_ENCODED = 8

# Where tools break base64 into lines: base64(1) and MIME, and PEM.
_BASE64_WIDTHS = (76, 64)


def encode(text: str) -> bytes:
    try:
        return texts.encode(text)
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def forms_of(secret: bytes, thorough: bool = False) -> set[bytes]:
    """Every form of a secret that is masked; `thorough` are those too that cost a stream half its speed."""
    forms = set()
    for whole in {secret, secret.strip()}:
        if len(whole) >= MIN_LENGTH:
            forms |= {*_quoted(whole), *_base64(whole), *_encoded_otherwise(whole, twice=thorough)}
    for line in secret.split(b"\n"):
        if _is_own(line.strip(), secret):
            forms.update(_quoted(line.strip()))
    return {form for form in forms if len(form) >= MIN_LENGTH}


def _is_own(line: bytes, secret: bytes) -> bool:
    """Whether a line of a secret is masked wherever it stands: a short one may be any word of other output.

    One of letters and digits together is no such word: a list of short passwords is a secret of several lines too.
    """
    if line == secret.strip():
        return len(line) >= MIN_LENGTH
    mixed = re.search(rb"[0-9]", line) and re.search(rb"[A-Za-z]", line)
    return len(line) >= (_MIXED_LINE if mixed else _OWN_LINE)


def telling_forms(secret: bytes, thorough: bool = False) -> set[bytes]:
    """The forms that betray a secret; none of them occurs in another one. `thorough` are also those that cost much."""
    whole = secret.strip()
    forms = (
        {*_quoted(whole), *_base64_cores(whole), *_base64_cores(secret)}
        if len(whole) >= MIN_LENGTH
        else set()
    )
    forms |= {*_encoded_otherwise(whole, twice=True)} if thorough and len(whole) >= MIN_LENGTH else set()
    for line in secret.split(b"\n"):
        line = line.strip()
        if len(line) >= _TELLING_LINE and b" " not in line and not line.startswith(b"-----"):
            forms.update(_quoted(line))
    encoded = {*_base64_lines(whole), *_base64_lines(secret)}
    forms |= {line for line in encoded if len(line) >= _TELLING_LINE}
    forms = {form for form in forms if len(form) >= MIN_LENGTH}
    return {form for form in forms if not any(other in form for other in forms if len(other) < len(form))}


def _quoted(secret: bytes) -> Iterator[bytes]:
    yield secret
    yield from _url_quoted(secret)
    yield from _json_quoted(secret)
    yield from _html_quoted(secret)
    yield from _shell_quoted(secret)


def _url_quoted(secret: bytes) -> Iterator[bytes]:
    from urllib.parse import quote, quote_plus  # slow to import, and most runs have no secrets

    # The last is what JavaScript's encodeURIComponent leaves alone.
    for quoted in (quote(secret), quote(secret, safe=""), quote_plus(secret), quote(secret, safe="!~*'()")):
        yield quoted.encode()
        yield re.sub("%..", lambda escape: escape[0].lower(), quoted).encode()


def _json_quoted(secret: bytes) -> Iterator[bytes]:
    text = texts.decode(secret)
    for ensure_ascii in (True, False):
        quoted = texts.encode(json.dumps(text, ensure_ascii=ensure_ascii)[1:-1])
        yield quoted
        # Go's encoding/json, and with it Terraform, escapes these three for HTML.
        yield re.sub(rb"[<>&]", lambda match: b"\\u%04x" % match[0][0], quoted)
        yield quoted.replace(b"/", b"\\/")  # PHP's json_encode, and others
        yield re.sub(rb"[<>&]", lambda match: b"\\u%04x" % match[0][0], quoted).replace(b"/", b"\\/")


def _html_quoted(secret: bytes) -> Iterator[bytes]:
    text = secret.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
    yield text
    for double, single in (
        (b"&quot;", b"'"),
        (b"&quot;", b"&#x27;"),
        (b"&#34;", b"&#39;"),
        (b"&quot;", b"&apos;"),
    ):
        yield text.replace(b'"', double).replace(b"'", single)
    yield text.replace(b'"', b"&quot;").replace(b"'", b"&#39;")


def _shell_quoted(secret: bytes) -> Iterator[bytes]:
    yield secret.replace(b"'", b"'\\''")
    yield secret.replace(b"'", b"'\"'\"'")
    # How zsh, and dash and busybox, write several single quotes in a row.
    yield re.sub(b"'+", lambda match: b"'%s'" % match[0].replace(b"'", b"\\'"), secret)
    yield re.sub(b"'+", lambda match: b"'\"%s\"'" % match[0], secret)
    yield texts.encode(quoting.quote(texts.decode(secret))[1:-1])
    # What bash's printf %q and zsh's ${(q)} put a backslash before.
    yield re.sub(rb"""[ \t!"$&'()*,;<>?[\\\]^`{|}]|^[#~]|(?<=[:=])~""", rb"\\\g<0>", secret)
    yield re.sub(rb"""[ \t"#$&'()*;<>?[\\\]^`{|}]|^[!~=]""", rb"\\\g<0>", secret)
    yield re.sub(rb"[\x00-\x1f\x7f\\']", _ansi_c, secret)
    yield re.sub(rb"[\x00-\x1f\x7f-\xff\\']", _ansi_c, secret)


_ANSI_C = dict(zip(b"\a\b\t\n\v\f\r\x1b\\'", b"abtnvfrE\\'", strict=True))


def _ansi_c(match: re.Match[bytes]) -> bytes:
    """A character as bash writes it in $'...', which `set -x` and `printf %q` do."""
    code = match[0][0]
    return b"\\%c" % _ANSI_C[code] if code in _ANSI_C else b"\\%03o" % code


def _encoded_otherwise(secret: bytes, twice: bool) -> Iterator[bytes]:
    """What else is made of a secret as a whole: hex digits, base64 twice, and UTF-16 as it is and in base64."""
    text = texts.decode(secret)
    wide = [text.encode(f"utf-16-{order}", "surrogatepass") for order in ("le", "be")]
    again = (outer for inner in _base64_cores(secret) for outer in _base64_cores(inner)) if twice else ()
    encoded = (core for form in wide for core in _base64_cores(form))
    digits = secret.hex().encode()
    for form in (digits, digits.upper(), *wide, *encoded, *again):
        if len(form) >= _LEAST_ENCODED:
            yield form


def _b64(data: bytes) -> bytes:
    from binascii import (
        b2a_base64,
    )  # as base64.b64encode, which brings more than it; most runs have no secrets

    return b2a_base64(data, newline=False)


def _base64(secret: bytes) -> Iterator[bytes]:
    whole = _b64(secret)
    for form in (whole, whole.rstrip(b"=")):
        yield form
        yield form.translate(_URL_SAFE)
    yield from _base64_lines(secret)
    yield from _base64_cores(secret)


def _base64_lines(secret: bytes) -> Iterator[bytes]:
    whole = _b64(secret)
    for width in _BASE64_WIDTHS:
        for start in range(0, len(whole), width):
            line = whole[start : start + width]
            if len(line) >= _OWN_LINE or line == whole:  # the last one may be of any four letters
                yield line
                yield line.translate(_URL_SAFE)


def _base64_cores(secret: bytes) -> Iterator[bytes]:
    """What stands in base64 wherever the secret begins in what was encoded."""
    for before in range(3):
        yield _base64_core(secret, before)
        yield _base64_core(secret, before).translate(_URL_SAFE)


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _base64_core(secret: bytes, before: int) -> bytes:
    """What base64 makes of the secret after `before` other bytes, less what its neighbours change."""
    shared, bits = -(-8 * before // 6), 8 * (before + len(secret))
    return _b64(bytes(before) + secret)[shared : bits // 6]
