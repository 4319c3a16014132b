"""How the names of .proto files are written in Swift and in protobuf-c's C."""

import re

ACRONYMS = {"id": "ID", "ids": "IDs", "url": "URL", "json": "JSON", "ms": "Milliseconds"}

# Swift keywords that our names come near; members are written in backticks.
KEYWORDS = {
    "as", "break", "case", "catch", "class", "continue", "default", "defer", "do", "else", "enum",
    "extension", "false", "for", "func", "guard", "if", "import", "in", "init", "inout", "internal",
    "is", "let", "nil", "operator", "private", "protocol", "public", "repeat", "return", "self",
    "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try", "var",
    "where", "while",
}

# Names that Swift's own would be mistaken for.
RENAMED = {"Any": "PackedAny"}


def member(snake):
    """`request_id` -> `requestID`; without backticks."""
    first, *rest = snake.split("_")
    return first + "".join(ACRONYMS.get(part, part.capitalize()) for part in rest)


def escaped(name):
    """The name as a declaration writes it."""
    return f"`{name}`" if name in KEYWORDS else name


def type_name(full_name, package):
    """`.recount.v1.NewMessage` -> `NewMessage`, seen from inside the namespace `Wire`."""
    parts = full_name.removeprefix(f".{package}.").split(".")
    return ".".join(RENAMED.get(part, part) for part in parts)


def pascal(snake):
    """`tool_choice` -> `ToolChoice`."""
    return "".join(part.capitalize() for part in snake.split("_"))


def upper_snake(camel):
    """`ToolChoiceMode` -> `TOOL_CHOICE_MODE`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", camel).upper()


def enum_case(value, enum_name):
    """`ROLE_USER` of `Role` -> `user`."""
    return member(value.removeprefix(upper_snake(enum_name) + "_").lower())


def c_type(full_name):
    """`.recount.v1.NewMessage` -> `Recount__V1__NewMessage`."""
    parts = full_name.removeprefix(".").split(".")
    return "__".join(part[0].upper() + part[1:] for part in parts)


def c_function(full_name):
    """`.recount.v1.NewMessage` -> `recount__v1__new_message`."""
    parts = full_name.removeprefix(".").split(".")
    return "__".join(upper_snake(part).lower() for part in parts)
