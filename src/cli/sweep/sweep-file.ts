/** The YAML of `sweep`: one command with flags that stay, and a grid of flags that vary. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { ByteSource } from "../../formats/byte-source.js";
import { InputError, quote } from "../../formats/input-error.js";
import { nearestOf } from "../../formats/nearest.js";
import { firstWrong } from "../../formats/shape.js";
import { readYaml } from "../../formats/yaml.js";

/** A grid of more points is a slip of the pen. */
const MAX_POINTS = 10_000;
/** What a sweep gives every point itself, or would be written over by the next point. */
const TAKEN = ["json", "out", "save", "html", "help", "version"];
/** Longest text of a flag: a command line has room for few of them. */
const MAX_TEXT = 10_000;

const single = z.union([z.string().max(MAX_TEXT), z.number(), z.boolean()]);
const flagName = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, "give the flag's long name without dashes in front, such as target-layer")
  .refine((name) => !TAKEN.includes(name), "a sweep writes every point's results itself; leave it out");

const shape = z.strictObject({
  command: z.enum(["find", "audit"]),
  /** How `find` looks; it may also be in the grid. */
  method: z
    .string()
    .regex(/^[a-z][a-z-]*$/, "give a method's name, such as supervised-sae-melbo")
    .optional(),
  flags: z.record(flagName, z.union([single, z.array(single).min(1)])).default({}),
  grid: z.record(z.union([z.literal("method"), flagName]), z.array(single).min(1)),
});

type Value = z.infer<typeof single>;

/** One point of the grid. */
export interface SweepPoint {
  /** What varies, by flag. */
  readonly values: Readonly<Record<string, Value>>;
  /** The command line, without the program and without --json. */
  readonly args: readonly string[];
  /** Changes with the command line. */
  readonly id: string;
}

export interface Sweep {
  readonly command: "find" | "audit";
  /** The last flag of the grid varies fastest. */
  readonly points: readonly SweepPoint[];
}

/** A flag of the command that is swept, as far as it can be checked before anything runs. */
export interface KnownFlag {
  /** Without dashes. */
  readonly name: string;
  readonly takesValue: boolean;
  /** Whether it may be given several times. */
  readonly repeats: boolean;
  /** What is wrong with a value; null where nothing is by itself. */
  wrong(value: string): string | null;
}

/** InputError that names the field that is wrong. `flagsOf` knows the flags of each command. */
export async function readSweep(
  source: ByteSource,
  flagsOf: (command: Sweep["command"]) => readonly KnownFlag[],
): Promise<Sweep> {
  const parsed = shape.safeParse(await readYaml(source));
  if (!parsed.success) {
    throw new InputError(`${source.name}: ${firstWrong(parsed.error, "sweep", Object.keys(shape.shape))}`);
  }
  const { command, method, flags, grid } = parsed.data;
  const names = Object.keys(grid);
  const twice = names.find((name) => name in flags || (name === "method" && method !== undefined));
  if (twice !== undefined)
    throw new InputError(`${source.name}: grid.${twice}: is given beside the grid too; give it once`);
  if ((command === "find") !== (method !== undefined || names.includes("method")))
    throw new InputError(
      `${source.name}: method: ${command === "find" ? "find needs one, such as supervised-sae-melbo" : "audit takes none; methods are a flag"}`,
    );
  const known = new Map(flagsOf(command).map((flag) => [flag.name, flag]));
  for (const [field, given] of Object.entries({ flags, grid }))
    for (const [name, value] of Object.entries(given))
      if (name !== "method") checkFlag(`${source.name}: ${field}.${name}`, command, known, name, value, field);
  const size = names.reduce((product, name) => product * grid[name]!.length, 1);
  if (size > MAX_POINTS) throw new InputError(`${source.name}: grid: ${size} points; at most ${MAX_POINTS}`);
  const points = names
    .reduce<Record<string, Value>[]>(
      (some, name) => some.flatMap((values) => grid[name]!.map((value) => ({ ...values, [name]: value }))),
      [{}],
    )
    .map((values): SweepPoint => {
      const { method: varied, ...varying } = values;
      const looked = varied ?? method;
      const args = [command, ...(looked === undefined ? [] : [String(looked)])];
      // Sorted, so that a flag that moves within the file, or into the grid, changes nothing.
      const all = Object.entries({ ...flags, ...varying }).sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [name, value] of all) args.push(...asFlags(name, value));
      return { values, args, id: createHash("sha256").update(JSON.stringify(args)).digest("hex").slice(0, 12) };
    });
  const same = points.find((point, i) => points.findIndex(({ id }) => id === point.id) < i);
  if (same !== undefined)
    throw new InputError(`${source.name}: grid: ${pointText(same.values)} comes twice; give each value once`);
  return { command, points };
}

function checkFlag(
  where: string,
  command: string,
  known: ReadonlyMap<string, KnownFlag>,
  name: string,
  value: Value | readonly Value[],
  field: string,
): void {
  const flag = known.get(name);
  if (flag === undefined) {
    const near = nearestOf(name, [...known.keys()]);
    const instead = near === undefined ? `\`antecedent ${command} --help\` lists them` : `did you mean ${quote(near)}?`;
    throw new InputError(`${where}: ${command} has no such flag; ${instead}`);
  }
  const several = Array.isArray(value) && field === "flags";
  if (several && !flag.repeats)
    throw new InputError(`${where}: is given once; a flag that varies belongs into the grid`);
  for (const one of Array.isArray(value) ? (value as readonly Value[]) : [value as Value]) {
    if (flag.takesValue === (typeof one === "boolean"))
      throw new InputError(
        `${where}: ${flag.takesValue ? `takes a value, not ${one}` : `is a switch: true or false, not ${quote(String(one))}`}`,
      );
    const wrong = flag.takesValue ? flag.wrong(String(one)) : null;
    if (wrong !== null) throw new InputError(`${where}: ${quote(String(one))}: ${wrong}`);
    if (String(one).includes("\0")) throw new InputError(`${where}: holds a zero byte, which no command line can`);
  }
}

/** `true` is the flag by itself, `false` leaves it out, a list gives it several times. */
function asFlags(name: string, value: Value | readonly Value[]): string[] {
  if (Array.isArray(value)) return value.flatMap((one: Value) => asFlags(name, one));
  if (typeof value === "boolean") return value ? [`--${name}`] : [];
  // Of one piece, so that a value that begins with a dash is none of the flags.
  return [`--${name}=${String(value)}`];
}

/** "lambda 0.1, signed true" */
export function pointText(values: SweepPoint["values"]): string {
  const said = Object.entries(values).map(
    ([name, value]) => `${name} ${typeof value === "string" ? quote(value).slice(1, -1) : value}`,
  );
  return said.length === 0 ? "the only point" : said.join(", ");
}
