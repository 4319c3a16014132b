"""The Swift that carries a value type to and from protobuf-c's struct."""

from . import model, names

# The functions of Decoder and Arena for repeated fields.
REPEATED = {"message": "messages", "string": "texts", "int64": "numbers", "bytes": "blobs"}


def coding(file, header):
    """The text of one file."""
    lines = [header.format(path=file.path), "import CProtos", ""]
    for message in file.messages:
        lines += _message(message, message.name, is_top=True)
    return "\n".join(lines[:-1]) + "\n"


def _message(message, name, is_top):
    c_function = names.c_function(message.full_name)
    conformance = "WireMessage, @unsafe TopLevelMessage" if is_top else "@unsafe CMessage"
    lines = [f"extension Wire.{name}: {conformance} {{"]
    if is_top:
        lines += [
            f'  public static var protoName: String {{ "{message.full_name[1:]}" }}',
            "",
            "  public init(decoding bytes: UnsafeRawBufferPointer) throws(MessageError) {",
            "    self = try unsafe Decoder.decode(bytes)",
            "  }",
            "",
            "  public func encode() -> [UInt8] { unsafe Encoder.encode(self) }",
            "",
            "  static var descriptor: UnsafePointer<ProtobufCMessageDescriptor> {",
            f"    unsafe {c_function}__get_descriptor()",
            "  }",
            "",
        ]
    lines += _decode(message)
    lines += [""] + _encode(message, c_function)
    lines += ["}", ""]
    for nested in message.nested:
        lines += _message(nested, f"{name}.{nested.name}", is_top=False)
    return lines


def _decode(message):
    c_type = names.c_type(message.full_name)
    lines = [f"  init(_ c: UnsafePointer<{c_type}>) throws(MessageError) {{"]
    for item in message.fields:
        if isinstance(item, model.OneOf):
            lines.append(f"    switch unsafe c.pointee.{item.proto}_case.rawValue {{")
            for member in item.members:
                lines.append(f"    case {member.number}:")
                value = _decoded(member)
                if member.kind == "message":
                    lines.append(f"      self.{item.name} = {value}.map {{ .{member.name}($0) }}")
                else:
                    lines.append(f"      self.{item.name} = .{member.name}({value})")
            lines += [f"    default: self.{item.name} = nil", "    }"]
        elif item.shape == "optional" and item.kind != "message":
            lines += [
                f"    if unsafe c.pointee.has_{item.proto}_case.rawValue == {item.number} {{",
                f"      self.{item.name} = {_decoded(item)}",
                "    } else {",
                f"      self.{item.name} = nil",
                "    }",
            ]
        else:
            lines.append(f"    self.{item.name} = {_decoded(item)}")
    return lines + ["  }"]


def _decoded(item):
    """The Swift expression for one field's value."""
    c = f"c.pointee.{item.proto}"
    if item.kind == "map":
        entry = "Decoder.Entry(key: $0.pointee.key, value: $0.pointee.value)"
        return (f'try unsafe Decoder.map({c}, c.pointee.n_{item.proto}, "{item.proto}") '
                f"{{ unsafe {entry} }}")
    if item.shape == "repeated":
        count = f"c.pointee.n_{item.proto}"
        function = REPEATED[item.kind]
        return f'try unsafe Decoder.{function}({c}, {count}, "{item.proto}")'
    if item.kind == "message":
        return f'try unsafe Decoder.message({c}, "{item.proto}")'
    if item.kind == "string":
        return f'try unsafe Decoder.text({c}, "{item.proto}")'
    if item.kind == "bytes":
        return f"unsafe Decoder.bytes({c})"
    if item.kind == "enum":
        return f"unsafe Wire.{item.type}(rawValue: Int32(bitPattern: {c}.rawValue))"
    if item.kind == "bool":
        return f"unsafe {c} != 0"
    return f"unsafe {c}"


def _encode(message, c_function):
    c_type = names.c_type(message.full_name)
    lines = [
        f"  func fill(_ c: UnsafeMutablePointer<{c_type}>, _ arena: borrowing Arena) {{",
        f"    unsafe {c_function}__init(c)",
    ]
    for item in message.fields:
        name = names.escaped(item.name) if not isinstance(item, model.OneOf) else item.name
        if isinstance(item, model.OneOf):
            lines += [f"    switch self.{item.name} {{"]
            for member in item.members:
                case = f"{names.c_type(message.full_name)}__{names.pascal(item.proto)}Case"
                lines += [
                    f"    case .{member.name}(let value):",
                    f"      unsafe c.pointee.{item.proto}_case = {case}({member.number})",
                    f"      unsafe c.pointee.{member.proto} = {_encoded(member, 'value')}",
                ]
            lines += ["    case nil: break", "    }"]
        elif item.kind == "map" or item.shape == "repeated":
            lines += _encode_repeated(item)
        elif item.shape == "optional" and item.kind == "message":
            lines += [
                f"    if let {name} {{",
                f"      unsafe c.pointee.{item.proto} = {_encoded(item, name)}",
                "    }",
            ]
        elif item.shape == "optional":
            case = f"{names.c_type(message.full_name)}__Has{names.pascal(item.proto)}Case"
            lines += [
                f"    if let {name} {{",
                f"      unsafe c.pointee.has_{item.proto}_case = {case}({item.number})",
                f"      unsafe c.pointee.{item.proto} = {_encoded(item, name)}",
                "    }",
            ]
        else:
            lines.append(
                f"    unsafe c.pointee.{item.proto} = {_encoded(item, f'self.{item.name}')}")
    return lines + ["  }"]


def _encode_repeated(item):
    values = f"self.{item.name}"
    if item.kind == "map":
        function = names.c_function(_entry_name(item.c_type))
        encoded = [
            f"    unsafe c.pointee.{item.proto} = arena.map({values}) {{ c, key, value in",
            f"      unsafe {function}__init(c)",
            "      unsafe c.pointee.key = key",
            "      unsafe c.pointee.value = value",
            "    }",
        ]
    else:
        function = REPEATED[item.kind]
        encoded = [f"    unsafe c.pointee.{item.proto} = arena.{function}({values})"]
    return encoded + [f"    unsafe c.pointee.n_{item.proto} = {values}.count"]


def _entry_name(c_type):
    return "." + c_type.replace("__", ".")


def _encoded(item, value):
    """The Swift expression for one field's C value."""
    if item.kind == "message":
        return f"arena.message({value})"
    if item.kind == "string":
        return f"arena.text({value})"
    if item.kind == "bytes":
        return f"arena.bytes({value})"
    if item.kind == "enum":
        return f"{item.c_type}(UInt32(bitPattern: {value}.rawValue))"
    if item.kind == "bool":
        return f"{value} ? 1 : 0"
    return value
