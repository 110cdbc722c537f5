"""A file whose resource gets another name, over the engine."""

from tests.engine.local_platform import LocalPlatform

PROGRAM = """
from components._kit.files import File

File("{name}", path="{path}", content="the same")
"""


def test_renamed_resource_keeps_its_file(local_platform: LocalPlatform) -> None:
    """The new name is made before the old one is deleted: the file stays until a destroy."""
    path = local_platform.root / "platform" / "stage.json"
    local_platform.write("__main__.py", PROGRAM.format(name="old", path=path))
    local_platform.up()
    local_platform.write("__main__.py", PROGRAM.format(name="new", path=path))
    renamed = local_platform.up()
    assert renamed.changes == {"same": 1, "create": 1, "delete": 1}
    assert path.read_text(encoding="utf-8") == "the same"
    assert local_platform.unchanged()
    local_platform.destroy()
    assert list(path.parent.iterdir()) == []
