"""What stops a command before anything changes: stores, locks, ports."""

from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from tests.unit.stacks.conftest import GOOD, Strata
from tests.unit.stacks.engine_answers import ALWAYS, change, state, summary
from tests.unit.stacks.fakes import FakeProgram, answer


def test_a_store_is_not_given_up_by_accident(
    strata: Strata, pulumi: FakeProgram, pack: FakeProgram, free_ports: int
) -> None:
    """Replacing a store stops before anything changes, says what it holds, and takes its name as consent."""
    events = [change("replace", "Directory", "registry-store", diffs=["path"]), summary(replace=1)]
    renamed = [change("delete", "Directory", "old"), change("create", "Directory", "old"), summary(replace=1)]
    pulumi.answers(
        *ALWAYS, answer("export", json_output=state("a")), answer("preview", events=events), answer("up", events=events)
    )
    shown = strata("up", "--no-pipeline")
    assert shown.code == 4
    assert "registry-store would be replaced, because of path; it holds /data/registry-store" in shown.err
    assert "--allow registry-store" in shown.err
    pulumi.answers(
        *ALWAYS,
        answer("export", json_output=state("a")),
        answer("preview", events=renamed),
        answer("up", events=renamed),
    )
    assert "would be given up" not in strata("up", "--no-pipeline").err


def test_a_held_lock_names_its_holder(
    strata: Strata, pulumi: FakeProgram, pack: FakeProgram, repository: Path, free_ports: int
) -> None:
    """A second `up` says who is at work and since when; a dead process's lock is cleared instead."""
    locks = repository / ".strata" / "state" / ".pulumi" / "locks" / "organization" / "strata" / "demo-dev"
    locks.mkdir(parents=True)
    lock = {
        "pid": os.getppid(),
        "username": "a.lind",
        "hostname": "elsewhere",
        "timestamp": datetime.now(UTC).isoformat(),
    }
    (locks / "one.json").write_text(json.dumps(lock), encoding="utf-8")
    pulumi.answers(*ALWAYS, answer("export", json_output=state("a")), answer("preview", events=[summary(same=2)]))
    shown = strata("up", "--no-pipeline")
    assert shown.code == 75
    assert "held by a.lind on elsewhere" in shown.err
    lock |= {"hostname": socket.gethostname(), "pid": 2**22 + 1}
    (locks / "one.json").write_text(json.dumps(lock), encoding="utf-8")
    assert "cleared the lock of an operation that was killed" in strata("up", "--no-pipeline").out
    assert list(locks.iterdir()) == []


def test_a_taken_port_is_named_before_anything_starts(
    strata: Strata, pulumi: FakeProgram, pack: FakeProgram, record_file: Path
) -> None:
    """The port, its holder and the key of the record are in the message."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = min(server.getsockname()[1], 65526)
        record_file.write_text(GOOD.replace("25100", str(port)), encoding="utf-8")
        pulumi.answers(*ALWAYS)
        shown = strata("up")
    assert shown.code == 1
    assert f"port {port} on 127.0.0.1 is taken by process {os.getpid()}" in shown.err
    assert "environments.dev.local.ports.base" in shown.err
    assert not any("up" in call for call in pulumi.calls)
