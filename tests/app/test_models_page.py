"""The page Models with the real process and a local Hub."""

import hashlib
import json
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from app.models.desk.facts import PublishPlan, PublishWish
from app.shell import Shell
from app.ui.widgets.models.model_details import ModelDetails
from app.ui.widgets.models.publish_dialog import PublishDialog
from app.ui.widgets.models.token_dialog import TokenDialog
from app.ui.widgets.question_dialog import QuestionDialog
from tests.app.conftest import RunAsync, until
from tests.app.driving import Make, click, texts
from tests.app.model_folders import manifest, write_model
from tests.helpers.hub_server import Fault, HubServer, silent_port
from ul_engine.model_folder import NetworkFile


def model_files(name: str = "Little", num_parameters: int = 60_000) -> dict[str, bytes]:
    """A whole model by file name: real safetensors, a manifest that promises them, a card."""
    import numpy as np
    from safetensors.numpy import save

    files, networks = {"README.md": f"---\nlicense: mit\n---\n# {name}\n\nA card.\n".encode()}, {}
    for number, network in enumerate(("encoder", "prior", "decoder", "base")):
        weights = np.random.default_rng(number).normal(size=num_parameters).astype(np.float32)
        data = save({"w": weights})
        sha256 = hashlib.sha256(data).hexdigest()
        networks[network] = NetworkFile(file=f"{network}.safetensors", sha256=sha256, num_parameters=num_parameters)
        files[f"{network}.safetensors"] = data
    described = manifest(name, networks=networks, calibration={"psnr_db": 27.5})
    return files | {"config.json": json.dumps(described.model_dump(mode="json")).encode()}


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        server.add("owner/little", model_files())
        yield server
        server.forget()


def page(shell: Shell) -> Any:
    return shell.window.models_page


def desk(shell: Shell) -> Any:
    return shell.program.session.desk


def notices(shell: Shell) -> str:
    return "\n".join(f"{each.title} {each.sentence}" for each in shell.program.session.notices.notices)


async def opened(make_shell: Make, tmp_path: Path, endpoint: str = "http://127.0.0.1:1") -> Shell:
    """The page on show, its process up, and the Hub at `endpoint`."""
    shell = make_shell()
    shell.program.session.preferences.update(hub_endpoint=endpoint)
    home = str(tmp_path / "huggingface")
    shell.program.late.models.client.set_environment(
        HF_HUB_OFFLINE="0", HF_HOME=home, HF_HUB_DISABLE_XET="1", NO_PROXY="127.0.0.1,localhost"
    )
    shell.window.show_page("models")
    await until(lambda: desk(shell).storage.models and desk(shell).account.endpoint == endpoint, timeout_s=30)
    return shell


def names(shell: Shell) -> list[str]:
    return [entry.name for entry in shell.program.session.library.entries]


def own(shell: Shell) -> Path:
    return shell.program.session.folders.places.models


# ---- the models here ----------------------------------------------------------------------------------------------


def test_models_say_what_they_are(make_shell: Make, run_async: RunAsync, tmp_path: Path, model_root: Path) -> None:
    async def story() -> None:
        write_files(model_root / "little", model_files())
        write_files(model_root / "broken", {"config.json": b"{"})
        shell = await opened(make_shell, tmp_path)
        page(shell).show_model(str(model_root / "little"))
        await until(lambda: "A card." in texts(page(shell).details))
        shown = texts(page(shell).details)
        for words in ("Little", "Pictures from text", "64 px", "0.2 M parameters", "27.50 dB", "SHA-256"):
            assert words in shown
        page(shell).show_model(str(model_root / "broken"))
        await until(lambda: "config.json: is not valid JSON" in texts(page(shell).details))
        assert not page(shell).details.use_button.isEnabled()
        network = NetworkFile(file="weights.safetensors", sha256="0" * 64, num_parameters=1000)
        write_model(model_root, "halfway", networks=dict.fromkeys(("encoder", "prior", "decoder"), network))
        shell.program.session.library.refresh()
        page(shell).show_model(str(model_root / "halfway"))
        assert not page(shell).details.use_button.isEnabled()
        assert "Stage 2" in page(shell).details.use_button.toolTip()
        page(shell).show_model(str(model_root / "little"))
        assert page(shell).details.use_button.toolTip() == ""
        click(page(shell).details.use_button)
        assert shell.window.page == "generate"
        assert shell.program.session.form.model.name == "Little"

    run_async(story())


