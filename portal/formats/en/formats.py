"""English times by the clock of 24 hours, as on every other page."""

DATETIME_FORMAT = "j M Y, H:i"
TIME_FORMAT = "H:i"
