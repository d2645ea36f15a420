"""SHA-256 of what is small: records, scripts, values.

Python's own code for it; `hashlib` brings OpenSSL's, which is faster for files of megabytes, and takes longer to load than
most commands take to run. The digests are the same.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # since Python 3.12
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:  # another Python
            from hashlib import sha256

__all__ = ["sha256"]
