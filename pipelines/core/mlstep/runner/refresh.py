"""What follows a passed run on a platform with a feature store: the newest snapshot goes online."""

import subprocess
from pathlib import Path
from typing import Any

from mlstep.platform import Platform

TIMEOUT_SECONDS = 900.0


def refresh_features(platform: Platform | None, folder: Path) -> dict[str, Any] | None:
    """Materialise the newest snapshot; the facts of an event, or None where there is no feature store.

    The run has passed whatever happens here, so a failure is told in the event (`state: failed`, with the last
    words of the
    command) and does not change the run.
    """
    if platform is None or not platform.has("feature_store"):
        return None
    command = [str(part) for part in platform.stage("feature_store")["materialize_command"]]
    log = folder / "features.log"
    with log.open("w", encoding="utf-8") as stream:
        try:
            # No standard input, and the caller's environment: Feast reads no credentials.
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, check=False, timeout=TIMEOUT_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return {"state": "failed", "reasons": [str(error)], "log": str(log)}
    lines = log.read_text(encoding="utf-8").splitlines()
    words = [line for line in lines if line.strip() and not line.startswith("{")]  # Progress lines are JSON.
    if done.returncode != 0:
        return {"state": "failed", "reasons": words[-3:], "log": str(log)}
    return {"state": "passed", "reasons": words[-2:], "log": str(log)}
