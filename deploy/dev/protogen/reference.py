"""docs/reference/api.md: an introduction written by hand, and all that the comments say."""

from pathlib import Path

from . import descriptors, names

HEAD = Path(__file__).with_name("reference_head.md")
T = descriptors.FieldType


def reference(files):
    """Returns the page."""
    ours = [file for file in files.file if file.package == "recount.v1"]
    lines = [HEAD.read_text().rstrip("\n"), ""]
    for file in ours:
        notes = descriptors.comments(file)
        for index, service in enumerate(file.service):
            lines += _service(service, notes, (6, index))
    lines += ["## Messages", ""]
    called = _called(ours)
    entries = []
    for file in ours:
        notes = descriptors.comments(file)
        for index, message in enumerate(file.message_type):
            entries.append((message.name, _message(message, notes, (4, index))))
        for index, enum in enumerate(file.enum_type):
            entries.append((enum.name, _enum(enum, notes, (5, index))))
    by_name = dict(entries)
    for name in called:
        lines += by_name.pop(name)
    lines += ["## Types", ""]
    for name in sorted(by_name):
        lines += by_name[name]
    return ("\n".join(lines).rstrip("\n") + "\n").encode()


def _called(files):
    """Requests and responses, in the order of the methods."""
    called = []
    for file in files:
        for service in file.service:
            for method in service.method:
                for name in (method.input_type, method.output_type):
                    called.append(name.rpartition(".")[2])
    return called


def _text(comment):
    """A comment as one paragraph per empty line."""
    paragraphs = comment.strip().replace("\n ", "\n").split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in paragraphs]


def _cell(comment):
    return " ".join(comment.split()).replace("|", "\\|")


def _link(name):
    return f"[{name}](#{name.lower()})"


def _service(service, notes, path):
    lines = [f"## {service.name}", ""]
    for paragraph in _text(notes.get(path, "")):
        lines += [paragraph, ""]
    lines += ["| method | asks | answers | |", "|---|---|---|---|"]
    for index, method in enumerate(service.method):
        asks, answers = (
            _link(name.rpartition(".")[2]) for name in (method.input_type, method.output_type))
        stream = "stream of " if method.server_streaming else ""
        note = _cell(notes.get((*path, 2, index), ""))
        lines.append(f"| {method.name} | {asks} | {stream}{answers} | {note} |")
    return lines + [""]


def _message(message, notes, path):
    lines = [f"### {message.name}", ""]
    for paragraph in _text(notes.get(path, "")):
        lines += [paragraph, ""]
    if not message.field:
        return lines
    lines += ["| field | | type | |", "|---|---|---|---|"]
    entries = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
    for index, field in enumerate(message.field):
        note = _cell(notes.get((*path, 2, index), ""))
        lines.append(
            f"| {field.name} | {field.number} | {_type(message, field, entries)} | {note} |")
    return lines + [""]


def _type(message, field, entries):
    name = field.type_name.rpartition(".")[2]
    if name in entries:
        return "map of string to string"
    if field.type in (T.TYPE_MESSAGE, T.TYPE_ENUM):
        foreign = field.type_name.startswith(".google.")
        kind = field.type_name[1:] if foreign else _link(name)
    else:
        kind = T.Type.Name(field.type).removeprefix("TYPE_").lower()
    if field.label == T.LABEL_REPEATED:
        return f"repeated {kind}"
    if field.proto3_optional:
        return f"optional {kind}"
    if field.HasField("oneof_index"):
        return f"{kind}, one of *{message.oneof_decl[field.oneof_index].name}*"
    return kind


def _enum(enum, notes, path):
    lines = [f"### {enum.name}", ""]
    for paragraph in _text(notes.get(path, "")):
        lines += [paragraph, ""]
    prefix = names.upper_snake(enum.name) + "_"
    lines += [f"Each name begins with `{prefix}`.", "", "| value | | |", "|---|---|---|"]
    for index, value in enumerate(enum.value):
        note = _cell(notes.get((*path, 2, index), ""))
        lines.append(f"| {value.name.removeprefix(prefix)} | {value.number} | {note} |")
    return lines + [""]
