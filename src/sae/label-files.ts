/**
 * Label files, plain or gzip:
 *
 *   .jsonl   one object a line, as Neuronpedia exports explanations (`v1/<model>/<source>/explanations/batch-N.jsonl.gz`)
 *   .json    a list of such objects, {"explanations": [them]}, or an object from latent to text or texts
 *   .csv     columns "index" and "description"; without such a first line, the first two columns
 *
 * An object names its latent by `index` (text in Neuronpedia's files), `latent`, `feature` or `id`, and says what it means by
 * `description`, `label` or `explanation`. Neuronpedia writes latents in the order of their numbers as text (0, 1, 10, 100, …),
 * so a batch's number says nothing of the latents in it: rows are taken as they name themselves.
 */
import { z } from "zod";
import type { ByteSource } from "../formats/byte-source.js";
import { parseCsv } from "../formats/csv.js";
import { InputError, quote } from "../formats/input-error.js";
import { readLines } from "../formats/lines.js";
import { firstWrong } from "../formats/shape.js";
import { LabelCollector, type LabelledSae, type Labels } from "./labels.js";

/** A row with an embedding is about 6 kB; beyond this it is not a line of such a file. */
const MAX_LINE_CHARACTERS = 4 * 1024 * 1024;
/** A .json or .csv is read whole: 131,072 labels without embeddings are about 20 MB. */
const MAX_TEXT_CHARACTERS = 256 * 1024 * 1024;
/** Names of a label file's latent and text, the first that is there counts. */
const LATENT_KEYS = ["index", "latent", "feature", "id"] as const;
const TEXT_KEYS = ["description", "label", "explanation"] as const;
const WANTED = '{"index": "0", "description": "…"}';
/** Embeddings are most of an exported row, and nobody asks for them here. Inside a text the quotes would be escaped. */
const EMBEDDING = /"embedding":\s*\[[^\]]*\]/;

const number = z.union([z.string().regex(/^\d{1,9}$/, "is not the number of a latent"), z.int().min(0)]);
const row = z.looseObject({
  index: number.nullish(),
  latent: number.nullish(),
  feature: number.nullish(),
  id: z.union([z.string(), z.number()]).nullish(),
  description: z.string().nullish(),
  label: z.string().nullish(),
  explanation: z.string().nullish(),
  layer: z.string().nullish(),
  typeName: z.string().nullish(),
  explanationModelName: z.string().nullish(),
});
const byLatent = z.record(z.string().regex(/^\d{1,9}$/), z.union([z.string(), z.array(z.string())]));
const listed = z.looseObject({ explanations: z.array(z.unknown()) });

/**
 * Reads label files, in their order: of several explanations of a latent the first is shown. `sae` is theirs where there
 * is one: a label beyond its width, or from a source of another layer, belongs to another SAE, which is an InputError. Rows without a text are skipped.
 */
export async function readLabels(sources: ByteSource | readonly ByteSource[], sae?: LabelledSae): Promise<Labels> {
  const collector = new LabelCollector(sae);
  for (const source of Array.isArray(sources) ? (sources as readonly ByteSource[]) : [sources as ByteSource])
    await readInto(collector, source);
  return collector.labels;
}

async function readInto(collector: LabelCollector, source: ByteSource): Promise<void> {
  const kind = labelKind(source.name);
  if (kind === undefined)
    throw new InputError(`${source.name}: labels are read from .jsonl, .json or .csv files, also with .gz behind`);
  if (kind === "jsonl") {
    let line = 0;
    for await (const text of readLines(source, MAX_LINE_CHARACTERS)) addLine(collector, text, source.name, ++line);
    return;
  }
  const text = await wholeText(source);
  if (kind === "json") addJson(collector, text, source.name);
  else addCsv(collector, text, source.name);
}