def test_checking_finds_a_flipped_bit(make_shell: Make, run_async: RunAsync, tmp_path: Path, model_root: Path) -> None:
    async def story() -> None:
        folder = write_files(model_root / "little", model_files())
        shell = await opened(make_shell, tmp_path)
        page(shell).show_model(str(folder))
        click(page(shell).details.verify_button)
        await until(lambda: "every file is as published" in texts(page(shell).details))
        data = bytearray((folder / "base.safetensors").read_bytes())
        data[-1] ^= 1
        (folder / "base.safetensors").write_bytes(data)
        click(page(shell).details.verify_button)
        await until(lambda: "base.safetensors: differs" in texts(page(shell).details))

    run_async(story())


def test_removing_and_the_way_back(make_shell: Make, run_async: RunAsync, tmp_path: Path, model_root: Path) -> None:
    async def story() -> None:
        folder = write_files(model_root / "little", model_files())
        shell = await opened(make_shell, tmp_path)
        page(shell).show_model(str(folder))
        click(page(shell).details.remove_button)
        await until(lambda: "Little" not in names(shell))
        await until(lambda: page(shell).storage.restore_button.isVisible())
        notice = shell.program.session.notices.notices[0]
        shell.program.session.notices.choose(notice, notice.actions[0].name, notice.actions[0].argument)
        await until(lambda: "Little" in names(shell))
        page(shell).show_model(str(folder))
        click(page(shell).details.remove_button)
        await until(lambda: page(shell).storage.empty_button.isVisible() and "Little" not in names(shell))
        click(page(shell).storage.empty_button)
        click(page(shell).findChild(QuestionDialog).go_button)
        await until(lambda: not page(shell).storage.empty_button.isVisible())
        assert not (model_root / ".trash").exists()

    run_async(story())


def test_someone_elses_model_is_brought_in(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    """By dropping its folder: what belongs to no model stays out; a broken one is refused in plain words."""

    async def story() -> None:
        whole = write_files(tmp_path / "from a friend", model_files() | {"run_me.py": b"import os"})
        broken = write_files(tmp_path / "broken", {k: v for k, v in model_files().items() if k != "prior.safetensors"})
        shell = await opened(make_shell, tmp_path)
        drop(page(shell), whole)
        await until(lambda: "Little is ready" in notices(shell))
        folder = own(shell) / "from-a-friend"
        assert (folder / "config.json").exists()
        assert not (folder / "run_me.py").exists()
        assert "Little" in names(shell)
        drop(page(shell), broken)
        await until(lambda: "prior.safetensors is missing" in notices(shell))
        drop(page(shell), whole)
        await until(lambda: "there already" in notices(shell))

    run_async(story())


def test_a_folder_with_a_full_stop_in_its_name_may_be_dropped(
    make_shell: Make, run_async: RunAsync, tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "little-v1.5", model_files())

    async def story() -> None:
        shell = await opened(make_shell, tmp_path)
        drop(page(shell), folder)
        await until(lambda: "Little" in names(shell), timeout_s=20)

    run_async(story())


def test_a_folder_beside_that_of_the_own_models_is_not_theirs(
    make_shell: Make, run_async: RunAsync, tmp_path: Path, model_root: Path
) -> None:
    write_files(model_root / "little", model_files())

    async def story() -> None:
        shell = await opened(make_shell, tmp_path)
        models = page(shell)
        for own_folder, is_own in ((model_root, True), (model_root / "litt", False)):
            details = ModelDetails(models.rows, desk(shell), partial(str, own_folder), models)
            details.show_entry(shell.program.session.library.by_path(str(model_root / "little")))
            assert details.remove_button.isEnabled() is is_own

    run_async(story())


def drop(widget: Any, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, button, none)
    QApplication.sendEvent(widget, enter)
    QApplication.sendEvent(widget, QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, button, none))


def test_the_folder_of_models_moves(make_shell: Make, run_async: RunAsync, tmp_path: Path, model_root: Path) -> None:
    async def story() -> None:
        write_files(model_root / "little", model_files())
        shell = await opened(make_shell, tmp_path)
        page(shell).move_requested.emit(tmp_path / "elsewhere")
        await until(lambda: own(shell) == tmp_path / "elsewhere")
        await until(lambda: "Your models were moved" in notices(shell))
        assert not model_root.exists()
        assert {Path(entry.path).parent for entry in shell.program.session.library.entries} == {tmp_path / "elsewhere"}

    run_async(story())


# ---- the Hub ------------------------------------------------------------------------------------------------------


