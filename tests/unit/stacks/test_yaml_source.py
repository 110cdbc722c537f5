"""What is not one plain YAML mapping is refused with one clear sentence and, where there is one, a position."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.record import check
from stacks.yaml_source import MAXIMUM_BYTES, SourceError, read

REFUSED = [
    ("a: 1\nb: 2\na: 3\n", 3, 1, "key a appears twice"),
    ("x:\n  a: {b: 1, b: 2}\n", 2, 13, "key b appears twice"),
    ("a:\n\tb: 1\n", 2, 1, "a tab used as indentation"),
    ("a: [1\nb: 2\n", 2, 2, "not valid YAML: expected ',' or ']'"),
    ("a: 'open\n", 2, 1, "not valid YAML: found unexpected end of stream"),
    ("a: b: c\n", 1, 5, "not valid YAML: mapping values are not allowed here"),
    ("a: &x 1\n", 1, 4, "a YAML anchor or alias"),
    ("a: !!python/object:os.system 1\n", 1, 4, "a YAML tag"),
    ("a: 1\n---\nb: 2\n", 2, 1, "a second YAML document"),
    ("- 1\n", 1, 1, "a list instead of keys and values"),
    ("hello\n", 1, 1, "the single value hello instead of keys and values"),
    ("", 0, 0, "empty file"),
    ("  \n\n", 0, 0, "empty file"),
    ("# nothing yet\n", 0, 0, "only comments"),
]


@pytest.mark.parametrize(("text", "line", "column", "words"), REFUSED)
def test_text_that_is_not_a_plain_mapping(tmp_path: Path, text: str, line: int, column: int, words: str) -> None:
    """Each kind of broken text is one problem with its position."""
    path = tmp_path / "demo.yaml"
    path.write_text(text, encoding="utf-8")
    problems = check(path, tmp_path)
    assert len(problems) == 1
    assert (problems[0].line, problems[0].column) == (line, column)
    assert words in problems[0].found
    assert problems[0].remedy


@pytest.mark.parametrize(
    ("content", "words"), [(b"a: \xff\n", "byte 3 is not UTF-8"), (b"a: \x00\n", "not valid YAML")]
)
def test_bytes_that_are_no_text(tmp_path: Path, content: bytes, words: str) -> None:
    """Bytes that are not UTF-8, or not allowed in YAML, are named."""
    path = tmp_path / "demo.yaml"
    path.write_bytes(content)
    assert words in check(path, tmp_path)[0].found


def test_ten_mebibytes_are_refused_before_they_are_parsed(tmp_path: Path) -> None:
    """A file that nobody wrote by hand is refused by its size."""
    path = tmp_path / "demo.yaml"
    path.write_bytes(b"a: 1 #" + b"x" * (10 * MAXIMUM_BYTES))
    assert [problem.found for problem in check(path, tmp_path)] == ["file of 10.0 MiB"]


def test_deep_nesting_is_refused_without_a_crash(tmp_path: Path) -> None:
    """Nesting beyond any record is a problem, before the parser runs out of stack or time."""
    path = tmp_path / "demo.yaml"
    path.write_text("a: " + "[" * 20000 + "]" * 20000, encoding="utf-8")
    assert check(path, tmp_path)[0].found == "nested too deeply"


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    """Neither a missing file nor a folder is a record."""
    assert check(tmp_path / "none.yaml", tmp_path)[0].found == "file not found"
    assert check(tmp_path, tmp_path)[0].found == "not a file"


def test_positions_of_keys_and_entries(tmp_path: Path) -> None:
    """Every key and list entry knows its line and column; a missing key has its parent's."""
    path = tmp_path / "x.yaml"
    path.write_text("a:\n  - {b: 1}\n  -  c: 2\n", encoding="utf-8")
    source = read(path)
    assert source.data == {"a": [{"b": 1}, {"c": 2}]}
    assert source.position(("a", 0, "b")) == (2, 6)
    assert source.position(("a", 1, "missing")) == (3, 6)
    assert source.position(("zzz",)) == (1, 1)


def test_the_error_carries_the_problem(tmp_path: Path) -> None:
    """Callers that do not want a list get an exception with the same words."""
    with pytest.raises(SourceError, match="file not found; create it"):
        read(tmp_path / "none.yaml")