/** What kind of label file the name says; undefined where it is none. */
export function labelKind(name: string): "jsonl" | "json" | "csv" | undefined {
  const kind = /\.(jsonl|json|csv)(?:\.gz)?$/i.exec(name)?.[1]?.toLowerCase();
  return kind as "jsonl" | "json" | "csv" | undefined;
}

async function wholeText(source: ByteSource): Promise<string> {
  const lines: string[] = [];
  let length = 0;
  for await (const line of readLines(source, MAX_TEXT_CHARACTERS)) {
    length += line.length + 1;
    if (length > MAX_TEXT_CHARACTERS)
      throw new InputError(
        `${source.name}: more than ${MAX_TEXT_CHARACTERS} characters; write one label a line (.jsonl)`,
      );
    lines.push(line);
  }
  return lines.join("\n").replace(/^\uFEFF/, "");
}

function addLine(collector: LabelCollector, text: string, file: string, line: number): void {
  if (text.trim() === "") return;
  const where = `${file}: line ${line}`;
  let value: unknown;
  try {
    value = JSON.parse(text.replace(EMBEDDING, '"embedding":0'));
  } catch {
    throw new InputError(`${where} is not JSON: ${quote(text, 40)}`);
  }
  addRow(collector, value, where);
}

function addJson(collector: LabelCollector, text: string, file: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file}: is not valid JSON (${(error as Error).message}); write or download it again`);
  }
  const rows = Array.isArray(value) ? value : listed.safeParse(value).data?.explanations;
  if (rows !== undefined) {
    rows.forEach((one, i) => {
      addRow(collector, one, `${file}: row ${i + 1}`);
    });
    return;
  }
  const texts = byLatent.safeParse(value);
  if (!texts.success)
    throw new InputError(
      `${file}: holds no labels; want a list of ${WANTED}, or {"0": "…", "1": "…"} from latent to text`,
    );
  for (const [latent, one] of Object.entries(texts.data))
    for (const description of [one].flat()) collector.add(Number(latent), { description }, file);
}

function addRow(collector: LabelCollector, value: unknown, where: string): void {
  const parsed = row.safeParse(value);
  if (!parsed.success) {
    throw new InputError(`${where}: ${firstWrong(parsed.error, "the row")}; want ${WANTED}`);
  }
  const { layer, typeName, explanationModelName } = parsed.data;
  if (layer != null) collector.requireSource(layer, where);
  const latent = LATENT_KEYS.map((key) => parsed.data[key]).find((given) => given != null);
  if (latent === undefined || !/^\d{1,9}$/.test(String(latent)))
    throw new InputError(`${where}: index: names no latent; want ${WANTED}`);
  const description = TEXT_KEYS.map((key) => parsed.data[key]).find((given) => given != null);
  const label = {
    description: description ?? "",
    ...(typeName == null ? {} : { typeName }),
    ...(explanationModelName == null ? {} : { explanationModelName }),
  };
  collector.add(Number(latent), label, where);
}

function addCsv(collector: LabelCollector, text: string, file: string): void {
  const rows = parseCsv(text, file);
  const names = (rows[0] ?? []).map((name) => name.trim().toLowerCase());
  const column = (keys: readonly string[]) => keys.map((key) => names.indexOf(key)).find((at) => at >= 0);
  const [latentColumn, textColumn] = [column(LATENT_KEYS), column(TEXT_KEYS)];
  const headed = latentColumn !== undefined && textColumn !== undefined;
  rows.slice(headed ? 1 : 0).forEach((fields, i) => {
    const where = `${file}: row ${i + (headed ? 2 : 1)}`;
    const latent = fields[latentColumn ?? 0]?.trim() ?? "";
    if (!/^\d{1,9}$/.test(latent))
      throw new InputError(
        `${where}: ${quote(latent, 40)} is not the number of a latent; want the columns index and description`,
      );
    collector.add(Number(latent), { description: fields[headed ? textColumn : 1] ?? "" }, where);
  });
}
