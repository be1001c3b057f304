"""Runs Biome, which formats and lints the console's script and style, as npm's lock pins it."""

import shutil
import subprocess
import sys
from pathlib import Path

from deploy.assets import CONSOLE, install

FOLDER = Path(__file__).parents[1] / ".cache" / "biome"


def main() -> int:
    """Run Biome on what `biome.jsonc` names, and return its exit code."""
    return subprocess.run([binary(), *sys.argv[1:]], cwd=CONSOLE, check=False).returncode


def binary() -> Path:
    """Return the machine's own build of Biome; it is brought whenever the lock file has changed."""
    lock, mark = CONSOLE / "package-lock.json", FOLDER / "installed-lock.json"
    if not mark.exists() or mark.read_bytes() != lock.read_bytes():
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        install(FOLDER)
        shutil.copy(lock, mark)
    # npm installs of the optional builds only the one for this system and processor
    return next((FOLDER / "node_modules" / "@biomejs").glob("cli-*/biome*"))


if __name__ == "__main__":
    sys.exit(main())
