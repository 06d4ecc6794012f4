"""Who may import whom: the light modules stay light in a fresh interpreter, and every written rule can fail."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "cv2", "torchmetrics")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
LIGHT = ["app.main"] + [
    name
    for contract in SETTINGS["contracts"]
    for _, name in (line.split(" -> ") for line in contract.get("ignore_imports", ()))
    if not name.endswith("**")
]


def loaded_by(module: str) -> set[str]:
    """Names of all modules in memory after a fresh interpreter imported one."""
    program = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


@pytest.mark.parametrize("module", LIGHT)
def test_light_module_loads_nothing_heavy(module: str) -> None:
    loaded = loaded_by(module)
    assert not loaded & set(HEAVY)
    if not module.startswith("app."):
        assert not {name for name in loaded if name.split(".")[0] in ("PySide6", "app")}


@pytest.mark.parametrize("package", ["ul_engine", "trainer"])
def test_package_itself_imports_nothing(package: str) -> None:
    program = f"import sys; before = set(sys.modules); import {package}; print(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == [package]


# One forbidden import for every contract in pyproject.toml: contract, importing module, its code.
VIOLATIONS = [
    ("The window never reaches torch or OpenCV, not even through others", "ul_engine/config.py", "import torch"),
    ("The window never reaches torch or OpenCV, not even through others", "app/models/a.py", "def f():\n import cv2"),
    ("The window imports only the light modules", "app/services/a.py", "import ul_engine.diffusion"),
    ("The window imports only the light modules", "app/services/a.py", "import trainer.loop"),
    ("The engine knows neither", "ul_engine/worker.py", "from PySide6 import QtCore"),
    ("The engine knows neither", "ul_engine/pipelines.py", "import trainer.config"),
    ("The trainer knows neither", "trainer/loop.py", "import app.models"),
    ("Layers of the window", "app/models/a.py", "import app.services"),
    ("Layers of the window", "app/studio/a.py", "import app.ui.widgets"),
    ("Layers of the window", "app/ui/widgets/a.py", "import app.ui.pages"),
    ("Layers of the window", "app/ui/pages/a.py", "import app.ui.main_window"),
    ("Layers of the engine", "ul_engine/diffusion.py", "import ul_engine.models"),
    ("Layers of the engine", "ul_engine/models.py", "import ul_engine.objectives"),
    ("Layers of the engine", "ul_engine/config.py", "import ul_engine.nn"),
    ("Sources of data stand on pixels", "ul_engine/data/pixels.py", "import ul_engine.data.images"),
    ("Layers of the trainer", "trainer/config.py", "import trainer.loop"),
]
TREE = [
    "app/__init__.py",
    "app/main.py",
    "app/models/__init__.py",
    "app/services/__init__.py",
    "app/studio/__init__.py",
    *(f"app/ui/{name}/__init__.py" for name in (".", "main_window", "pages", "widgets")),
    *(f"ul_engine/{name}.py" for name in ("__init__", "config", "diffusion", "models", "nn", "objectives")),
    *(f"ul_engine/data/{name}.py" for name in ("__init__", "images", "pixels")),
    *(f"trainer/{name}.py" for name in ("__init__", "config", "loop")),
]


def lint_imports(tree: Path) -> str:
    """Output of import-linter with this project's contracts on a tree of packages."""
    shutil.copy(ROOT / "pyproject.toml", tree)
    linter = Path(sys.executable).with_name("lint-imports")
    command = [str(linter), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=60).stdout


def plant(tree: Path, files: dict[str, str]) -> None:
    for name, code in (dict.fromkeys(TREE, "") | files).items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code + "\n", encoding="utf-8")


def test_contracts_pass_a_tidy_tree(tmp_path: Path) -> None:
    light = "\n".join(f"import ul_engine.{name}" for name in ("config",)) + "\nimport trainer.config"
    plant(tmp_path, {"app/services/a.py": light, "app/main.py": "import app.ui.pages, app.models, app.services"})
    output = lint_imports(tmp_path)
    assert "BROKEN" not in output
    assert "0 broken" in output


@pytest.mark.parametrize(("contract", "module", "code"), VIOLATIONS)
def test_contract_catches(tmp_path: Path, contract: str, module: str, code: str) -> None:
    lazily = "def f():\n import ul_engine.config"  # what makes the engine's light modules a matter of the window
    plant(tmp_path, {"app/services/b.py": lazily, module: code})
    broken = [line for line in lint_imports(tmp_path).splitlines() if "BROKEN" in line]
    assert any(line.startswith(contract) for line in broken), broken


@pytest.mark.parametrize(
    ("path", "code", "rule"),
    [
        ("app/services/a.py", "from PySide6.QtWidgets import QLabel", "TID251"),
        ("app/models/a.py", "from PySide6 import QtWidgets", "TID251"),
        ("app/ui/widgets/a.py", "from PySide6.QtWidgets import QLabel", None),
        ("app/main.py", "from PySide6.QtWidgets import QApplication", None),
        ("app/ui/pages/a.py", "import torch", "TID253"),
        ("app/services/a.py", "import cv2", "TID253"),
        ("ul_engine/nn/a.py", "import torch", None),
        ("trainer/a.py", "import cv2", None),
    ],
)
def test_ruff_keeps_imports_at_home(path: str, code: str, rule: str | None) -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    command = [ruff, "check", "--select=TID", "--output-format=concise", f"--stdin-filename={ROOT / path}", "-"]
    run = subprocess.run(command, cwd=ROOT, input=code + "\n", capture_output=True, text=True, timeout=30)
    assert (rule in run.stdout) if rule else run.returncode == 0, run.stdout + run.stderr
