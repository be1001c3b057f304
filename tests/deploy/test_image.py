"""What the image is made of: the package as its Dockerfile builds it, with all that pages load."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPY = re.compile(r"^COPY (?!--)(.+) (\S+)$", re.MULTILINE)
LEFT_OUT = shutil.ignore_patterns("vendor", "__pycache__")


def test_the_image_brings_the_consoles_assets(tmp_path: Path) -> None:
    build = tmp_path / "build"
    build.mkdir()
    for sources, target in COPY.findall((ROOT / "deploy" / "Dockerfile").read_text("utf-8")):
        for source in sources.split():
            goal = build / (source if target == "./" else target)
            goal.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, goal, ignore=LEFT_OUT)
            else:
                shutil.copy(ROOT / source, goal)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            str(tmp_path),
            str(build),
        ],
        check=True,
        capture_output=True,
        timeout=200,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    page = (ROOT / "dispatch/console/templates/base.html").read_text("utf-8")
    loaded = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
    script = (ROOT / "dispatch/console/static/console.js").read_text("utf-8")
    loaded += re.findall(r"import '\./([^']+)'", script)
    assert len(loaded) == 11
    assert {f"dispatch/console/static/{name}" for name in loaded} <= names
    for name in (
        "locale/zh/LC_MESSAGES/console.po",
        "templates/task.html",
        "show/call_script.yaml",
        "show/cities.csv",
    ):
        assert f"dispatch/console/{name}" in names
