"""A settings form made from a pydantic model class: what it asks, what is set, what is wrong. No widgets."""

from app.models.config_form.fields import Choice, FieldKind, FieldSpec, Limits, SectionSpec, describe
from app.models.config_form.form import ConfigForm

__all__ = ["Choice", "ConfigForm", "FieldKind", "FieldSpec", "Limits", "SectionSpec", "describe"]
