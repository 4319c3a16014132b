"""The rules for Protos/: buf's STANDARD names, a comment on everything, and our own.

`findings` returns one line for each thing that is wrong. Published interfaces of others (google.*,
grpc.*) keep their names; they need comments and the rest.
"""

import re

from . import descriptors, names

PASCAL = re.compile(r"[A-Z][A-Za-z0-9]*")
LOWER_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
UPPER_SNAKE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
VERSIONED = re.compile(r".+\.v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?")
FOREIGN = ("google.", "grpc.")

# RPCs that change nothing; every other one takes a request_id.
READERS = {
    "CountTokens", "Get", "GetModels", "GetUsage", "List", "ListMessages", "PreviewContext",
    "ResumeGenerate",
}


def findings(files):
    """Everything that is wrong with the descriptor set."""
    found = []
    for file in files.file:
        found += _File(file).check()
    return found + _rpcs(files) + _imports(files) + _recursion(files)


class _File:
    """The rules that look at one file."""

    def __init__(self, file):
        self.file = file
        self.notes = descriptors.comments(file)
        self.ours = not file.package.startswith(FOREIGN)
        self.found = []

    def check(self):
        """The findings of this file."""
        file = self.file
        folder, _, base = file.name.rpartition("/")
        self.rule(file.syntax == "proto3", "the syntax is not proto3")
        self.rule(file.package, "there is no package")
        self.rule(folder == file.package.replace(".", "/"), "the folder is not the package's")
        self.named(LOWER_SNAKE, base.removesuffix(".proto"), "file")
        for part in file.package.split("."):
            self.named(LOWER_SNAKE, part, "package part")
        self.rule(not self.ours or VERSIONED.fullmatch(file.package), "the package has no version")
        self.rule(not file.public_dependency and not file.weak_dependency, "an import is not plain")
        for index, message in enumerate(file.message_type):
            self.message(message, message.name, (4, index))
        for index, enum in enumerate(file.enum_type):
            self.enum(enum, enum.name, (5, index))
        for index, service in enumerate(file.service):
            self.service(service, (6, index))
        return self.found

    def rule(self, holds, text):
        """Notes `text` unless the rule holds."""
        if not holds:
            self.found.append(f"{self.file.name}: {text}")

    def named(self, pattern, name, what):
        """A name must match, unless others gave it."""
        self.rule(not self.ours or pattern.fullmatch(name), f"{what} {name}: wrong case")

    def commented(self, path, what):
        """There must be a comment above the element."""
        self.rule(self.notes.get(path, "").strip(), f"{what}: no comment")

    def message(self, message, name, path):
        """A message, its fields, its oneofs and what is nested in it."""
        if message.options.map_entry:
            return
        self.named(PASCAL, message.name, "message")
        self.commented(path, name)
        for index, field in enumerate(message.field):
            self.named(LOWER_SNAKE, field.name, f"field of {name}:")
            self.commented((*path, 2, index), f"{name}.{field.name}")
        synthetic = {field.oneof_index for field in message.field if field.proto3_optional}
        for index, oneof in enumerate(message.oneof_decl):
            if index not in synthetic:
                self.named(LOWER_SNAKE, oneof.name, f"oneof of {name}:")
                self.commented((*path, 8, index), f"{name}.{oneof.name}")
        for index, nested in enumerate(message.nested_type):
            self.message(nested, f"{name}.{nested.name}", (*path, 3, index))
        for index, enum in enumerate(message.enum_type):
            self.enum(enum, f"{name}.{enum.name}", (*path, 4, index))

    def enum(self, enum, name, path):
        """An enum and its values."""
        self.named(PASCAL, enum.name, "enum")
        self.commented(path, name)
        self.rule(not enum.options.allow_alias, f"{name}: aliases")
        prefix = names.upper_snake(enum.name) + "_"
        for index, value in enumerate(enum.value):
            self.named(UPPER_SNAKE, value.name, f"value of {name}:")
            self.commented((*path, 2, index), f"{name}.{value.name}")
            self.rule(not self.ours or value.name.startswith(prefix),
                      f"{name}.{value.name}: does not begin with {prefix}")
        zero = enum.value[0]
        self.rule(not self.ours or zero.number == 0 and zero.name == prefix + "UNSPECIFIED",
                  f"{name}: {zero.name} is not {prefix}UNSPECIFIED")

    def service(self, service, path):
        """A service and its methods."""
        self.named(PASCAL, service.name, "service")
        self.rule(not self.ours or service.name.endswith("Service"),
                  f"{service.name}: does not end with Service")
        self.commented(path, service.name)
        for index, method in enumerate(service.method):
            self.named(PASCAL, method.name, f"method of {service.name}:")
            self.commented((*path, 2, index), f"{service.name}.{method.name}")


def _rpcs(files):
    """Requests and responses are named after their method, and belong to it alone."""
    found, users, fields = [], {}, {}
    for file in files.file:
        for message in file.message_type:
            fields[f".{file.package}.{message.name}"] = {field.name for field in message.field}
    for file in files.file:
        if file.package.startswith(FOREIGN):
            continue
        for service in file.service:
            for method in service.method:
                where = f"{file.name}: {service.name}.{method.name}"
                kinds = ((method.input_type, "Request"), (method.output_type, "Response"))
                for full_name, suffix in kinds:
                    name = full_name.rpartition(".")[2]
                    standard = (method.name + suffix, service.name + method.name + suffix)
                    if name not in standard:
                        found.append(f"{where}: {name} is not {method.name}{suffix}")
                    if users.setdefault(full_name, where) != where:
                        found.append(f"{where}: {name} is also another method's")
                has = "request_id" in fields.get(method.input_type, set())
                if has == (method.name in READERS):
                    found.append(f"{where}: request_id belongs to calls that change something")
    return found


def _references(file):
    pending = list(file.message_type)
    while pending:
        message = pending.pop()
        pending += message.nested_type
        yield from ((message, field.type_name) for field in message.field if field.type_name)
    for service in file.service:
        for method in service.method:
            yield None, method.input_type
            yield None, method.output_type


def _imports(files):
    """Every import is used, and packages do not import each other in a circle."""
    found, home, edges = [], {}, {}
    for file in files.file:
        for item in [*file.message_type, *file.enum_type]:
            home[f".{file.package}.{item.name}"] = file.name
    packages = {file.name: file.package for file in files.file}
    for file in files.file:
        used = {
            place for name, place in home.items() for _, reference in _references(file)
            if reference == name or reference.startswith(name + ".")}
        for imported in file.dependency:
            if imported not in used:
                found.append(f"{file.name}: imports {imported} for nothing")
            if packages[imported] != file.package:
                edges.setdefault(file.package, set()).add(packages[imported])
    return found + [f"package {name}: imports itself in a circle" for name in _circles(edges)]


def _recursion(files):
    """protobuf-c parses by recursion without a limit, so no message may hold itself."""
    edges = {}

    def visit(message, name):
        targets = {field.type_name for field in message.field if field.type_name}
        edges[name] = targets
        for nested in message.nested_type:
            visit(nested, f"{name}.{nested.name}")

    for file in files.file:
        for message in file.message_type:
            visit(message, f".{file.package}.{message.name}")
    return [f"message {name[1:]}: holds itself" for name in _circles(edges)]


def _circles(edges):
    """The nodes that can reach themselves."""
    circles = []
    for start in sorted(edges):
        seen, pending = set(), list(edges[start])
        while pending:
            node = pending.pop()
            if node not in seen:
                seen.add(node)
                pending += edges.get(node, ())
        if start in seen:
            circles.append(start)
    return circles