def test_searching_filtering_and_fetching(
    make_shell: Make, run_async: RunAsync, tmp_path: Path, hub: HubServer
) -> None:
    async def story() -> None:
        hub.add("owner/gated", model_files(), is_gated=True)
        shell = await opened(make_shell, tmp_path, hub.endpoint)
        page(shell).show_hub()
        browser = page(shell).hub
        assert "Nobody has released general text-to-image weights" in texts(browser)
        click(browser.search_button)
        await until(lambda: len(browser.rows) == 2)
        assert "has terms to accept" in texts(browser)
        rows = browser.rows
        browser.field.setText("what is typed")
        assert browser.rows == rows, "typing makes nothing anew"
        browser.is_open.click()
        assert [row.repo for row in browser.rows] == ["owner/little"]
        click(browser.rows[0].fetch_button)
        await until(lambda: "Little is ready" in notices(shell), timeout_s=20)
        assert (own(shell) / "little" / "base.safetensors").read_bytes() == model_files()["base.safetensors"]
        await until(lambda: browser.rows[0].fetch_button.text() == "Is here")
        browser.kind.setCurrentIndex(browser.kind.findData("text-to-video"))
        browser.kind.activated.emit(browser.kind.currentIndex())
        assert "the filters leave none" in browser.state.text()

    run_async(story())


def test_a_download_is_stopped_and_goes_on(
    make_shell: Make, run_async: RunAsync, tmp_path: Path, hub: HubServer
) -> None:
    async def story() -> None:
        hub.faults.append(Fault("/large/", times=4, pause_s=0.04))
        shell = await opened(make_shell, tmp_path, hub.endpoint)
        page(shell).show_hub()
        page(shell).hub.field.setText("owner/little")
        assert page(shell).hub.search_button.text() == "Fetch it"
        click(page(shell).hub.search_button)
        await until(lambda: desk(shell).tasks and desk(shell).tasks[0].done_bytes > 0)
        (row,) = page(shell).tasks.rows
        await until(lambda: " of " in row.words)
        await until(lambda: len(hub.asked("/large/")) > 1, message="the first file is whole")
        click(row.pause_button)
        await until(lambda: desk(shell).storage.unfinished)
        hub.forget()
        assert not (own(shell) / "little").exists()
        await until(lambda: "came so far and are kept" in texts(page(shell).hub))
        (unfinished,) = page(shell).hub.rows
        click(unfinished.fetch_button)
        await until(lambda: "Little is ready" in notices(shell), timeout_s=20)
        again = hub.asked("/large/")
        assert len(again) < 4 or any(seen.start for seen in again), "it went on from where it was"
        await until(lambda: not desk(shell).storage.unfinished)

    run_async(story())


def test_a_download_that_is_not_wanted_leaves_nothing(
    make_shell: Make, run_async: RunAsync, tmp_path: Path, hub: HubServer
) -> None:
    async def story() -> None:
        hub.faults.append(Fault("/large/", times=4, pause_s=0.04))
        shell = await opened(make_shell, tmp_path, hub.endpoint)
        page(shell).fetch_requested.emit("owner/little")
        await until(lambda: desk(shell).tasks and desk(shell).tasks[0].done_bytes > 0)
        click(page(shell).tasks.rows[0].drop_button)
        await until(lambda: not desk(shell).tasks)
        await until(lambda: not [path for path in (own(shell) / ".downloads").iterdir() if path.is_dir()])

    run_async(story())


def test_gated_models_ask_for_a_token_that_nobody_sees(
    make_shell: Make, run_async: RunAsync, tmp_path: Path, hub: HubServer
) -> None:
    async def story() -> None:
        hub.add("owner/gated", model_files(), is_gated=True)
        shell = await opened(make_shell, tmp_path, hub.endpoint)
        page(shell).fetch_requested.emit("owner/gated")
        await until(lambda: "has terms of use" in notices(shell))
        notice = shell.program.session.notices.notices[0]
        shell.program.session.notices.choose(notice, "enter_token", "owner/gated")
        dialog = shell.window.findChild(TokenDialog)
        dialog.edit.setText("wrong-token")
        click(dialog.ok_button)
        await until(lambda: dialog.field.error)
        dialog.edit.setText("owner-token")
        click(dialog.ok_button)
        await until(lambda: "Little is ready" in notices(shell), timeout_s=20)
        stored = tmp_path / "huggingface" / "token"
        assert stored.read_text() == "owner-token"
        assert stat.S_IMODE(stored.stat().st_mode) == 0o600
        await until(lambda: desk(shell).account.has_token)
        assert "owner-token" not in notices(shell) + texts(shell.window)
        assert {seen.token for seen in hub.requests if seen.host == "localhost"} == {None}

    run_async(story())


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("/api/models/owner", times=99, status=404), "There is no owner/little"),
        (Fault("/api/models/owner", times=99, status=429), "asked too often"),
        (Fault("/config.json", times=99, body=b"{}"), "no Unified Latents model"),
    ],
)
def test_refusals_are_told_in_plain_words(
    make_shell: Make, run_async: RunAsync, tmp_path: Path, hub: HubServer, fault: Fault, words: str
) -> None:
    async def story() -> None:
        hub.faults.append(fault)
        shell = await opened(make_shell, tmp_path, hub.endpoint)
        page(shell).fetch_requested.emit("owner/little")
        await until(lambda: words in notices(shell), timeout_s=20)
        assert not desk(shell).tasks

    run_async(story())


