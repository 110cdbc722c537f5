"""Follow the champions: load what the verified history names last, and nothing else.

A history that does not verify, or bytes that are not those it names, leave the model in place that answers now, and
raise an alarm which `/ready`, `/models` and `/metrics` show. There is no path by which an unverified model gets loaded.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlstep import history, platform, store
from mlstep.errors import IntegrityError, StrataError
from mlstep.model import Model

_log = logging.getLogger(__name__)
POLL_SECONDS = 0.25
REVERIFY_SECONDS = 60.0
RETRY_SECONDS = 2.0


@dataclass(frozen=True)
class Champion:
    """A loaded model: who it is, and how to ask it."""

    model: str
    version: int
    digest: str
    sequence: int
    line_digest: str
    since: str
    loaded: Model


class Champions:
    """The models that may answer, kept up to date by a thread.

    Args:
        root: the platform folder.
        load: loads a model from a verified folder.
        observe: called with (model, event) for `loaded`, `refused`, `verified`; for metrics.
    """

    def __init__(self, root: Path, load: Callable[[Path], Model], observe: Callable[[str, str], None]) -> None:
        self._root, self._load, self._observe = root, load, observe
        self._loaded: dict[str, Champion] = {}
        self._alarms: dict[str, str] = {}
        self._seen: dict[str, tuple[object, float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="champions", daemon=True)

    def start(self) -> None:
        """Load what there is, then follow."""
        self.poll()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def get(self, model: str) -> Champion | None:
        """Who answers for a model now, or None."""
        return self._loaded.get(model)

    def names(self) -> list[str]:
        """Models that have, or should have, a champion."""
        return sorted({*self._loaded, *self._alarms})

    def alarms(self) -> dict[str, str]:
        """Model -> why its history or bytes are refused now."""
        return dict(self._alarms)

    def poll(self) -> None:
        """Look once at every model's history."""
        for model in sorted({*history.models(self._root), *self._loaded}):
            try:
                if self._changed(model):
                    self._follow(model)
            except StrataError as error:
                self._alarm(model, str(error))
            except Exception as error:  # noqa: BLE001
                # Whatever a model folder or a full disk throws: the champion that answers stays.
                _log.exception("%s: not loaded", model)
                self._alarm(model, f"{type(error).__name__}: {error}")

    def _changed(self, model: str) -> bool:
        # Verifying reads every line's signature, so it is done when the file changed, and now and then anyway.
        file = history.path(self._root, model)
        state = (file.stat().st_mtime_ns, file.stat().st_size, file.stat().st_ino) if file.is_file() else None
        seen = self._seen.get(model)
        patience = RETRY_SECONDS if model in self._alarms else REVERIFY_SECONDS
        if seen is not None and seen[0] == state and time.monotonic() - seen[1] < patience:
            return False
        self._seen[model] = (state, time.monotonic())
        return True

    def _follow(self, model: str) -> None:
        entries = history.read(platform.load(self._root), model)
        before = self._loaded.get(model)
        if before is not None and before.line_digest not in {entry.digest for entry in entries}:
            # Each line is valid, yet the file was cut or replaced: the service has seen a change that is gone.
            raise IntegrityError(
                f"{history.path(self._root, model)}: change {before.sequence}, which answers now, is no longer in it",
                "restore the file from a backup",
            )
        if not entries:
            return
        entry = entries[-1]
        if before is None or before.line_digest != entry.digest:
            loaded = (
                before.loaded
                if before and before.digest == entry.model_digest
                else self._load(store.verify(self._root, entry.model_digest))
            )
            if loaded.description.name != model:
                raise IntegrityError(
                    f"{entry.model_digest} is model {loaded.description.name}, not {model}",
                    "promote a version of the right model",
                )
            self._loaded[model] = Champion(
                model, entry.version, entry.model_digest, entry.sequence, entry.digest, entry.time, loaded
            )
            _log.info(
                "%s v%d (%s) answers since change %d", model, entry.version, entry.model_digest[:12], entry.sequence
            )
            self._observe(model, "loaded")
        self._alarms.pop(model, None)
        self._observe(model, "verified")

    def _alarm(self, model: str, text: str) -> None:
        if self._alarms.get(model) != text:
            _log.error("%s: refused, the champion stays: %s", model, text)
        self._alarms[model] = text
        self._observe(model, "refused")

    def _run(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            self.poll()
