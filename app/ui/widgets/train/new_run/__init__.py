"""The way to a new run: data, model, start."""

from app.ui.widgets.train.new_run.view import NewRunView as NewRun

__all__ = ["NewRun"]
