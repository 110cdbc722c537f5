"""The history of champions cannot be changed, cut in the middle, or appended to by others."""

import json
from dataclasses import replace

import pytest

from mlstep import history
from mlstep.errors import IntegrityError
from mlstep.history import Entry
from mlstep.platform import Platform

DRAFT = Entry(
    sequence=0,
    previous="",
    time="",
    model="credit",
    version=1,
    model_digest="a" * 64,
    kind="promote",
    by="risk@demo.example",
    reason="first",
    author="j.ek@demo.example",
    evidence_digest="b" * 64,
    policy_digest="c" * 64,
    run="01",
    pipeline="credit",
    statement="d" * 64,
)


def three(platform: Platform) -> list[Entry]:
    """Version 1, version 2, and back to version 1."""
    return [
        history.append(platform, DRAFT),
        history.append(platform, replace(DRAFT, version=2, model_digest="e" * 64)),
        history.append(platform, replace(DRAFT, kind="rollback", statement=None)),
    ]


def test_entries_are_chained_and_read_back(platform: Platform) -> None:
    """Each entry names the digest of the one before, and reading gives what was appended."""
    entries = three(platform)
    assert history.read(platform, "credit") == entries
    assert [entry.sequence for entry in entries] == [1, 2, 3]
    assert entries[1].previous == entries[0].digest


def test_current_and_previous(platform: Platform) -> None:
    """The last entry answers; a rollback goes to the last other bytes."""
    three(platform)
    current, previous = history.current(platform, "credit"), history.previous(platform, "credit")
    assert current is not None
    assert previous is not None
    assert (current.version, previous.version) == (1, 2)


def test_no_history_is_no_champion(platform: Platform) -> None:
    """Before the first promotion there is neither a champion nor a former one."""
    assert history.current(platform, "credit") is None
    assert history.previous(platform, "credit") is None


@pytest.mark.parametrize("attack", ["change", "remove", "insert", "swap", "garbage", "resign"])
def test_tampering_is_found(platform: Platform, attack: str) -> None:
    """A changed, removed, inserted, swapped, torn or self-signed line makes the history unreadable, with its number."""
    three(platform)
    file = history.path(platform.root, "credit")
    lines = file.read_text(encoding="utf-8").splitlines()
    if attack == "change":
        lines[1] = lines[1].replace("e" * 64, "f" * 64)
    elif attack == "remove":
        del lines[1]
    elif attack == "insert":
        lines.insert(1, lines[0])
    elif attack == "swap":
        lines[0], lines[1] = lines[1], lines[0]
    elif attack == "garbage":
        lines[2] = lines[2][:40]
    else:
        content = json.loads(lines[2])
        content["signature"] = json.loads(lines[1])["signature"]
        lines[2] = json.dumps(content, sort_keys=True, separators=(",", ":"))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(IntegrityError, match=r"history\.jsonl:\d"):
        history.read(platform, "credit")


def test_nothing_is_appended_to_a_broken_history(platform: Platform) -> None:
    """A promotion does not build on lines that do not verify."""
    three(platform)
    file = history.path(platform.root, "credit")
    broken = file.read_text(encoding="utf-8").replace("first", "other", 1)
    file.write_text(broken, encoding="utf-8")
    with pytest.raises(IntegrityError):
        history.append(platform, DRAFT)
    assert file.read_text(encoding="utf-8") == broken


def test_history_of_another_model_does_not_count(platform: Platform) -> None:
    """A history copied to another model's folder is refused."""
    three(platform)
    copy = history.path(platform.root, "loans")
    copy.parent.mkdir(parents=True)
    copy.write_bytes(history.path(platform.root, "credit").read_bytes())
    with pytest.raises(IntegrityError, match="is about model credit, not loans"):
        history.read(platform, "loans")
