"""Find the challenger: the newest candidate that passed its gate, unless it is the champion already."""

from dataclasses import dataclass
from pathlib import Path

from mlstep import store
from mlstep.canonical import digest_tree, read_json
from mlstep.errors import IntegrityError


@dataclass(frozen=True)
class Candidate:
    """A candidate that waits for a signature.

    Attributes:
        ended: when its gate decided, ISO 8601.
    """

    model: str
    version: int
    digest: str
    pipeline: str
    run: str
    ended: str


def newest(root: Path, model: str) -> Candidate | None:
    """The candidate of a model whose gate passed last, or None."""
    passed = [
        candidate for candidate in map(_read, (root / "runs").glob("*/*/gate/result.json")) if candidate is not None
    ]
    return max((candidate for candidate in passed if candidate.model == model), key=lambda one: one.ended, default=None)


def verified_folder(root: Path, candidate: Candidate) -> Path:
    """The candidate's model folder, from the store or from its run, after hashing its bytes.

    Raises:
        IntegrityError: neither holds the bytes that were registered.
    """
    if store.folder(root, candidate.digest).is_dir():
        return store.verify(root, candidate.digest)
    folder = root / "runs" / candidate.pipeline / candidate.run / "train" / "model"
    if not folder.is_dir() or digest_tree(folder) != candidate.digest:
        raise IntegrityError(
            f"{folder} does not hold {candidate.digest}, which run {candidate.run} registered", "run the pipeline again"
        )
    return folder


def _read(result: Path) -> Candidate | None:
    run = result.parent.parent
    file = run / "register" / "candidate" / "candidate.json"
    if not file.is_file():
        return None
    decided = read_json(result)
    if decided["decision"] != "pass":
        return None
    content = read_json(file)
    return Candidate(
        content["model"], int(content["version"]), content["digest"], run.parent.name, run.name, decided["ended"]
    )
