/**
 * Label files: one JSON object a line, as Neuronpedia exports explanations (`v1/<model>/<source>/explanations/batch-N.jsonl`).
 * Rows come in any order, several a latent; `index` is a string there and may be a number elsewhere.
 */
import { z } from "zod";
import type { ByteSource } from "../formats/byte-source.js";
import { InputError, quote } from "../formats/input-error.js";

export interface Label {
  readonly description: string;
  /** How it was made ("oai_token-act-pair", …) and by which model, where the file says so. */
  readonly typeName?: string;
  readonly explanationModelName?: string;
}

export type Labels = ReadonlyMap<number, readonly Label[]>;

/** Bytes decoded at once. */
const READ_BYTES = 4 * 1024 * 1024;
/** A row with an embedding is about 6 kB; beyond this it is not a line of such a file. */
const MAX_LINE_CHARACTERS = 4 * 1024 * 1024;

const schema = z.looseObject({
  index: z.union([z.string().regex(/^\d+$/), z.int().min(0)]),
  description: z.string().nullish(),
  typeName: z.string().nullish(),
  explanationModelName: z.string().nullish(),
});

/**
 * Reads a label file. `latents` is the SAE's width where there is one: a label beyond it means that the labels belong to
 * another SAE, which is an InputError. Rows without a description are skipped.
 */
export async function readLabels(source: ByteSource, latents?: number): Promise<Labels> {
  const labels = new Map<number, Label[]>();
  let line = 0;
  for await (const text of linesOf(source)) readLine(text, ++line, labels, source.name, latents);
  return labels;
}

async function* linesOf(source: ByteSource): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for (let at = 0; at < source.size; at += READ_BYTES) {
    const bytes = await source.read(at, Math.min(READ_BYTES, source.size - at));
    try {
      rest += decoder.decode(bytes, { stream: at + bytes.length < source.size });
    } catch {
      throw new InputError(`${source.name}: is not UTF-8 text; decompress it first if it ends in .gz`);
    }
    const lines = rest.split("\n");
    rest = lines.pop()!;
    if (rest.length > MAX_LINE_CHARACTERS) throw new InputError(`${source.name}: a line is too long for a label file`);
    yield* lines;
  }
  yield rest;
}

function readLine(
  text: string,
  line: number,
  labels: Map<number, Label[]>,
  file: string,
  latents: number | undefined,
): void {
  if (text.trim() === "") return;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError(`${file}: line ${line} is not JSON: ${quote(text, 40)}`);
  }
  const row = schema.safeParse(value);
  if (!row.success) {
    const issue = row.error.issues[0]!;
    throw new InputError(
      `${file}: line ${line}: ${issue.path.join(".") || "the row"}: ${issue.message}; want {"index": "0", "description": "…"}`,
    );
  }
  const { index, description, typeName, explanationModelName } = row.data;
  const id = Number(index);
  if (latents !== undefined && id >= latents) {
    throw new InputError(
      `${file}: line ${line} labels latent ${id}, but the SAE has ${latents}; the labels belong to another SAE`,
    );
  }
  if (description == null || description.trim() === "") return;
  const entry: Label = {
    description: description.trim(),
    ...(typeName == null ? {} : { typeName }),
    ...(explanationModelName == null ? {} : { explanationModelName }),
  };
  const known = labels.get(id);
  if (known === undefined) labels.set(id, [entry]);
  else known.push(entry);
}

/** A label file's text; latents ascending. `modelId` and `layer` are Neuronpedia's names of the model and the source. */
export function writeLabels(labels: Labels, source: { readonly modelId: string; readonly layer: string }): string {
  return [...labels.keys()]
    .sort((a, b) => a - b)
    .flatMap((id) => labels.get(id)!.map((label) => `${JSON.stringify({ ...source, index: String(id), ...label })}\n`))
    .join("");
}

/** The label to show for a latent: the first there is, else undefined. */
export function firstLabel(labels: Labels, latent: number): string | undefined {
  return labels.get(latent)?.[0]?.description;
}
