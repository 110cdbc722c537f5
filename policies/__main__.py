"""Starts the pack, as the engine does: `python -u -m pulumi.policy ENGINE PACK_DIR`."""

import sys
from pathlib import Path

_PACK = Path(__file__).resolve().parent

if __name__ == "__main__":
    # The launcher puts the pack's own folder first on the path; there our module names could hide those of others.
    sys.path[:] = [str(_PACK.parent), *(entry for entry in sys.path if Path(entry or ".").resolve() != _PACK)]
    from policies.service import serve

    serve(_PACK)
