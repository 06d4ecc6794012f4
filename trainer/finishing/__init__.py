"""The last step of a bundled model: measured, chosen and written down."""
