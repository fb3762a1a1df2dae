"""What goes back instead of an answer."""


class InputError(Exception):
    """The user's input is wrong: one line that says what, where, why and what would be right."""
