"""The program behind rigger-container."""

import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from rigger.imports import find_our_own  # noqa: E402

find_our_own()

from rigger.containers.steps import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
