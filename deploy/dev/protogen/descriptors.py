"""The published .proto files as protoc sees them."""

import subprocess
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2

FieldType = descriptor_pb2.FieldDescriptorProto


def proto_files(root):
    """Every .proto file under `root`, as protoc names them, in a fixed order."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.proto"))


def compile_protos(root):
    """Returns the descriptors of all files under `root`, with their comments.

    Exits with protoc's own words when a file does not compile.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "set.binpb"
        command = ["protoc", f"--proto_path={root}", f"--descriptor_set_out={output}"]
        command += ["--include_source_info", *proto_files(root)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise SystemExit(f"protoc: {result.stderr.strip()}")
        return descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes())


def comments(file):
    """Maps a path within the file's descriptor to the comment above that element."""
    return {
        tuple(location.path): location.leading_comments
        for location in file.source_code_info.location
        if location.leading_comments
    }


def published_set(files):
    """The descriptor set that reflection serves: without comments and positions."""
    copy = descriptor_pb2.FileDescriptorSet()
    copy.CopyFrom(files)
    for file in copy.file:
        file.ClearField("source_code_info")
    return copy.SerializeToString(deterministic=True)


def derived_files(files):
    """A wire-identical copy that protobuf-c can take.

    Its compiler refuses proto3's `optional`, so each such field becomes the only member of a oneof
    `has_<field>`; it cuts strings at a NUL, so each carries `(pb_c_field).string_as_bytes`.
    """
    copy = descriptor_pb2.FileDescriptorSet()
    copy.CopyFrom(files)
    for file in copy.file:
        file.ClearField("source_code_info")
        for message in file.message_type:
            _derive(message)
    return copy


# (pb_c_field) is the extension 1019 of FieldOptions; its field 1, a bool, is string_as_bytes.
STRING_AS_BYTES = bytes([0xDA, 0x3F, 0x02, 0x08, 0x01])


def _derive(message):
    for field in message.field:
        if field.proto3_optional:
            field.proto3_optional = False
            message.oneof_decl[field.oneof_index].name = f"has_{field.name}"
        if field.type == FieldType.TYPE_STRING:
            field.options.MergeFromString(STRING_AS_BYTES)
    for nested in message.nested_type:
        _derive(nested)
