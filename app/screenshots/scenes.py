"""What stands on each page when its picture is taken."""

from app.bench.driving import BenchFailed, until
from app.models.form_state import Mode
from app.models.model_offers import offers_of
from app.shell import Shell
from ul_engine.model_folder import ModelEntry

PATIENCE_S = 900.0


async def generate(shell: Shell) -> None:
    """Pictures of two prompts."""
    session, page = shell.program.session, shell.window.generate_page
    shell.window.show_page("generate")
    examples = session.form.grammar.examples if session.form.grammar else ("a red sphere",)
    for prompt in examples[1::-1]:
        session.form.update(prompt=prompt, num_images=4, seed="7")
        page.generate_requested.emit()
        await until(lambda: session.queue.view.is_idle, "the pictures were not made", PATIENCE_S)
    await until(lambda: all(tile.path for tile in session.results.done_tiles()), "the pictures were not saved")


def continuing_model(shell: Shell) -> ModelEntry | None:
    """The first model that makes clips and continues them."""
    usable = shell.program.session.library.usable
    return next((entry for entry in usable if Mode.CONTINUE in offers_of(entry).modes), None)


async def clips(shell: Shell) -> None:
    """Clips of a prompt, and the first of them continued."""
    session, page = shell.program.session, shell.window.generate_page
    shell.window.show_page("generate")
    form, model = session.form, continuing_model(shell)
    form.choose_model(model)
    examples = form.grammar.examples if form.grammar else ("",)
    form.update(prompt=examples[0], num_images=4, seed="7")
    page.generate_requested.emit()
    await until(lambda: session.queue.view.is_idle, "the clips were not made", PATIENCE_S)
    await until(lambda: all(tile.path for tile in session.results.done_tiles()), "the clips were not saved")
    moving = [tile for tile in session.results.done_tiles() if tile.is_moving]
    if not moving:
        raise BenchFailed("no clip was made")
    shell.program.beginner.begin_with_tile(moving[0])
    await until(lambda: form.state.mode is Mode.CONTINUE, "the clip was not taken in")
    form.update(num_images=1)
    page.generate_requested.emit()
    await until(lambda: session.queue.view.is_idle, "the clip was not continued", PATIENCE_S)
    await until(lambda: all(tile.path for tile in session.results.done_tiles()), "the clip was not saved")


async def generating(shell: Shell) -> None:
    """A job half done, with a preview and another job behind it."""
    session, page = shell.program.session, shell.window.generate_page
    shell.window.show_page("generate")
    session.form.update(num_images=4, batch_size=4, base_steps=60, decoder_steps=60)
    page.generate_requested.emit()
    session.form.update(num_images=8)
    page.generate_requested.emit()
    await until(lambda: _is_taking_shape(shell), "no preview came", PATIENCE_S)


def _is_taking_shape(shell: Shell) -> bool:
    """Far enough, and every picture has a preview."""
    session = shell.program.session
    job = session.queue.view.running
    tiles = session.results.tiles_of(job.job_id) if job is not None else []
    return bool(tiles) and all(tile.preview is not None for tile in tiles) and session.queue.progress.fraction > 0.25


async def stop(shell: Shell) -> None:
    """End what `generating` began."""
    queue = shell.program.session.queue
    queue.clear_waiting()
    queue.stop()
    await until(lambda: queue.view.running is None, "the job did not stop", PATIENCE_S)
    shell.program.session.notices.dismiss_passing()


async def compare(shell: Shell) -> None:
    """One picture on both ladders."""
    session = shell.program.session
    paths = [tile.path for tile in session.results.done_tiles() if tile.path]
    shell.window.show_page("compare")
    session.compare.add_files(paths[:2])
    await until(lambda: session.compare.inputs.current is not None, "the picture was not taken in")
    await until(lambda: session.compare.run() or not session.queue.view.is_idle, "nothing was asked for", PATIENCE_S)
    results = session.compare.results
    is_over = lambda: session.queue.view.is_idle and not results.is_working  # noqa: E731 - waited for
    await until(is_over, "the comparison was not made", PATIENCE_S)


async def train(shell: Shell) -> None:
    """The run that has just ended."""
    runs = shell.program.session.folders.places.runs
    shell.window.show_page("train")
    await until(lambda: any(runs.iterdir()), "there is no run")
    shell.window.train_page.open_run(str(next(runs.iterdir())))
    await until(lambda: is_train_drawn(shell), "the run was not read")


def is_train_drawn(shell: Shell) -> bool:
    """Every chart in sight shows the whole run."""
    run, wall = shell.program.session.runs.current, shell.window.train_page.live.wall
    return run is not None and run.is_caught_up and bool(wall.charts) and wall.is_settled


async def library(shell: Shell) -> None:
    """All results of this session."""
    shell.window.show_page("library")
    await until(lambda: is_library_drawn(shell), "the results were not found")


def is_library_drawn(shell: Shell) -> bool:
    """Every result is there, with its small picture."""
    session, grid = shell.program.session, shell.window.library_page.grid
    rows, made = session.gallery.list, len(session.results.done_tiles())
    items = [rows.item(row) for row in range(rows.rowCount())]
    return len(items) >= made and all(items) and not grid.thumbnails.is_waiting


async def settings(shell: Shell) -> None:
    """The first of them."""
    shell.window.show_page("settings")


async def models(shell: Shell) -> None:
    """The model that comes with the program, with its card."""
    shell.window.show_page("models")
    await until(lambda: is_card_there(shell), "the model was not looked at")


def is_card_there(shell: Shell) -> bool:
    """What the disk and the card of the model on show say is known."""
    desk, entry = shell.program.session.desk, shell.window.models_page.details.entry
    return bool(desk.storage.models) and entry is not None and desk.card(entry.path) is not None
