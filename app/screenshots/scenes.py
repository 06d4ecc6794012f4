"""What stands on each page when its picture is taken."""

import asyncio

from app.bench.driving import until
from app.shell import Shell

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


async def generating(shell: Shell) -> None:
    """A job half done, with a preview and another job behind it."""
    session, page = shell.program.session, shell.window.generate_page
    shell.window.show_page("generate")
    session.form.update(num_images=4, batch_size=4, base_steps=60, decoder_steps=60)
    page.generate_requested.emit()
    session.form.update(num_images=8)
    page.generate_requested.emit()
    await until(lambda: session.queue.progress.fraction > 0.25, "the job did not come so far", PATIENCE_S)


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
    await until(lambda: session.queue.view.is_idle, "the comparison was not made", PATIENCE_S)
    await asyncio.sleep(0.5)


async def train(shell: Shell) -> None:
    """The run that has just ended."""
    runs = shell.program.session.folders.places.runs
    shell.window.show_page("train")
    await until(lambda: any(runs.iterdir()), "there is no run")
    shell.window.train_page.open_run(str(next(runs.iterdir())))
    await asyncio.sleep(3.0)  # charts and previews are read and drawn in the background


async def library(shell: Shell) -> None:
    """All results of this session."""
    shell.window.show_page("library")
    await asyncio.sleep(3.0)


async def settings(shell: Shell) -> None:
    """With the check of the machine done."""
    shell.window.show_page("settings")
    await asyncio.sleep(0.5)


async def models(shell: Shell) -> None:
    """The models that are here."""
    shell.window.show_page("models")
    await asyncio.sleep(1.0)