def test_without_a_network_the_search_says_so(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    async def story() -> None:
        with silent_port() as endpoint:
            shell = await opened(make_shell, tmp_path, endpoint)
            page(shell).show_hub()
            click(page(shell).hub.search_button)
            await until(lambda: "cannot be reached" in page(shell).hub.state.text(), timeout_s=20)
            assert page(shell).hub.search_button.isEnabled()

    run_async(story())


def test_staying_offline_asks_nothing(make_shell: Make, run_async: RunAsync, tmp_path: Path, hub: HubServer) -> None:
    async def story() -> None:
        shell = await opened(make_shell, tmp_path, hub.endpoint)
        shell.program.session.preferences.update(is_hub_offline=True)
        page(shell).show_hub()
        click(page(shell).hub.search_button)
        await until(lambda: "Switch it off in Settings" in page(shell).hub.state.text())
        page(shell).fetch_requested.emit("owner/little")
        await until(lambda: "nothing is fetched" in notices(shell))
        assert not hub.requests

    run_async(story())


def test_publishing_shows_first_what_would_be_sent(
    make_shell: Make, run_async: RunAsync, tmp_path: Path, model_root: Path, hub: HubServer
) -> None:
    async def story() -> None:
        folder = write_files(model_root / "little", model_files() | {"notes.py": b"secret"})
        shell = await opened(make_shell, tmp_path, hub.endpoint)
        page(shell).open_publish(str(folder))
        dialog = page(shell).findChild(PublishDialog)
        assert not dialog.go_button.isEnabled()
        dialog.repo.setText("no name")
        await until(lambda: "looks like user/name" in dialog.field.error)
        dialog.repo.setText("owner/published")
        await until(lambda: dialog.go_button.isEnabled())
        assert "Left out, for they belong to no model: notes.py" in dialog.files.text()
        assert "license: mit" in dialog.card.toPlainText()
        assert "owner/published" not in hub.repos
        dialog.licence.setCurrentIndex(1)
        dialog.licence.activated.emit(1)
        desk(shell).plan_made.emit(PublishPlan("owner/published", "old card", (), (), "old", "mit"))
        assert not dialog.go_button.isEnabled(), "what comes late is of the licence before"
        await until(lambda: dialog.go_button.isEnabled())
        assert "license: apache-2.0" in dialog.card.toPlainText()
        click(dialog.go_button)
        await until(lambda: "needs a token" in notices(shell), timeout_s=20)
        page(shell).token_entered.emit("owner-token", "")
        await until(lambda: desk(shell).account.has_token)
        page(shell).publish_requested.emit(dialog_wish(str(folder)))
        await until(lambda: "owner/published is published" in notices(shell), timeout_s=20)
        sent = hub.repos["owner/published"].commits[hub.repos["owner/published"].refs["main"]]
        assert "notes.py" not in sent
        assert sent["base.safetensors"] == model_files()["base.safetensors"]

    run_async(story())


def test_publishing_from_a_run_asks_for_the_repository(make_shell: Make, run_async: RunAsync, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "run" / "model", model_files())

    async def story() -> None:
        shell = await opened(make_shell, tmp_path)
        shell.window.show_page("train")
        shell.window.train_page.publish_requested.emit(str(folder))
        assert shell.window.page == "models"
        dialog = page(shell).findChild(PublishDialog)
        dialog.repo.setText("owner/published")
        await until(lambda: dialog.go_button.isEnabled(), timeout_s=20)
        dialog.reject()

    run_async(story())


def dialog_wish(folder: str) -> PublishWish:
    return PublishWish(folder, "owner/published")


def test_the_process_may_die(make_shell: Make, run_async: RunAsync, tmp_path: Path, hub: HubServer) -> None:
    """What it was at has failed, in plain words, and the next deed gets a new process."""

    async def story() -> None:
        hub.faults.append(Fault("/large/", times=4, pause_s=0.04))
        shell = await opened(make_shell, tmp_path, hub.endpoint)
        page(shell).fetch_requested.emit("owner/little")
        await until(lambda: desk(shell).tasks and desk(shell).tasks[0].done_bytes > 0)
        shell.program.late.models.client._process.kill()
        await until(lambda: "The process that works on models ended" in notices(shell))
        notice = next(each for each in shell.program.session.notices.notices if "not fetched" in each.title)
        shell.program.session.notices.choose(notice, "fetch_again", "owner/little")
        await until(lambda: "Little is ready" in notices(shell), timeout_s=30)

    run_async(story())


def test_the_process_brings_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, app.services.desk.child; print([n for n in ('torch', 'cv2', 'PySide6') if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"
