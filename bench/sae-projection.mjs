// Time and memory of an SAE of the largest published size, bf16 on disk: opening it, the projection of one gradient on its
// decoder, one latent's row, and the latents of 128 rows. The SAE is made up; it is written once (2 GiB) and read from the page cache.
// usage: node bench/sae-projection.mjs [--layout llama-scope|saelens] [--latents 131072] [--width 4096] [--threads 2] [--folder DIR]
//   Linux: reads /proc. The folder (build/sae-projection) is kept for another run; delete it afterwards.
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { openNodeChannel } from "../dist/engine/onnx/node-channel.js";
import { OnnxRuntime } from "../dist/engine/onnx/onnx-runtime.js";
import { openSae } from "../dist/sae/registry.js";
import { openFolder } from "../dist/store/node-folder.js";

const { values: flags } = parseArgs({
  options: {
    layout: { type: "string", default: "llama-scope" },
    latents: { type: "string", default: "131072" },
    width: { type: "string", default: "4096" },
    threads: { type: "string", default: "2" },
    folder: { type: "string", default: "build/sae-projection" },
  },
});
const m = Number(flags.latents);
const d = Number(flags.width);
const hook = "blocks.15.hook_resid_post";
const LAYOUTS = {
  "llama-scope": {
    config: "hyperparams.json",
    values: {
      d_model: d,
      d_sae: m,
      hook_point_in: hook,
      act_fn: "jumprelu",
      jump_relu_threshold: 0.5,
      norm_activation: "dataset-wise",
      dataset_average_activation_norm: { in: 10.8125, out: 10.8125 },
      apply_decoder_bias_to_pre_encoder: false,
    },
    weights: "checkpoints/final.safetensors",
    tensors: { "encoder.weight": [m, d], "encoder.bias": [m], "decoder.weight": [d, m], "decoder.bias": [d] },
  },
  saelens: {
    config: "cfg.json",
    values: { architecture: "jumprelu", d_in: d, d_sae: m, hook_name: hook, apply_b_dec_to_input: false },
    weights: "sae_weights.safetensors",
    tensors: { W_enc: [d, m], b_enc: [m], W_dec: [m, d], b_dec: [d], threshold: [m] },
  },
};

/** Bytes of bf16 numbers between 1/128 and 1/64, of either sign. */
function someNumbers(count) {
  const bits = new Uint16Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bits[i] = ((state >>> 31) << 15) | 0x3c00 | ((state >>> 20) & 0x7f);
  }
  return new Uint8Array(bits.buffer);
}

function writeSae(folder, { config, values, weights, tensors }) {
  const path = join(folder, weights);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(join(folder, config), JSON.stringify(values));
  let at = 0;
  const header = {};
  for (const [name, shape] of Object.entries(tensors)) {
    const bytes = 2 * shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: "BF16", shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = openSync(path, "w");
  writeSync(file, Buffer.concat([length, json]));
  const part = someNumbers(2 ** 23 + 17);
  for (let done = 0; done < at; done += part.length) writeSync(file, part, 0, Math.min(part.length, at - done));
  closeSync(file);
}

let mostAnonymous = 0;
/** Anonymous memory in MB. */
function anonymous() {
  const now = Number(/RssAnon:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;
  mostAnonymous = Math.max(mostAnonymous, now);
  return now;
}
setInterval(anonymous, 20).unref();

/** Prints how long `work` took, how much of all threads' time, and the most anonymous memory meanwhile. */
async function timed(what, work) {
  mostAnonymous = 0;
  const before = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  anonymous();
  const seconds = ((performance.now() - start) / 1000).toFixed(2).padStart(7);
  const { user, system } = process.cpuUsage(before);
  const busy = ((user + system) / 1e6).toFixed(2).padStart(7);
  const most = Math.round(mostAnonymous).toString().padStart(5);
  console.log(`${what.padEnd(36)} ${seconds} s, of the processors ${busy} s, anonymous at most ${most} MB`);
  return result;
}

const layout = LAYOUTS[flags.layout];
if (layout === undefined) throw new Error(`--layout ${flags.layout}: ${Object.keys(LAYOUTS).join(" or ")}`);
const folder = join(flags.folder, `${flags.layout}-${m}x${d}`);
if (!existsSync(join(folder, layout.weights))) writeSae(folder, layout);
const source = await (await openFolder(folder)).open(layout.weights);
for (let at = 0; at < source.size; at += 2 ** 26) await source.read(at, Math.min(2 ** 26, source.size - at)); // page cache

const runtime = new OnnxRuntime(openNodeChannel(), { threads: Number(flags.threads) });
const sae = await timed("open", async () => openSae(await openFolder(folder), runtime));
const gradient = Float32Array.from({ length: d }, (_, i) => Math.sin(i));
await timed("W_dec v, the first time", () => sae.projectDecoder(gradient));
for (let run = 0; run < 3; run++) await timed("W_dec v", () => sae.projectDecoder(gradient));
await timed("one decoder row, the first time", () => sae.decoderRow(12345 % m));
await timed("one decoder row", () => sae.decoderRow(54321 % m));
const rows = Float32Array.from({ length: 128 * d }, (_, i) => Math.sin(i * 0.37));
await timed("latents of 128 rows, the first time", () => sae.encode(rows));
await timed("latents of 128 rows", () => sae.encode(rows));
await sae.close();
await runtime.close();
