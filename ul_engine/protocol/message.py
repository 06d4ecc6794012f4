"""What all messages share. No torch."""

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """Base of all messages."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")
