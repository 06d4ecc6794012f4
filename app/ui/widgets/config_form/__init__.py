"""The one settings form, drawn from the description of a pydantic model class."""

from app.ui.widgets.config_form.view import ConfigFormView

__all__ = ["ConfigFormView"]
