"""Messages over a byte stream, the twin of src/engine/torch/frames.ts.

A frame: b"ATP1", u32 length of the header, u64 length of the body (little-endian); the header, JSON in UTF-8; the body, the
tensors that header["tensors"] lists ([{"name", "dtype", "shape"}]), packed one after another in C order, little-endian."""
import json
import math
import struct
import sys

import torch

MAGIC = b"ATP1"
HEAD = struct.Struct("<4sIQ")
# A header lists at most the parameters of a model (some thousand, 100 bytes each); a body, the state of a training.
MAX_HEADER = 16 << 20
MAX_BODY = 8 << 30
DTYPES = {"f32": torch.float32, "f64": torch.float64, "i32": torch.int32, "u8": torch.uint8}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


class Closed(Exception):
    """The other side closed the stream."""


def _exactly(stream, count):
    parts = bytearray(count)
    view, at = memoryview(parts), 0
    while at < count:
        got = stream.readinto(view[at:])
        if not got:
            raise Closed
        at += got
    return parts


def read_frame(stream):
    """The next (header, {name: tensor}); Closed at the end of the stream, ValueError for bytes that are no frame."""
    magic, header_length, body_length = HEAD.unpack(_exactly(stream, HEAD.size))
    if magic != MAGIC or header_length > MAX_HEADER or body_length > MAX_BODY:
        raise ValueError("these bytes are no message of this protocol")
    header = json.loads(_exactly(stream, header_length))
    body = _exactly(stream, body_length)
    tensors, at = {}, 0
    for entry in header.pop("tensors", []):
        dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
        count = math.prod(shape)
        size = count * dtype.itemsize
        if at + size > body_length:
            raise ValueError("a tensor reaches beyond the message")
        tensors[entry["name"]] = (
            torch.frombuffer(body, dtype=dtype, count=count, offset=at).clone().reshape(shape) if count else torch.empty(shape, dtype=dtype)
        )
        at += size
    return header, tensors


def write_frame(stream, header, tensors=None):
    """Writes one message; tensors of any device and any real type go as f32, f64, i32 or u8."""
    entries, parts = [], []
    for name, tensor in (tensors or {}).items():
        tensor = tensor.detach().cpu()
        if tensor.dtype not in NAMES:
            tensor = tensor.to(torch.float32 if tensor.is_floating_point() else torch.int32)
        tensor = tensor.contiguous()
        entries.append({"name": name, "dtype": NAMES[tensor.dtype], "shape": list(tensor.shape)})
        parts.append(_bytes(tensor))
    text = json.dumps({**header, "tensors": entries}).encode()
    stream.write(HEAD.pack(MAGIC, len(text), sum(len(part) for part in parts)))
    stream.write(text)
    for part in parts:
        stream.write(part)
    stream.flush()


def _bytes(tensor):
    """The tensor's memory, without a copy."""
    return tensor.reshape(-1).view(torch.uint8).numpy().data if tensor.numel() else b""


if sys.byteorder != "little":
    raise ImportError("the engine speaks little-endian only")
