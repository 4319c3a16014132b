"""Messages and enums as the Swift writer sees them."""

from dataclasses import dataclass, field
from typing import Optional

from . import descriptors, names

T = descriptors.FieldType

# Swift's type for each kind of field that we use; others stop the generator.
SCALARS = {
    T.TYPE_BOOL: "Bool",
    T.TYPE_BYTES: "[UInt8]",
    T.TYPE_DOUBLE: "Double",
    T.TYPE_INT32: "Int32",
    T.TYPE_INT64: "Int64",
    T.TYPE_STRING: "String",
}


@dataclass
class Field:
    """One field, or one member of a oneof."""

    proto: str  # its name in the .proto file, which is also its name in C
    name: str  # its name in Swift
    number: int
    kind: str  # bool, bytes, double, int32, int64, string, enum, message or map
    type: str  # the Swift type of one value
    shape: str  # plain, optional or repeated
    comment: str
    c_type: str = ""  # of a message, an enum or a map's entry
    default: str = ""  # of an enum: its case with the number 0


@dataclass
class OneOf:
    """A oneof that the .proto file declares."""

    proto: str
    name: str
    type: str
    comment: str
    members: list = field(default_factory=list)


@dataclass
class Message:
    """A message; the items of `fields` are Field or OneOf."""

    name: str
    full_name: str
    comment: str
    fields: list
    nested: list
    enums: list


@dataclass
class Enum:
    """An enum; values are (case, number, name without prefix, comment)."""

    name: str
    full_name: str
    comment: str
    values: list


@dataclass
class File:
    """A .proto file."""

    path: str
    messages: list
    enums: list


class Reader:
    """Turns descriptors into the model."""

    def __init__(self, files):
        self.files = files
        self.packages = {}
        self.entries = {}
        self.zero_cases = {}
        self.swift_names = {}
        for file in files.file:
            for message in file.message_type:
                self._register(message, f".{file.package}.{message.name}", file.package)
            for enum in file.enum_type:
                self._register_enum(enum, f".{file.package}.{enum.name}", file.package)

    def _claim(self, full_name, package):
        # All packages share one namespace in Swift.
        self.packages[full_name] = package
        name = names.type_name(full_name, package)
        if self.swift_names.setdefault(name, full_name) != full_name:
            raise SystemExit(f"{full_name} and {self.swift_names[name]} are both Wire.{name}")

    def _register_enum(self, enum, full_name, package):
        self._claim(full_name, package)
        self.zero_cases[full_name] = names.enum_case(enum.value[0].name, enum.name)

    def _register(self, message, full_name, package):
        self._claim(full_name, package)
        for enum in message.enum_type:
            self._register_enum(enum, f"{full_name}.{enum.name}", package)
        for nested in message.nested_type:
            nested_name = f"{full_name}.{nested.name}"
            self._register(nested, nested_name, package)
            if nested.options.map_entry:
                self.entries[nested_name] = nested

    def read(self):
        """Returns the files that hold messages or enums."""
        read = [self._file(file) for file in self.files.file]
        return [file for file in read if file.messages or file.enums]

    def _file(self, file):
        notes = descriptors.comments(file)
        prefix = f".{file.package}."
        messages = [
            self._message(message, prefix + message.name, notes, (4, index))
            for index, message in enumerate(file.message_type)
        ]
        enums = [
            self._enum(enum, prefix + enum.name, notes, (5, index))
            for index, enum in enumerate(file.enum_type)
        ]
        return File(file.name, messages, enums)

    def _message(self, message, full_name, notes, path):
        nested = [
            self._message(inner, f"{full_name}.{inner.name}", notes, (*path, 3, index))
            for index, inner in enumerate(message.nested_type)
            if not inner.options.map_entry
        ]
        if len(message.field) > 64:
            raise SystemExit(f"{full_name}: more than 64 fields; see MergeCheck.swift")
        items: list = []
        oneofs: dict = {}
        for index, proto in enumerate(message.field):
            one = self._field(proto, notes.get((*path, 2, index), ""))
            if not proto.HasField("oneof_index") or proto.proto3_optional:
                items.append(one)
                continue
            if proto.oneof_index not in oneofs:
                name = message.oneof_decl[proto.oneof_index].name
                note = notes.get((*path, 8, proto.oneof_index), "")
                union = OneOf(name, names.member(name), names.pascal(name), note)
                oneofs[proto.oneof_index] = union
                items.append(union)
            oneofs[proto.oneof_index].members.append(one)
        name = names.RENAMED.get(message.name, message.name)
        enums = [
            self._enum(inner, f"{full_name}.{inner.name}", notes, (*path, 4, index))
            for index, inner in enumerate(message.enum_type)
        ]
        return Message(name, full_name, notes.get(path, ""), items, nested, enums)

    def _field(self, proto, comment):
        shape = "optional" if proto.proto3_optional else "plain"
        if proto.label == T.LABEL_REPEATED:
            shape = "repeated"
        name, c_type, default = names.member(proto.name), "", ""
        kind: Optional[str] = None
        if proto.type_name in self.entries:
            kind, swift, c_type = "map", "[String: String]", names.c_type(proto.type_name)
            entry = self.entries[proto.type_name]
            if any(part.type != T.TYPE_STRING for part in entry.field):
                raise SystemExit(f"{proto.name}: only maps of strings are supported")
        elif proto.type in (T.TYPE_MESSAGE, T.TYPE_ENUM):
            kind = "message" if proto.type == T.TYPE_MESSAGE else "enum"
            swift = names.type_name(proto.type_name, self.packages[proto.type_name])
            c_type = names.c_type(proto.type_name)
            default = self.zero_cases.get(proto.type_name, "")
        elif proto.type in SCALARS:
            kind, swift = T.Type.Name(proto.type).removeprefix("TYPE_").lower(), SCALARS[proto.type]
        else:
            raise SystemExit(f"{proto.name}: {T.Type.Name(proto.type)} is not supported")
        if shape == "repeated" and kind in ("enum", "double", "bool", "int32"):
            raise SystemExit(f"{proto.name}: repeated {kind} is not supported")
        if kind == "message" and shape == "plain":
            shape = "optional"
        return Field(
            proto.name, name, proto.number, kind, swift, shape, comment, c_type, default)

    def _enum(self, enum, full_name, notes, path):
        values = []
        for index, value in enumerate(enum.value):
            prefix = names.upper_snake(enum.name) + "_"
            values.append((
                names.enum_case(value.name, enum.name), value.number,
                value.name.removeprefix(prefix), notes.get((*path, 2, index), "")))
        return Enum(enum.name, full_name, notes.get(path, ""), values)
