import { describe, expect, it } from "vitest";
import { encodeFrame, type Frame, FrameReader } from "./frames.js";

const frame: Frame = {
  header: { id: 3, op: "score", text: "ünïcode" },
  tensors: {
    ids: { dtype: "i32", shape: [2, 2], data: Int32Array.of(1, -2, 3, 4) },
    flags: { dtype: "u8", shape: [3], data: Uint8Array.of(1, 0, 255) },
    // Behind three bytes, where an array of its type cannot begin.
    values: { dtype: "f64", shape: [2], data: Float64Array.of(0.5, -1e300) },
    none: { dtype: "f32", shape: [0, 8], data: new Float32Array(0) },
  },
};

function bytesOf(one: Frame): Uint8Array {
  return Buffer.concat(encodeFrame(one));
}

describe("messages", () => {
  it("arrive as they were sent, however the stream is cut", () => {
    const bytes = Buffer.concat([bytesOf(frame), bytesOf({ header: { id: 4 }, tensors: {} })]);
    for (const size of [1, 7, 16, 1000]) {
      const reader = new FrameReader();
      const got: Frame[] = [];
      for (let at = 0; at < bytes.length; at += size) got.push(...reader.push(bytes.subarray(at, at + size)));
      expect(got).toEqual([frame, { header: { id: 4 }, tensors: {} }]);
    }
  });

  it("are what Python writes (python/antecedent_torch/frames.py)", () => {
    // write_frame(stream, {"id": 1, "answer": {}}, {"a": torch.tensor([1.5, -2.0]), "b": torch.tensor([True])})
    const head = "415450317e0000000c00000000000000";
    const header =
      '{"id": 1, "answer": {}, "tensors": [{"name": "a", "dtype": "f32", "shape": [2]}, {"name": "b", "dtype": "i32", "shape": [1]}]}';
    const body = "0000c03f000000c001000000";
    const written = Buffer.concat([Buffer.from(head, "hex"), Buffer.from(header), Buffer.from(body, "hex")]);
    expect(new FrameReader().push(written)).toEqual([
      {
        header: { id: 1, answer: {} },
        tensors: {
          a: { dtype: "f32", shape: [2], data: Float32Array.of(1.5, -2) },
          b: { dtype: "i32", shape: [1], data: Int32Array.of(1) },
        },
      },
    ]);
  });

  it("that are none end the reading", () => {
    expect(() => new FrameReader().push(Buffer.from("Traceback (most recent call last)"))).toThrow(/no message/);
    const huge = bytesOf(frame);
    huge[15] = 0xff; // a body of 2^63 bytes
    expect(() => new FrameReader().push(huge)).toThrow(/no message/);
    const short = Buffer.concat(encodeFrame({ header: { tensors: [] }, tensors: {} }));
    expect(new FrameReader().push(short)).toHaveLength(1);
  });

  it("with tensors beyond their body are refused", () => {
    const [head, , ...rest] = encodeFrame({ header: {}, tensors: {} });
    const text = Buffer.from(JSON.stringify({ tensors: [{ name: "a", dtype: "f32", shape: [4] }] }));
    new DataView(head!.buffer).setUint32(4, text.length, true);
    expect(() => new FrameReader().push(Buffer.concat([head!, text, ...rest]))).toThrow(/cut short/);
  });

  it("of a Python without torch are a line", () => {
    const reader = new FrameReader();
    expect(reader.push(Buffer.from('{"antecedent": 1, "mis'))).toEqual([]);
    expect(reader.push(Buffer.from('sing": "no torch"}\n'))).toEqual([
      { header: { antecedent: 1, missing: "no torch" }, tensors: {} },
    ]);
  });
});
