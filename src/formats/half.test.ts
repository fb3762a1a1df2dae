import { describe, expect, it } from "vitest";
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from "./half.js";

const f32 = (...values: number[]) => Float32Array.from(values);
const bits = (...values: number[]) => Uint16Array.from(values);

describe("binary16", () => {
  it("comes back unchanged through f32 for every one of the 65536 values that is not a NaN", () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
    const back = f32ToF16(f16ToF32(all));
    for (let i = 0; i < all.length; i++) {
      const isNan = (i & 0x7c00) === 0x7c00 && (i & 0x3ff) !== 0;
      if (isNan) expect((back[i] as number) & 0x7fff).toBe(0x7e00);
      else if (back[i] !== i) expect.fail(`${i} became ${back[i]}`);
    }
  });

  it("decodes the values of the IEEE 754 table", () => {
    const got = f16ToF32(bits(0x0001, 0x03ff, 0x0400, 0x3555, 0x3c00, 0x7bff, 0xfc00, 0x8000));
    expect([...got]).toEqual([2 ** -24, 1023 * 2 ** -24, 2 ** -14, 0.333251953125, 1, 65504, -Infinity, -0]);
  });

  it("rounds to nearest, ties to even, also among subnormals and at the largest value", () => {
    const values = f32(
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      65519.996,
      65520,
      2 ** -25,
      1.5 * 2 ** -24,
      -(2 ** -26),
      2 ** -14 - 2 ** -26,
    );
    expect([...f32ToF16(values)]).toEqual([0x3c00, 0x3c02, 0x7bff, 0x7c00, 0x0000, 0x0002, 0x8000, 0x0400]);
  });
});

describe("bfloat16", () => {
  it("comes back unchanged through f32", () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, i) => i).filter((i) => (i & 0x7fff) <= 0x7f80);
    expect(f32ToBf16(bf16ToF32(all))).toEqual(all);
  });

  it("rounds to nearest, ties to even, keeps NaN and overflows to infinity", () => {
    const values = f32(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, 3.4028235e38, Number.NaN, -2);
    const got = f32ToBf16(values);
    expect([got[0], got[1], got[2], got[3], got[5]]).toEqual([0x3f80, 0x3f82, 0x3f81, 0x7f80, 0xc000]);
    expect(bf16ToF32(got)[4]).toBeNaN();
  });

  it("reads values at any place of a larger buffer", () => {
    const big = f32(9, 1, 2, 9);
    expect([...f32ToBf16(big.subarray(1, 3))]).toEqual([0x3f80, 0x4000]);
  });
});
