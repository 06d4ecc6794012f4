"""Child of test_bad_days: the folder of results is a small disk that fills up, is emptied, and then turns
read-only. Run in a mount namespace of its own, where it may mount."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

from tests.app.conftest import until
from tests.integration.stories import ask, idle, running, titles
from ul_engine.whole_files import SPARE_BYTES

SPARE_KIB = SPARE_BYTES // 1024
DISK_KIB = SPARE_KIB + 1024
"""The program leaves some space alone; of what is beyond it, the ballast leaves 40 KiB."""


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


async def story(root: Path, model: Path) -> None:
    disk = root / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", f"size={DISK_KIB}k", "none", str(disk))
    (disk / "ballast").write_bytes(bytes((1024 - 40) * 1024))
    async with running(root, model, outputs=disk) as program:
        ask(program, num_images=16, batch_size=16)
        tiles = await idle(program)
        lost = [tile for tile in tiles if not tile.path]
        assert len(tiles) == 16
        assert lost, "the disk did not fill up"
        assert all(tile.clip is not None for tile in lost), "what could not be saved is gone"
        assert "Pictures are not being saved" in titles(program), titles(program)
        left = {path.suffix for path in disk.rglob("*") if path.is_file() and path.name != "ballast"}
        assert left <= {".png"}, left

        (disk / "ballast").unlink()
        program.keeper.set_outputs(disk)  # "Try again"
        await until(lambda: all(tile.path for tile in program.session.results.done_tiles()), timeout_s=30)
        assert all(Path(tile.path).is_file() for tile in program.session.results.done_tiles())

        mount("-o", "remount,ro", str(disk))
        ask(program)
        tiles = await idle(program)
        assert sum(not tile.path for tile in tiles) == 1
        program.keeper.set_outputs(root / "elsewhere")
        await until(lambda: all(tile.path for tile in program.session.results.done_tiles()), timeout_s=30)

        shutil.rmtree(root / "elsewhere")  # the folder is gone altogether
        ask(program)
        tiles = await idle(program)
        assert Path(tiles[0].path).is_file()


def main() -> int:
    from PySide6.QtWidgets import QApplication
    from qasync import QEventLoop

    app = QApplication(["story"])
    with QEventLoop(app) as loop:
        loop.run_until_complete(asyncio.wait_for(story(Path(sys.argv[1]), Path(sys.argv[2])), 240))
    sys.stdout.write("told\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
