/** The few pieces of the protocol-buffers wire format that an ONNX file needs. */

/** Collects one message's fields. */
export class ProtobufMessage {
  private readonly parts: Uint8Array[] = [];
  size = 0;

  /** Field of wire type 0; negative values as two's complement of 64 bits. */
  integer(field: number, value: number | bigint): this {
    return this.push(varint(BigInt(field) << 3n)).push(varint(BigInt.asUintN(64, BigInt(value))));
  }

  /** Field of wire type 5. */
  float(field: number, value: number): this {
    return this.push(varint((BigInt(field) << 3n) | 5n)).push(new Uint8Array(Float32Array.of(value).buffer));
  }

  /** Field of wire type 2. */
  bytes(field: number, value: Uint8Array): this {
    return this.push(varint((BigInt(field) << 3n) | 2n))
      .push(varint(BigInt(value.length)))
      .push(value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: ProtobufMessage): this {
    this.push(varint((BigInt(field) << 3n) | 2n)).push(varint(BigInt(value.size)));
    for (const part of value.parts) this.push(part);
    return this;
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  private push(part: Uint8Array): this {
    this.parts.push(part);
    this.size += part.length;
    return this;
  }
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
