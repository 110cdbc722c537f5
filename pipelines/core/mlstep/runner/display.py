"""Events for eyes or for programs."""

import json
import os
from typing import Any, TextIO

_MARKS = {"pass": "pass", "warn": "warn", "fail": "fail", None: "crash"}


class Display:
    """Prints events: JSON lines, or one readable line per step with progress while it runs on a terminal."""

    def __init__(self, stream: TextIO, as_json: bool, silent: bool) -> None:
        self._stream = stream
        self._as_json = as_json
        self._silent = silent and not as_json
        self._width = 0

    def show(self, event: dict[str, Any]) -> None:
        """Print one event."""
        if self._silent:
            return
        if self._as_json:
            self._write(json.dumps(event, sort_keys=True, ensure_ascii=False) + "\n")
        elif event["type"] == "step-progress":
            self._progress(event)
        else:
            self._clear()
            for line in _lines(event):
                self._write(line + "\n")

    def _progress(self, event: dict[str, Any]) -> None:
        if not self._stream.isatty():
            return
        line = f"  {event['step']:<14} {event['done']}/{event['total']} {event['label']}"
        self._write("\r" + line.ljust(self._width))
        self._width = len(line)

    def _clear(self) -> None:
        if self._width:
            self._write("\r" + " " * self._width + "\r")
            self._width = 0

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:  # Whoever was reading went away; the run goes on, its events are in its folder.
            self._silent, self._as_json = True, False
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def _lines(event: dict[str, Any]) -> list[str]:
    if event["type"] == "run-started":
        return [f"run {event['run']} of {event['pipeline']} by {event['author']}, {event['total']} steps"]
    if event["type"] == "step-retried":
        return [f"  {event['step']:<14} crashed, again in {event['pause_seconds']:g} s: {event['reasons'][0]}"]
    if event["type"] == "step-finished":
        first = f"  {event['step']:<14} {_MARKS[event['decision']]:<5} {event['seconds']:6.1f} s"
        return [first, *(f"      {reason}" for reason in event["reasons"])]
    if event["type"] == "features-refreshed":
        return [f"  features       {event['state']}", *(f"      {reason}" for reason in event["reasons"])]
    if event["type"] == "run-finished":
        candidate = event.get("candidate")
        named = (
            f", candidate {candidate['model']} {candidate.get('version')} ({candidate['digest'][:12]})"
            if candidate
            else ""
        )
        return [f"run {event['run']} {event['state']} in {event.get('seconds', 0.0):.1f} s{named}"]
    return []
