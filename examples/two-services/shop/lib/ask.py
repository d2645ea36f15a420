"""Ask a service for its version, until it is the right one or the time is over.

Usage: python3 ask.py URL VERSION SECONDS
"""

import json
import sys
import time
import urllib.error
import urllib.request

url, wanted, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
end = time.monotonic() + seconds
while True:
    try:
        with direct.open(f"{url}/health", timeout=5) as answer:
            found = json.load(answer)
        if found["version"] == wanted:
            break
        said = f"it is {found['version']}, not {wanted}"
    except urllib.error.HTTPError as problem:
        said = f"it answers {problem.code}: {problem.read(200).decode(errors='replace').strip()}"
    except (OSError, ValueError, KeyError) as problem:
        said = str(problem)
    if time.monotonic() > end:
        sys.exit(f"error: {url}: {said}")
    time.sleep(0.1)
